"""A full and a read-only disk under load: traffic stops with a clear error and a metric,
goes on when the disk is well again, and the log holds all of it."""
import os
import threading
import time

from harness import go_judge, pgwire, prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import ALLOW_ALL, Gateway
from harness.postgres import Cluster, PostgresGateway, program
from harness.small_disk import SmallDisk, enter_namespace
from harness.target import Target


class Caller(threading.Thread):
    """Calls until it is told to stop; a refusal does not stop it."""

    def __init__(self, gateway, name: str):
        super().__init__(daemon=True)
        self._gateway, self._name = gateway, name
        self.answered: list[str] = []
        self.statuses: list[int] = []
        self.is_over = False

    def run(self) -> None:
        number = 0
        while not self.is_over:
            try:
                with wire.Client(self._gateway.port, timeout=20) as client:
                    while not self.is_over:
                        number += 1
                        path = f"/r/{self._name}-{number}/" + "x" * 400
                        reply = client.request("GET", path, [self._gateway.auth])
                        self.statuses.append(reply.status)
                        if reply.status == 200:
                            self.answered.append(path)
                        else:
                            time.sleep(0.01)
            except (OSError, wire.Closed):
                time.sleep(0.01)


def metric(gateway, name: str) -> float:
    return prometheus.parse(gateway.admin("GET", "/metrics")[1])[name]["samples"][(name, ())]


def settings(release: str) -> str:
    return f"release: {release}\n  ring: 1MiB\n  segment: 1MiB"


def on_small_disk(context, gateway) -> SmallDisk:
    """The log moves there; the gateway's other files stay where they are."""
    disk = SmallDisk(context, gateway.folder / "disk", 48)
    gateway.audit = disk.path
    gateway.write(ALLOW_ALL)
    return disk


def fail_and_heal(context, judge, release: str, kind: str, break_disk, heal_disk) -> None:
    target = Target(context, keeps_bytes=False)
    name = f"{release}-{kind.replace(' ', '-')}"
    gateway = Gateway(context, target.port, name=name, workers=2, audit=settings(release))
    disk = on_small_disk(context, gateway)
    gateway.start()
    callers = [Caller(gateway, f"{name}-{index}") for index in range(6)]
    for caller in callers:
        caller.start()
    wait_until(lambda: all(len(caller.answered) > 20 for caller in callers), "traffic", 30)

    break_disk(disk)
    wait_until(lambda: metric(gateway, "sluice_audit_failed") == 1, "the log to fail", 60)
    wait_until(lambda: all(caller.statuses[-1] == 503 for caller in callers), "refusals", 30)
    expect(gateway.admin("GET", "/readyz")[0] == 503, "it still calls itself ready")
    wait_until(lambda: "nothing is released" in gateway.process.output(), "the operator to be told")
    reply = wire.request(gateway.port, "GET", "/r/refused", [gateway.auth])
    expect(reply.status == 503 and b"audit log" in reply.body, f"not a clear error: {reply}")
    answered = sum(len(caller.answered) for caller in callers)
    time.sleep(0.5)
    expect(sum(len(caller.answered) for caller in callers) == answered, "something was released")

    heal_disk(disk)
    wait_until(lambda: metric(gateway, "sluice_audit_failed") == 0, "the log to go on", 30)
    wait_until(lambda: all(caller.statuses[-1] == 200 for caller in callers), "traffic again", 30)
    for caller in callers:
        caller.is_over = True
    for caller in callers:
        caller.join(20)
        expect(set(caller.statuses) == {200, 503}, f"other answers: {set(caller.statuses)}")
    expect(metric(gateway, "sluice_audit_failures_total") >= 1, "the failure was not counted")
    wait_until(lambda: "written again" in gateway.process.output(), "the operator to be told")
    gateway.stop()

    gateway.expect_verified()
    verdict = judge(gateway.audit, gateway.verifier)
    expect(verdict.returncode == 0, f"refused by others: {verdict.stderr}")
    records = gateway.records()
    resumed = [record for record in records if record.get("event") == "log-resumed"]
    expect(resumed and kind in resumed[0]["detail"].lower(), f"no record of the gap: {resumed}")
    recorded = {record["resource"] for record in records if record["phase"] == "intent"}
    answered = {path for caller in callers for path in caller.answered}
    expect(answered <= recorded, f"without a record: {sorted(answered - recorded)[:3]}")
    expect(set(target.seen()) <= recorded, "the target saw what no record tells of")
    allowed = [record for record in records if record.get("ruling") == "allow"]
    outcomes = [record for record in records if record["phase"] == "outcome"]
    expect(len(allowed) == len(outcomes), f"{len(allowed)} intents, {len(outcomes)} outcomes")
    print(f"{name}: {len(answered)} answered, {len(records)} records, {resumed[0]['detail']}")


def postgres_on_a_full_disk(context, release: str) -> None:
    gateway = PostgresGateway(context, Cluster(context), audit=settings(release))
    disk = on_small_disk(context, gateway)
    gateway.start()
    client = pgwire.Client(gateway.port).log_in("tester", gateway.key)
    statement = pgwire.query("SELECT '" + "x" * 1000 + "'")
    expect(client.ask(statement)[-1].tag == "Z", "a statement passes")
    disk.fill()
    told: list = []
    while not told:
        told = [message for message in client.ask(statement) if message.tag == "E"]
    expect(told[0].fields()["C"] == "57P03", f"not a clear error: {told[0].fields()}")
    refused = program(gateway.environment, "psql", "-X", "-d", "shop", "-c", "SELECT 1", check=False)
    expect(refused.returncode == 2 and "audit log" in refused.stderr, f"let in: {refused}")
    disk.empty()
    wait_until(lambda: metric(gateway, "sluice_audit_failed") == 0, "the log to go on", 30)
    expect(gateway.psql("SELECT 'slept' FROM pg_sleep(0.5)") == "slept", "it serves again")
    gateway.stop()
    gateway.expect_complete()


def run(context) -> None:
    if os.geteuid() != 0 or not enter_namespace():
        print("not root: no disk can be mounted here, nothing was tested")
        return
    judge = go_judge.build(context)
    for release in ("recorded", "durable"):
        fail_and_heal(context, judge, release, "no space left", SmallDisk.fill, SmallDisk.empty)
        fail_and_heal(context, judge, release, "read-only", SmallDisk.make_read_only,
                      SmallDisk.make_writable)
    postgres_on_a_full_disk(context, "recorded")
