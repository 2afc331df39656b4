"""Each way to tamper with a log is found: `sluice verify` ends with 4 and says where."""
import shutil

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.segments import HEAD, copied, edit_record, is_record, rewrite
from harness.target import Target


class Copy:
    """A copy of the log to spoil."""

    def __init__(self, gateway: Gateway, name: str):
        self._gateway, self._name = gateway, name
        self.folder = gateway.folder / f"copy-{name}"
        copied(gateway.audit, self.folder)

    def segments(self):
        return sorted(self.folder.glob("segment-*.log"))

    def expect_rejected(self) -> None:
        outcome = self._gateway.verify(self.folder)
        expect(outcome.code == 4, f"{self._name}: verify ended with {outcome.code}: {outcome.out}{outcome.err}")
        report = outcome.json()
        expect(report["ok"] is False and report["fault"], f"{self._name}: {report}")
        print(f"{self._name}: {report['fault']} ({report['where']})")
        shutil.rmtree(self.folder)


def remove_record(all_frames):
    index = [i for i, frame in enumerate(all_frames) if is_record(frame)][3]
    return all_frames[:index] + all_frames[index + 1:]


def swap_records(all_frames):
    first, second = [i for i, frame in enumerate(all_frames) if is_record(frame)][2:4]
    swapped = list(all_frames)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped


def edit_evidence(all_frames):
    return edit_record(all_frames, b"/evidence", b"/innocent")


def duplicate_record(all_frames):
    index = [i for i, frame in enumerate(all_frames) if is_record(frame)][3]
    return all_frames[:index] + [all_frames[index]] + all_frames[index:]


def cut_behind_checkpoint(all_frames):
    """Ends the log cleanly at an earlier commit."""
    commits = [i for i, frame in enumerate(all_frames) if frame[HEAD.size] == ord("C")]
    expect(len(commits) > 2, "too few commits to cut one off")
    return all_frames[:commits[len(commits) // 2] + 1]


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, audit="segment: 1MiB").start()

    def traffic(requests: int, size: int) -> None:
        with wire.Client(gateway.port) as client:
            for number in range(requests):
                client.request("GET", f"/evidence/{number}/" + "x" * size, [gateway.auth])

    # Enough for several segments, and a copy of the log as it was in between.
    traffic(450, 3500)
    gateway.stop()
    gateway.start()
    traffic(50, 3500)
    wait_until(lambda: len(gateway.intents()) == 500, "the records to be in segments")
    earlier = Copy(gateway, "earlier")
    traffic(400, 3500)
    gateway.stop()
    report = gateway.expect_verified()
    expect(report["segments"] >= 3, f"not enough segments for this scenario: {report}")

    untouched = Copy(gateway, "untouched")
    expect(gateway.verify(untouched.folder).code == 0, "a plain copy does not verify")
    total = sum(path.stat().st_size for path in untouched.segments())
    for _ in range(1000 if context.full else 20):
        copy = Copy(gateway, "flipped bit")
        offset = context.random.randrange(total)
        for path in copy.segments():
            size = path.stat().st_size
            if offset < size:
                data = bytearray(path.read_bytes())
                data[offset] ^= 1 << context.random.randrange(8)
                path.write_bytes(data)
                break
            offset -= size
        copy.expect_rejected()

    by_size = sorted(untouched.segments(), key=lambda path: path.stat().st_size)
    for name in (by_size[-1].name, by_size[-2].name):
        for change in (remove_record, swap_records, edit_evidence, duplicate_record):
            copy = Copy(gateway, f"{change.__name__} in {name}")
            rewrite(copy.folder / name, change)
            copy.expect_rejected()

    copy = Copy(gateway, "a segment cut at an earlier commit")
    rewrite(copy.folder / by_size[-1].name, cut_behind_checkpoint)
    copy.expect_rejected()
    copy = Copy(gateway, "last segment cut in a frame")
    path = copy.segments()[-1]
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    copy.expect_rejected()
    copy = Copy(gateway, "last segment missing")
    copy.segments()[-1].unlink()
    copy.expect_rejected()
    copy = Copy(gateway, "first segment missing")
    copy.segments()[0].unlink()
    copy.expect_rejected()
    copy = Copy(gateway, "a segment replaced by its older state")
    older = earlier.segments()[-1]
    expect(older.read_bytes() != (copy.folder / older.name).read_bytes(), "the segment did not grow")
    shutil.copy(older, copy.folder / older.name)
    copy.expect_rejected()
    copy = Copy(gateway, "two segments exchanged")
    first, second = copy.segments()[:2]
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    first.write_bytes(second_bytes)
    second.write_bytes(first_bytes)
    copy.expect_rejected()

    other = gateway.sluice("key", "signing", "--file", gateway.folder / "other.key", "--origin",
                           "scenario.test", "--json", check=True).json()["verifier"]
    outcome = gateway.verify(key=other)
    expect(outcome.code == 4, f"a wrong key: verify ended with {outcome.code}: {outcome.out}{outcome.err}")
    outcome = gateway.sluice("verify", gateway.folder / "nothing-here")
    expect(outcome.code == 1, f"no log at all is not a verification: {outcome.code}")
