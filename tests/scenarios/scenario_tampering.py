"""The table of what may be done to a log or a package, and which verifier finds it.

Each row names a case, and who must refuse it; the others must accept it, for that is what
they cannot see. `sluice verify` exits with 4 and says where. Each bit of each file is the
business of tests/audit/tamper_test.cc and tests/evidence/package_test.cc.
"""
import contextlib
import hashlib
import importlib.util
import io
import json
import shutil
import signal
import sys
import time

from harness import go_judge, wire
from harness.context import expect, wait_until
from harness.forger import Forger, later, seal_of, seals, with_seal
from harness.gateway import Gateway
from harness.segments import HEAD, copied, edit_record, frames, is_record, rewrite, sealed, stripped
from harness.target import Target
from scenario_evidence import Auditor, packed, unpacked
from scenario_timestamps import Authority

# Who looks at a directory: sluice verify, the same with a checkpoint that was kept, and
# Go's x/mod/sumdb, which reads records, commits and the checkpoint.
SLUICE, SEEN, GO = "sluice", "sluice --seen", "go"
BOTH, ALL = {SLUICE, SEEN}, {SLUICE, SEEN, GO}
# Who looks at a package: these two, the same of verify.py, ssh-keygen with sha256sum, and
# openssl ts, which looks at timestamps only.
SCRIPT, SCRIPT_SEEN, SSH, TS = "verify.py", "verify.py SEEN", "ssh-keygen", "openssl ts"
READERS = {SLUICE, SEEN, SCRIPT, SCRIPT_SEEN}
FILES = READERS | {SSH}


def flip(path, at=None) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.write_bytes(data)


def exchange(first, second) -> None:
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)


def with_record(change):
    """Changes the list of frames at a record in the middle of the segment."""
    def changed(frames):
        records = [i for i, frame in enumerate(frames) if is_record(frame)]
        return change(list(frames), records[len(records) // 2], records[len(records) // 2 + 1])
    return changed


def swap(frames, first, second):
    frames[first], frames[second] = frames[second], frames[first]
    return frames


REMOVE = with_record(lambda frames, at, _: frames[:at] + frames[at + 1:])
DOUBLE = with_record(lambda frames, at, _: frames[:at + 1] + frames[at:])
SWAP = with_record(swap)


def commits_of(frames) -> list[int]:
    return [i for i, frame in enumerate(frames) if frame[HEAD.size] == ord("C")]


def cut_at_commit(frames):
    commits = commits_of(frames)
    expect(len(commits) > 2, "too few commits to cut one off")
    return frames[:commits[len(commits) // 2] + 1]


def without_commit(frames):
    at = commits_of(frames)[1]
    return frames[:at] + frames[at + 1:]


def stamps(log) -> list:
    return sorted((log / "timestamps").glob("*.checkpoint"))


class World:
    """A log with what it takes to exchange it for: an earlier state of itself, another
    past under the same key, and a stranger's log of the same name."""

    def __init__(self, context):
        self.context = context
        self.judge = go_judge.build(context)
        self.authority = Authority(context)
        self.target = target = Target(context, keeps_bytes=False)
        stamped = f'timestamps: {{authority: "http://127.0.0.1:{self.authority.port}/tsr", every: 1s}}'
        self.gateway = Gateway(context, target.port, audit=f"segment: 1MiB\n  {stamped}")
        stranger = Gateway(context, target.port, name="stranger", audit=f"segment: 1MiB\n  {stamped}")
        self.auditor = Auditor(context, self.gateway)

        # Two runs, so that a segment grew between the earlier state and the last.
        self.gateway.start()
        self.fill(self.gateway, 450)
        self.gateway.stop()
        self.gateway.start()
        self.fill(self.gateway, 50)
        self.gateway.process.signal(signal.SIGSTOP)  # A copy of one moment.
        self.earlier = copied(self.gateway.audit, context.folder / "earlier")
        self.gateway.process.signal(signal.SIGCONT)
        self.earlier_package = self.package(self.gateway, "earlier")
        self.fill(self.gateway, 400)
        wait_until(lambda: list(self.gateway.audit.glob("*.zst")), "a segment to be compressed")
        self.commit_more()
        self.gateway.stop()
        self.package_file = self.package(self.gateway, "whole")
        self.as_it_lies = shutil.copytree(self.gateway.audit, context.folder / "as-it-lies")
        for compressed in self.as_it_lies.glob("segment-*.log.zst"):
            if compressed.with_suffix("").exists():  # The gateway stopped in between: this one is not read.
                compressed.unlink()
        self.log = copied(self.gateway.audit, context.folder / "log")
        self.kept = self.log / "checkpoint"
        report = self.gateway.expect_verified()
        expect(report["segments"] >= 3 and report["timestamps"] >= 2, f"too small a log: {report}")

        self.gateway.begin_another_past()
        self.other_past, self.other_package = self.another(self.gateway, "other-past")
        self.stranger, self.stranger_package = self.another(stranger, "strangers")
        path = self.auditor.folder / "verify.py"
        path.write_bytes(unpacked(self.package_file)["verify.py"])
        specification = importlib.util.spec_from_file_location("verify", path)
        self.script = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(self.script)

    def another(self, gateway, name):
        gateway.start()
        self.fill(gateway, 900)
        gateway.stop()
        return copied(gateway.audit, self.context.folder / name), self.package(gateway, name)

    def fill(self, gateway, requests: int) -> None:
        """So many requests, and a timestamp about them."""
        with wire.Client(gateway.port) as client:
            for number in range(requests):
                client.request("GET", f"/evidence/{number}/" + "x" * 3500, [gateway.auth])
                if number % 25 == 24:
                    time.sleep(0.06)  # The log commits each 50 ms: so each segment has several.
        already = len(stamps(gateway.audit))
        wait_until(lambda: len(stamps(gateway.audit)) > already, "a timestamp")

    def commit_more(self) -> None:
        """Until the last segment has several commits, wherever it began."""
        with wire.Client(self.gateway.port) as client:
            def has_several() -> bool:
                client.request("GET", "/evidence/more", [self.gateway.auth])
                last = max(self.gateway.audit.glob("segment-*.log"))
                return last.read_bytes().count("\n— ".encode()) > 4
            wait_until(has_several, "the last segment to have several commits")

    def package(self, gateway, name):
        path = self.context.folder / f"{name}.zip"
        gateway.sluice("evidence", "-c", gateway.configuration, "-o", path, check=True)
        return path

    def refusing_directory(self, folder, key=None, kept=None) -> set:
        key = key or self.gateway.verifier
        codes = {SLUICE: self.gateway.sluice("verify", folder, "--key", key, "--json"),
                 SEEN: self.gateway.sluice("verify", folder, "--key", key, "--json", "--seen", kept or self.kept)}
        for code in codes.values():
            expect(code.code in (0, 4), f"sluice verify ends with {code.code}: {code.err}")
            expect(code.code == 0 or (code.json()["fault"] and code.json()["where"]), f"no reason: {code.out}")
        found = {who for who, code in codes.items() if code.code == 4}
        return found | ({GO} if self.judge(folder, key).returncode else set())

    def refusing_package(self, path, files) -> set:
        key, refusing = self.gateway.verifier, set()
        for who, words in ((SLUICE, ()), (SEEN, ("--seen", self.kept))):
            outcome = self.gateway.sluice("verify", path, "--key", key, "--json", *words)
            # What is no zip file at all is an error, not a verdict.
            expect(outcome.code in (0, 4) or not files, f"sluice verify ends with {outcome.code}: {outcome.err}")
            refusing |= {who} if outcome.code else set()
        for who, words in ((SCRIPT, ()), (SCRIPT_SEEN, (self.kept,))):
            refusing |= set() if self.auditor.by_script(path, key, *words) else {who}
        if not files or not self.by_ssh_keygen(files):
            refusing.add(SSH)
        if not files or not self.by_openssl(files):
            refusing.add(TS)
        return refusing

    def by_ssh_keygen(self, files: dict) -> bool:
        """The manifest's signature, by signers known from before, and then `sha256sum` of its files."""
        signers = unpacked(self.package_file)["allowed_signers"]
        if "manifest.json.sig" not in files or not self.auditor.by_ssh_keygen(files | {"allowed_signers": signers}):
            return False
        return all(name in files and hashlib.sha256(files[name]).hexdigest() == file["sha256"]
                   for name, file in json.loads(files["manifest.json"])["files"].items())

    def by_openssl(self, files: dict) -> bool:
        responses = [name for name in files if name.endswith(".tsr")]
        notes = [name for name in files if name.startswith("timestamps/") and name.endswith(".checkpoint")]
        return len(responses) == len(notes) and all(
            self.authority.confirms(files[name.replace(".tsr", ".checkpoint")], files[name]) for name in responses)


class Retained:
    """A log of which retention removed segments; with what was there before, and a checkpoint of that."""

    def __init__(self, context):
        target = Target(context, keeps_bytes=False)
        gateway = Gateway(context, target.port, name="retained", audit="segment: 1MiB\n  retention: {keep: 10s}")
        self.key = gateway.verifier
        gateway.start()
        with wire.Client(gateway.port) as client:
            while len(list(gateway.audit.glob("segment-*"))) < 5:
                for number in range(50):
                    client.request("GET", f"/evidence/{number}/" + "x" * 3500, [gateway.auth])
                time.sleep(0.06)  # A batch of its own.
        self.before = copied(gateway.audit, context.folder / "before-retention")
        expect(not list(self.before.glob("*.removed")), "retention was too early")
        self.kept = context.folder / "kept-before-retention"
        shutil.copy(sorted(self.before.glob("checkpoint"))[0], self.kept)
        wait_until(lambda: len(list(gateway.audit.glob("*.removed"))) >= 2, "two segments to be removed", 60)
        # One record more, so that a segment is left that could be removed, too.
        gateway.stop()
        gateway.start()
        gateway.stop()
        self.log = copied(gateway.audit, context.folder / "after-retention")


def retention_cases(world, retained) -> list:
    first, second = sorted(path.name for path in retained.log.glob("*.removed"))[:2]
    left = max(sorted(retained.log.glob("segment-*.log"))[:-1], key=lambda path: path.stat().st_size).name
    was = first.replace(".removed", ".log")

    def another_hash(all_frames):
        at = next(i for i, frame in enumerate(all_frames) if frame[HEAD.size] == ord("R"))
        body = bytearray(all_frames[at][HEAD.size:])
        body[body.index(b"\x58\x20") + 2] ^= 1
        return all_frames[:at] + [sealed(bytes(body))] + all_frames[at + 1:]

    def remove_too(log) -> None:
        rewrite(log / left, lambda all_frames: stripped(all_frames, world.script.item))
        (log / left).rename(log / left.replace(".log", ".removed"))

    def strip_first(all_frames):
        made = stripped(all_frames, world.script.item)
        expect(made == frames((retained.log / first).read_bytes()), "this harness removes segments otherwise")
        return made

    def put_back(log) -> None:
        shutil.copy(retained.before / was, log / was)

    def as_retention_does(log) -> None:
        put_back(log)
        rewrite(log / was, strip_first)
        (log / was).rename(log / first)

    return [
        ("nothing, of a log with removed segments", set(), lambda log: None),
        ("a segment is removed again, as retention did", set(), as_retention_does),
        ("a removed segment is back", set(), put_back),
        ("a removed segment is back, and what stayed of it is not", set(), lambda log: [
            put_back(log), (log / first).unlink()]),
        ("what stays of a removed segment is missing", ALL, lambda log: (log / first).unlink()),
        ("what stays of two removed segments is exchanged", ALL, lambda log: exchange(log / first, log / second)),
        ("a hash that stands for records is another", ALL, lambda log: rewrite(log / first, another_hash)),
        ("a commit of a removed segment is removed", BOTH, lambda log: rewrite(log / first, without_commit)),
        ("what stays is called a segment", BOTH, lambda log: (log / first).rename(log / was)),
        ("a segment is removed as retention does, and no record says so", BOTH, remove_too),
        ("the same, and its end is cut", ALL, lambda log: [
            remove_too(log), rewrite(log / left.replace(".log", ".removed"), lambda all_frames: all_frames[:-2])]),
    ]


def directory_cases(world) -> list:
    segments = sorted(path.name for path in world.log.glob("segment-*.log"))
    large = max(segments, key=lambda name: (world.log / name).stat().st_size)
    grown = sorted(path.name for path in world.earlier.glob("segment-*.log"))[-1]
    last = segments[-1]
    policy = next((world.log / "policies").iterdir()).name
    stamp = stamps(world.log)[0].name
    foreign = stamps(world.other_past)[0].name

    def put(folder, *names):
        """Puts these of another log in the place of the log's."""
        def change(log):
            for name in names:
                shutil.copy(folder / name, log / name)
        return change

    def cut_back(log) -> None:
        for path in log.glob("segment-*.log"):
            path.unlink()
        for path in (*world.earlier.glob("segment-*.log"), world.earlier / "checkpoint"):
            shutil.copy(path, log)

    def exchanged(folder):
        def change(log):
            shutil.rmtree(log)
            shutil.copytree(folder, log)
        return change

    return [
        ("nothing", set(), lambda log: None),
        ("a record is removed", ALL, lambda log: rewrite(log / large, REMOVE)),
        ("a record is there twice", ALL, lambda log: rewrite(log / large, DOUBLE)),
        ("two records change places", ALL, lambda log: rewrite(log / large, SWAP)),
        ("a record says something else", ALL, lambda log: rewrite(
            log / large, lambda frames: edit_record(frames, b"/evidence", b"/innocent"))),
        ("the same in the last segment", ALL, lambda log: rewrite(log / last, REMOVE)),
        ("a commit is removed", BOTH, lambda log: rewrite(log / large, without_commit)),
        ("a header says something else", BOTH, lambda log: rewrite(
            log / large, another_header)),
        ("a bit of a record is flipped", ALL, lambda log: flip(log / large)),
        ("the magic is another", ALL, lambda log: flip(log / large, 3)),
        ("a segment ends at an earlier commit", ALL, lambda log: rewrite(log / large, cut_at_commit)),
        ("the last segment ends at an earlier commit", ALL, lambda log: rewrite(log / last, cut_at_commit)),
        ("the last segment ends in a frame", ALL, lambda log: (log / last).write_bytes(
            (log / last).read_bytes()[:(log / last).stat().st_size // 2])),
        ("the last segment is missing", ALL, lambda log: (log / last).unlink()),
        ("the first segment is missing", ALL, lambda log: (log / segments[0]).unlink()),
        ("two segments are exchanged", ALL, lambda log: exchange(log / segments[0], log / segments[1])),
        ("a segment is replaced by its older state", ALL, put(world.earlier, grown)),
        ("the checkpoint is missing", ALL, lambda log: (log / "checkpoint").unlink()),
        ("the checkpoint is changed", ALL, lambda log: flip(log / "checkpoint")),
        ("the checkpoint is another past's", ALL, put(world.other_past, "checkpoint")),
        # Power loss leaves such a one. It hides nothing: the log goes on behind it.
        ("the checkpoint alone is an older one", set(), put(world.earlier, "checkpoint")),
        ("the log is cut back, and its checkpoint with it; timestamps stay", BOTH, cut_back),
        ("the directory is an older one", {SEEN}, exchanged(world.earlier)),
        ("the log is another past under the same key (a split view)", {SEEN}, exchanged(world.other_past)),
        ("the log is a stranger's (a replaced key)", ALL, exchanged(world.stranger)),
        ("the key beside the log is a stranger's", BOTH, put(world.stranger, "verifier.pub")),
        ("a backdated checkpoint is among the timestamps", BOTH, lambda log: [
            shutil.copy(world.other_past / "timestamps" / name, log / "timestamps" / name)
            for name in (foreign, foreign.replace(".checkpoint", ".tsr"))]),
        ("a timestamp is about another checkpoint", BOTH, lambda log: shutil.copy(
            stamps(log)[1].with_suffix(".tsr"), (log / "timestamps" / stamp).with_suffix(".tsr"))),
        ("a timestamped checkpoint is changed", BOTH, lambda log: flip(log / "timestamps" / stamp)),
        ("a timestamp and what it is about are missing", BOTH, lambda log: [
            path.unlink() for path in (log / "timestamps" / stamp, (log / "timestamps" / stamp).with_suffix(".tsr"))]),
        ("the answer of a timestamp is missing", BOTH, lambda log: (
            log / "timestamps" / stamp).with_suffix(".tsr").unlink()),
        ("a policy is another", BOTH, lambda log: flip(log / "policies" / policy)),
        ("a policy is missing", BOTH, lambda log: (log / "policies" / policy).unlink()),
    ]


def another_header(frames):
    """Sealed again, as whoever knows the format does."""
    body = frames[0][HEAD.size:].replace(b"scenario.test", b"scenario.pest")
    return [sealed(body), *frames[1:]]


def compressed_cases(world) -> list:
    first, *_ = sorted(world.as_it_lies.glob("segment-*.zst"))
    return [
        ("nothing, with compressed segments", set(), lambda log: None),
        ("a bit of a compressed segment is flipped", ALL, lambda log: flip(log / first.name)),
        # It changes nothing of what Zstandard gives back.
        ("a bit of a compressed segment's table is flipped", BOTH, lambda log: flip(log / first.name, -1)),
        ("a compressed segment is cut", ALL, lambda log: (log / first.name).write_bytes(
            (log / first.name).read_bytes()[:first.stat().st_size // 2])),
        ("a compressed segment is missing", ALL, lambda log: (log / first.name).unlink()),
    ]


def package_cases(world, good: dict) -> list:
    manifest, records = good["manifest.json"], good["records.cbor"]
    policy = sorted(name for name in good if name.startswith("policies/"))[0]
    first, second = sorted(name for name in good if name.endswith(".tsr"))[:2]
    note = first.replace(".tsr", ".checkpoint")
    other = unpacked(world.other_package)
    other_note = sorted(name for name in other if name.endswith(".tsr"))[0].replace(".tsr", ".checkpoint")
    earlier, stranger = unpacked(world.earlier_package), unpacked(world.stranger_package)

    def without(name):
        return {key: value for key, value in good.items() if key != name}

    return [
        ("nothing", set(), good),
        ("a record says something else", FILES, good | {
            "records.cbor": records.replace(b"/evidence/3", b"/innocent/3", 1)}),
        ("records are cut", FILES, good | {"records.cbor": records[:len(records) // 2]}),
        ("records come twice", FILES, good | {"records.cbor": records * 2}),
        ("the records are missing", FILES, without("records.cbor")),
        ("the range is moved", FILES, good | {
            "manifest.json": manifest.replace(b'"first_record": 0', b'"first_record": 1')}),
        ("the manifest has other members", FILES, good | {"manifest.json": manifest.replace(b'"made"', b'"Made"')}),
        ("the manifest is an earlier package's", FILES, good | {
            name: earlier[name] for name in ("manifest.json", "manifest.json.sig")}),
        ("the signature is missing", FILES, without("manifest.json.sig")),
        ("the report is another", FILES, good | {"report.html": b"<h1>nothing happened</h1>"}),
        ("the checkpoint is changed", FILES, good | {"checkpoint": good["checkpoint"].replace(b"\n", b"\r\n", 1)}),
        ("the checkpoint is an earlier one", FILES, good | {"checkpoint": earlier["checkpoint"]}),
        ("the checkpoint is another past's", FILES, good | {"checkpoint": other["checkpoint"]}),
        ("a policy is another", FILES, good | {policy: good[policy].replace(b"That path", b"This path", 1)}),
        ("a policy is missing", FILES, without(policy)),
        ("a file is added", READERS, good | {"more.txt": b"more"}),
        ("answers of timestamps are exchanged", FILES | {TS}, good | {first: good[second], second: good[first]}),
        ("an answer is missing", FILES | {TS}, without(first)),
        ("a backdated checkpoint is among the timestamps", FILES, good | {
            note: other[other_note], first: other[other_note.replace(".checkpoint", ".tsr")]}),
        ("a timestamped checkpoint is another", FILES | {TS}, good | {note: other[other_note]}),
        ("the package is an older one", {SEEN, SCRIPT_SEEN}, earlier),
        ("the package is of another past under the same key (a split view)", {SEEN, SCRIPT_SEEN}, other),
        ("the package is a stranger's (a replaced key)", FILES, stranger),
        ("the package is cut", FILES | {TS}, None),
    ]


class SealedWorld:
    """A log with a handful of seals, and someone with the log's key who signs anew whatever is changed."""

    def __init__(self, world):
        context = world.context
        self.world, self.judge = world, world.judge
        self.gateway = Gateway(context, world.target.port, name="sealed", audit="signer: {seal_every: 1s}")
        self.gateway.start()
        number = 0
        with wire.Client(self.gateway.port) as client:
            def has_seals() -> bool:
                nonlocal number
                client.request("GET", f"/evidence/{number}", [self.gateway.auth])
                number += 1
                return max(self.gateway.audit.glob("segment-*.log")).read_bytes().count(b"fsealed") > 5
            wait_until(has_seals, "seals", 30)
        self.gateway.stop()
        self.log = copied(self.gateway.audit, context.folder / "sealed-log")
        self.kept = self.log / "checkpoint"
        self.forger = Forger(script_of(world), (self.gateway.folder / "audit.key").read_text().strip())
        expect(self.gateway.expect_verified()["seals"] > 5, "too few seals")

    def refusing(self, log) -> set:
        """Of the log, and of the package that is made of it."""
        found = World.refusing_directory(self, log)
        shutil.rmtree(self.gateway.audit)
        shutil.copytree(log, self.gateway.audit)
        package = self.world.package(self.gateway, "of-sealed")
        by_package = set()
        for who, words in ((SLUICE, ()), (SEEN, ("--seen", self.kept))):
            if self.gateway.sluice("verify", package, "--key", self.gateway.verifier, *words).code == 4:
                by_package.add(who)
        by_script = {SCRIPT} if not self.world.auditor.by_script(package, self.gateway.verifier) else set()
        package.unlink()
        expect(by_package == found - {GO}, f"of the log {found}, of its package {by_package}")
        return found | by_script


def sealed_cases(sealed_world) -> list:
    forger = sealed_world.forger
    found, thief = BOTH | {SCRIPT}, bytes(32)

    def changed(change):
        def write(bodies):
            change(bodies, seals(bodies))
            return bodies
        return lambda log: forger.rewrite(log, write)

    def another_record(bodies, at) -> None:
        index = next(i for i, body in enumerate(bodies) if at[1] < i < at[2] and b"/evidence/" in body)
        bodies[index] = bodies[index].replace(b"/evidence/", b"/innocent/")

    def uncertified(bodies, at) -> None:
        text = seal_of(bodies[at[3]]).decode().partition("\n\n")[0] + "\n"
        bodies[at[3]] = with_seal(bodies[at[3]], forger.note(text, thief))

    def left_out(bodies, at) -> None:
        bodies[at[3]] = with_seal(bodies[at[3]], seal_of(bodies[at[2]]))

    def out_of_order(bodies, at) -> None:
        one, other = seal_of(bodies[at[2]]), seal_of(bodies[at[3]])
        bodies[at[2]], bodies[at[3]] = with_seal(bodies[at[2]], other), with_seal(bodies[at[3]], one)

    def expired(bodies, at) -> None:
        last = seal_of(bodies[at[2]])
        for index in at[3:]:
            bodies[index] = with_seal(bodies[index], last)
        for index in range(len(bodies) - 5, len(bodies)):
            bodies[index] = later(bodies[index], 3600)

    def hidden(bodies, at) -> None:
        for index, body in enumerate(bodies):
            bodies[index] = body.replace(b"\x18\x21fsealed", b"\x18\x21fsealad")

    return [
        ("nothing, signed anew with the log's key", set(), changed(lambda bodies, at: None)),
        ("an hour before the last seal is rewritten, with the log's key", found, changed(another_record)),
        ("a seal is signed by a key that no seal names", found, changed(uncertified)),
        ("a seal is not in the log", found, changed(left_out)),
        ("seals are out of order", found, changed(out_of_order)),
        ("a log goes on under a sealing key that had ended", found, changed(expired)),
        # As if there had been none; who kept a checkpoint knows better.
        ("all seals are hidden, with the log's key", {SEEN}, changed(hidden)),
    ]


def script_of(world):
    specification = importlib.util.spec_from_file_location("verify", world.auditor.folder / "verify.py")
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    return script


def flip_bits_of_package(world, count: int) -> None:
    """verify.py finds them, but for those of the zip file's headers that change no file in it."""
    script = script_of(world)
    good, files = world.earlier_package.read_bytes(), unpacked(world.earlier_package)
    path, found = world.context.folder / "flipped.zip", 0
    for _ in range(count):
        data = bytearray(good)
        at, bit = world.context.random.randrange(len(data)), world.context.random.randrange(8)
        data[at] ^= 1 << bit
        path.write_bytes(data)
        sys.argv = ["verify.py", str(path), world.gateway.verifier]
        try:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                world.script.main()
        except SystemExit as end:
            expect(end.code == 4 and "NOT VERIFIED" in out.getvalue(), f"byte {at} bit {bit}: {end.code}")
            found += 1
        else:
            expect(unpacked(path) == files, f"verify.py accepts byte {at} bit {bit}")
    expect(found > count // 2, f"only {found} of {count} flipped bits were found")


def flip_bits_of_directory(world, count: int) -> None:
    total = sum(path.stat().st_size for path in world.as_it_lies.glob("segment-*"))
    for _ in range(count):
        offset = world.context.random.randrange(total)
        for path in sorted(world.as_it_lies.glob("segment-*")):
            if offset < path.stat().st_size:
                break
            offset -= path.stat().st_size
        flip(path, offset)
        outcome = world.gateway.verify(world.as_it_lies)
        expect(outcome.code == 4, f"{path.name} byte {offset}: {outcome.code} {outcome.out}")
        flip(path, offset)


def run(context) -> None:
    world = World(context)
    rows = []

    def judge(kind, name, expected, refusing) -> None:
        rows.append((kind, name, expected, refusing))

    retained = Retained(context)
    for source, cases, *known in ((world.log, directory_cases(world)), (world.as_it_lies, compressed_cases(world)),
                                  (retained.log, retention_cases(world, retained), retained.key, retained.kept)):
        for name, expected, change in cases:
            copy = shutil.copytree(source, context.folder / "changed")
            change(copy)
            judge("directory", name, expected, world.refusing_directory(copy, *known))
            shutil.rmtree(copy)
    good = unpacked(world.package_file)
    for name, expected, files in package_cases(world, good):
        expect(files != good or not expected, f"nothing was changed: {name}")
        path = context.folder / "changed.zip"
        if files is None:
            path.write_bytes(world.package_file.read_bytes()[:world.package_file.stat().st_size // 2])
        else:
            packed(path, files)
        judge("package", name, expected, world.refusing_package(path, files))
    sealed_world = SealedWorld(world)
    for name, expected, change in sealed_cases(sealed_world):
        copy = shutil.copytree(sealed_world.log, context.folder / "changed")
        change(copy)
        judge("sealed", name, expected, sealed_world.refusing(copy))
        shutil.rmtree(copy)
    for kind, name, expected, refusing in rows:
        print(f"{kind:<9} {name:<68} {', '.join(sorted(refusing)) or 'nobody'}")
        if refusing != expected:
            print(f"          expected: {', '.join(sorted(expected)) or 'nobody'}")
    wrong = [name for _, name, expected, refusing in rows if refusing != expected]
    expect(not wrong, f"not refused by whom they should be: {wrong}")

    flip_bits_of_directory(world, 1000 if context.full else 20)
    flip_bits_of_package(world, 2000 if context.full else 100)
    outcome = world.gateway.verify(key=world.stranger.joinpath("verifier.pub").read_text().strip())
    expect(outcome.code == 4, f"a wrong key: verify ended with {outcome.code}: {outcome.out}{outcome.err}")
    outcome = world.gateway.sluice("verify", context.folder / "nothing-here")
    expect(outcome.code == 1, f"no log at all is not a verification: {outcome.code}")
