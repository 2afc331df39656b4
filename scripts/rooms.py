"""What the build says about rooms: which there are and what each may include."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def rooms() -> dict[str, list[str]]:
    """Room name to the rooms it names, from each room's CMakeLists.txt."""
    found = {}
    for path in sorted(ROOT.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        call = re.search(r"sluice_room\(\s*(\w+)(.*?)\)", text, re.DOTALL)
        if call is None:
            continue
        words = call.group(2).split()
        named, collecting = [], False
        for word in words:
            if word in ("SOURCES", "ROOMS", "LIBRARIES"):
                collecting = word == "ROOMS"
            elif collecting:
                named.append(word)
        found[call.group(1)] = named
    return found


def closure(room: str, table: dict[str, list[str]]) -> set[str]:
    """The room and every room it reaches."""
    reached: set[str] = set()
    waiting = [room]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(table[name])
    return reached
