"""kill -9 at random moments under load, in each mode of release: after each restart the
log is whole to a verifier of others, every request that the target saw has its intent,
and every answer that a client had to its end has its outcome."""
import signal
import threading
import time

from harness import go_judge, wire
from harness.context import expect
from harness.gateway import Gateway
from harness.target import Target


class Caller(threading.Thread):
    """Calls until the gateway dies under it."""

    def __init__(self, gateway, name: str):
        super().__init__(daemon=True)
        self._gateway, self._name = gateway, name
        self.answered: list[str] = []

    def run(self) -> None:
        number = 0
        try:
            with wire.Client(self._gateway.port, timeout=10) as client:
                while True:
                    number += 1
                    path = f"/r/{self._name}-{number}"
                    if client.request("GET", path, [self._gateway.auth]).status == 200:
                        self.answered.append(path)
        except (OSError, wire.Closed, ValueError):
            pass


def finished(records: list[dict]) -> set[str]:
    """Resources of the operations that have an outcome."""
    operation = lambda record: (record["epoch"], record["session"], record["operation"])
    outcomes = {operation(record) for record in records if record["phase"] == "outcome"}
    return {record["resource"] for record in records
            if record["phase"] == "intent" and operation(record) in outcomes}


def kill_again_and_again(context, judge, release: str, rounds: int) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, name=release, workers=2, audit=f"release: {release}")
    answered: set[str] = set()
    for kill in range(rounds):
        gateway.start()
        callers = [Caller(gateway, f"{kill}-{index}") for index in range(6)]
        for caller in callers:
            caller.start()
        time.sleep(context.random.uniform(0.03, 0.5))
        gateway.process.signal(signal.SIGKILL)
        gateway.process.wait()
        for caller in callers:
            caller.join(10)
            expect(not caller.is_alive(), "a caller still waits for a dead gateway")
            answered.update(caller.answered)
    gateway.start()
    report = gateway.expect_verified()
    records = gateway.records()
    recorded = {record["resource"] for record in records if record["phase"] == "intent"}
    seen = set(target.seen())
    print(f"{release}: {rounds} kills, {len(seen)} requests at the target, {report['records']} records")
    expect(len(seen) > rounds, f"only {len(seen)} requests reached the target: nothing was under load")
    expect(seen <= recorded, f"without a record: {sorted(seen - recorded)[:5]}")
    expect(answered <= seen, "an answer came from nowhere")
    expect(report["gaps"] == 0, "a killed gateway's rings have all that the log has not")
    lost = answered - finished(records)
    expect(not lost, f"answered without an outcome: {sorted(lost)[:5]}")
    gateway.stop()
    gateway.expect_verified()
    verdict = judge(gateway.audit, gateway.verifier)
    expect(verdict.returncode == 0, f"refused by others: {verdict.stderr}")


def kill_with_its_host(context) -> None:
    """What a power cut takes, too: the rings. The log says that something may be missing."""
    gateway = Gateway(context, Target(context, keeps_bytes=False).port, name="host")
    gateway.start()
    wire.request(gateway.port, "GET", "/r/last", [gateway.auth])
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    for ring in gateway.audit.glob("ring-*"):
        ring.unlink()
    gateway.start()
    gateway.stop()
    expect(gateway.expect_verified()["gaps"] == 1, "the gap is not told")
    gaps = [record["event"] for record in gateway.records() if record["phase"] == "gap"]
    expect(gaps == ["epoch-cut"], f"{gaps}")


def run(context) -> None:
    judge = go_judge.build(context)
    kill_with_its_host(context)
    for release in ("recorded", "durable"):
        kill_again_and_again(context, judge, release, 100 if context.full else 6)
