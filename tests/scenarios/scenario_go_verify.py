"""Go's own transparency log packages accept a real log, and refuse a forged one."""
from harness import go_judge, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.segments import copied, edit_record, rewrite
from harness.target import Target


def run(context) -> None:
    judge = go_judge.build(context)
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, workers=2, audit="segment: 1MiB").start()

    def traffic(requests: int) -> None:
        for number in range(requests):  # a connection each, so that both workers take part
            path = f"/evidence/{number}/" + "x" * 3000
            expect(wire.request(gateway.port, "GET", path, [gateway.auth]).status == 200, "allowed")

    # Several segments and checkpoints; one process is killed, its records recovered.
    traffic(150)
    gateway.process.kill()
    gateway.start()
    traffic(150)
    wait_until(lambda: len(gateway.intents()) == 300, "the records to be in segments")
    while_running = judge(gateway.audit, gateway.verifier)
    expect(while_running.returncode == 0, f"of a running gateway: {while_running.stderr}")
    gateway.stop()

    report = gateway.expect_verified()
    expect(report["segments"] >= 2 and report["checkpoints"] >= 5, f"too small a log: {report}")
    verdict = judge(gateway.audit, gateway.verifier)
    print(verdict.stdout.strip())
    expect(verdict.returncode == 0, f"refused: {verdict.stderr}")
    expect(verdict.stdout.startswith(f"{report['records']} records are in the tree of "
                                     f"{report['checkpoints']} checkpoints"), verdict.stdout)

    other = gateway.sluice("key", "signing", "--file", gateway.folder / "other.key", "--origin",
                           "scenario.test", "--json", check=True).json()["verifier"]
    expect(judge(gateway.audit, other).returncode == 1, "another key's signature was accepted")
    forged = gateway.folder / "forged"
    copied(gateway.audit, forged)
    # What a killed gateway had in its rings only is in the segment behind.
    segment = next(path for path in sorted(forged.glob("segment-*.log")) if b"/evidence" in path.read_bytes())
    rewrite(segment, lambda frames: edit_record(frames, b"/evidence", b"/innocent"))
    verdict = judge(forged, gateway.verifier)
    expect(verdict.returncode == 1 and "another root" in verdict.stderr, f"forged: {verdict}")
