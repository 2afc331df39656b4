"""Ten kill -9 at random moments under load: after each restart the log verifies,
and every request that the target saw has its record."""
import signal
import threading
import time

from harness import wire
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


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, workers=2)
    rounds = 200 if context.full else 10
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
    recorded = {record["resource"] for record in gateway.intents()}
    seen = set(target.seen())
    print(f"{rounds} kills, {len(seen)} requests at the target, {report['records']} records")
    expect(len(seen) > rounds * 10, f"only {len(seen)} requests reached the target: nothing was under load")
    expect(seen <= recorded, f"without a record: {sorted(seen - recorded)[:5]}")
    expect(answered <= seen, "an answer came from nowhere")
    gateway.stop()
    gateway.expect_verified()
