"""Reload under traffic: connections stay, a new deny rule binds the next request,
and a broken file keeps the last good configuration."""
import signal
import threading

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import ALLOW_ALL, DENY_FORBIDDEN, Gateway
from harness.target import Target

DENY_LATE = """
  - name: late
    operations: {http: {paths: ["/late"]}}
    ruling: deny
"""


class Traffic(threading.Thread):
    """One connection that must never break."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self._gateway = gateway
        self._stopping = threading.Event()
        self.count = 0
        self.fault = ""

    def run(self) -> None:
        try:
            with wire.Client(self._gateway.port) as client:
                while not self._stopping.is_set():
                    reply = client.request("GET", "/steady", [self._gateway.auth])
                    expect(reply.status == 200, f"status {reply.status}")
                    self.count += 1
        except Exception as fault:
            self.fault = repr(fault)

    def finish(self) -> None:
        self._stopping.set()
        self.join(10)
        expect(not self.fault, f"the connection broke after {self.count} requests: {self.fault}")
        expect(self.count > 0, "no traffic")


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, workers=2).start()
    traffic = [Traffic(gateway) for _ in range(8)]
    for thread in traffic:
        thread.start()

    with wire.Client(gateway.port) as client:
        def status(path: str) -> int:
            return client.request("GET", path, [gateway.auth]).status

        expect(status("/late") == 200, "/late is allowed at first")
        for _ in range(20 if context.full else 5):
            # In force when the verb returns, on a connection that was open before.
            gateway.write(ALLOW_ALL + DENY_FORBIDDEN + DENY_LATE)
            gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
            expect(status("/late") == 403, "the new rule did not bind the next request")
            gateway.write(ALLOW_ALL + DENY_FORBIDDEN)
            gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
            expect(status("/late") == 200, "the rule's removal did not bind the next request")

        # SIGHUP does the same, in its own time.
        gateway.write(ALLOW_ALL + DENY_LATE)
        gateway.process.signal(signal.SIGHUP)
        wait_until(lambda: status("/late") == 403, "SIGHUP to take effect")

        # A broken file: the reason is told, and what was in force stays.
        good = gateway.configuration.read_text()
        for broken in (good + "nonsense: true\n", good.replace("port", "prot").replace("ruling", "rulnig"),
                       "version: 1\n", "", good.replace('paths: ["/late"]', 'paths: ["late"]')):
            gateway.configuration.write_text(broken)
            outcome = gateway.sluice("reload", "--socket", gateway.admin_socket)
            expect(outcome.code == 3, f"reload of a broken file ended with {outcome.code}: {outcome.err}")
            expect("sluice.yaml:" in outcome.err or "missing" in outcome.err, f"no place in: {outcome.err}")
            expect(status("/late") == 403 and status("/other") == 200, "the last good one is not in force")
        gateway.process.signal(signal.SIGHUP)
        gateway.configuration.write_text(good)
        expect(status("/other") == 200, "SIGHUP with a broken file stopped the service")

    for thread in traffic:
        thread.finish()
    events = [record.get("event") for record in gateway.records() if record["phase"] == "control"]
    expect("reloaded" in events, f"reloads are not recorded: {events}")
    gateway.stop()
    gateway.expect_verified()
