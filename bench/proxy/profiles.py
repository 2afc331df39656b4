"""Reads what callgrind and perf wrote: pure, and tested (tests/bench)."""
import collections
import re

_FUNCTION = re.compile(r"^(fn|cfn)=\((\d+)\)(?: (.*))?$")
_OBJECT = re.compile(r"^ob=\((\d+)\)(?: (.*))?$")
_ALLOCATING = re.compile(r"^(malloc|calloc|realloc|aligned_alloc|posix_memalign|operator new(\[\])?\(.*)$")
_ROOM = re.compile(r"sluice::(?:parsers::)?(\w+)::")
_LIBRARY = re.compile(r"([^/]+?)\.so[.\d]*$")


def room_of(function: str, library: str) -> str:
    """Whose code this is: a room (of the parsers, the protocol), or a library."""
    found = _ROOM.search(function) or _LIBRARY.search(library)
    return found.group(1) if found else "other"


class Callgrind:
    """One dump: instructions and calls by function."""

    def __init__(self, text: str):
        self._names, self._objects = {}, {}
        self._own = collections.Counter()    # (function, object) → instructions
        self._calls = collections.Counter()  # function → calls
        self._allocating = collections.Counter()  # function → its calls of what allocates
        function = called = library = None
        is_cost_of_call = False
        for line in text.splitlines():
            if found := _FUNCTION.match(line):
                kind, number, name = found.groups()
                if name:
                    self._names[number] = name
                if kind == "fn":
                    function = number
                else:
                    called = number
            elif found := _OBJECT.match(line):
                library, name = found.groups()
                if name:
                    self._objects[library] = name
            elif line.startswith("cob="):
                number, _, name = line[4:].partition(" ")
                if name:
                    self._objects[number.strip("()")] = name
            elif line.startswith("calls="):
                count = int(line[6:].split()[0])
                self._calls[called] += count
                if _ALLOCATING.match(self._name(called)):
                    self._allocating[function] += count
                is_cost_of_call = True
            elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                if not is_cost_of_call and len(line.split()) >= 2:
                    self._own[(function, library)] += int(line.split()[-1])
                is_cost_of_call = False

    def _name(self, number) -> str:
        return self._names.get(number, "?")

    def by_room(self) -> collections.Counter:
        rooms = collections.Counter()
        for (function, library), count in self._own.items():
            rooms[room_of(self._name(function), self._objects.get(library, ""))] += count
        return rooms

    def functions(self) -> list:
        """(name, own instructions, calls), the dearest first."""
        own = collections.Counter()
        for (function, _), count in self._own.items():
            own[function] += count
        return [(self._name(number).replace("sluice::", ""), count, self._calls[number])
                for number, count in own.most_common()]

    def allocations(self) -> list:
        """(calling function, calls of what allocates), the busiest first."""
        return [(self._name(number).replace("sluice::", ""), count)
                for number, count in self._allocating.most_common()]

    def stacks(self) -> collections.Counter:
        """As shallow stacks, room over function: what there is to draw where perf may not look."""
        stacks = collections.Counter()
        for (function, library), count in self._own.items():
            name = self._name(function)
            stacks[(room_of(name, self._objects.get(library, "")), name.replace("sluice::", ""))] += count
        return stacks


def folded_stacks(script: str) -> collections.Counter:
    """`perf script -F comm,ip,sym,dso` as stacks, outermost first, with the thread's name before them.

    A frame of the kernel ends with _[k].
    """
    stacks = collections.Counter()
    for sample in script.strip().split("\n\n"):
        lines = sample.splitlines()
        if len(lines) < 2:
            continue
        frames = []
        for line in lines[1:]:
            found = re.match(r"\s*[0-9a-f]+ (.*) \(([^()]*(?:\([^()]*\))?)\)$", line)
            if not found:
                continue
            name, place = found.groups()
            if name == "[unknown]":
                continue
            is_kernel = place.startswith(("[kernel", "[guest.kernel"))
            frames.append(name.replace("sluice::", "") + ("_[k]" if is_kernel else ""))
        if frames:
            stacks[(lines[0].strip(), *reversed(frames))] += 1
    return stacks
