"""Records reach a topic of Kafka, those of a session in one partition and in order; brokers go and
come, and the gateway is killed."""
import collections
import json
import signal

from harness import wire
from harness.context import ROOT, expect, wait_until
from harness.exported import export_of, is_caught_up, is_complete, metric
from harness.gateway import Gateway
from harness.target import Target

PROGRAM = ROOT / "build/release/tests/scenarios/kafka_cluster"


class Cluster:
    """librdkafka's own mock brokers, in a process of their own."""

    def __init__(self, context):
        expect(PROGRAM.exists(), f"{PROGRAM} is not built")
        self.process = context.start([PROGRAM], name="kafka")
        wait_until(lambda: "\n" in self.process.output(), "the cluster")

    @property
    def brokers(self) -> list[str]:
        return self.process.output().splitlines()[0].split(",")

    def go_down(self) -> None:
        self.process.signal(signal.SIGUSR1)

    def come_up(self) -> None:
        self.process.signal(signal.SIGUSR2)

    def messages(self) -> list[tuple[int, str, dict]]:
        """Partition, key and record, in the order of each partition."""
        lines = self.process.output().splitlines(keepends=True)[1:]
        parts = [line.split(" ", 2) for line in lines if line.endswith("\n")]
        return [(int(partition), key, json.loads(value)) for partition, key, value in parts]

    def indices(self) -> list[int]:
        return [record["index"] for _, _, record in self.messages()]


def key_of(record: dict) -> str:
    return f"{record['epoch']}-{record['session']}" if "session" in record else record["epoch"]


def run(context) -> None:
    cluster, target = Cluster(context), Target(context, keeps_bytes=False)
    kafka = f"kafka: {{brokers: {json.dumps(cluster.brokers)}, topic: audit, timeout: 2s}}"
    nobody = "kafka: {brokers: ['127.0.0.1:1'], topic: audit, timeout: 1s}"
    gateway = Gateway(context, target.port, workers=2, audit=f"""heartbeat: 1h
  exports:
    - {{name: stream, lag_alarm: 3s, {kafka}}}
    - {{name: nobody, lag_alarm: 3s, {nobody}}}""").start()

    asked = 0

    def ask(count: int) -> None:
        """Over one connection, so that a session has many records."""
        nonlocal asked
        asked += count
        with wire.Client(gateway.port) as connection:
            for number in range(count):
                expect(connection.request("GET", f"/path/{number}", [gateway.auth]).status == 200, "refused")

    def has_event(event: str, export: str) -> bool:
        return any(record.get("event") == event and record["detail"].startswith(export) for record in gateway.records())

    ask(50)
    wait_until(lambda: len(set(cluster.indices())) >= 100, "the topic to have all", 30)
    wait_until(lambda: has_event("export-lags", "nobody"), "the alarm about who is not there")
    nobody = export_of(gateway, "nobody")
    expect(nobody["exported"] == 0 and nobody["failures"] > 0 and not nobody["stopped"], f"{nobody}")
    expect(metric(gateway, "sluice_export_lag_seconds", "nobody") >= 1, "the metric of the lag")

    # The brokers go in the midst of traffic, and come back.
    ask(50)
    cluster.go_down()
    ask(100)
    wait_until(lambda: has_event("export-lags", "stream"), "the alarm", 30)
    cluster.come_up()
    wait_until(lambda: has_event("export-caught-up", "stream"), "the end of the alarm", 60)

    # The gateway is killed in the midst of traffic.
    for _ in range(3):
        ask(100)
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    ask(20)
    wait_until(lambda: is_caught_up(gateway, "stream", asked), "all to be there", 30)
    gateway.stop()
    records = gateway.records()
    last = max(cluster.indices())
    expect(last >= len(records) - 20, f"{len(records)} records, exported up to {last}")
    wait_until(lambda: is_complete(cluster.indices(), last + 1), "the topic to have no gap")

    partitions = collections.defaultdict(set)
    come = collections.defaultdict(list)
    for partition, key, record in cluster.messages():
        expect(record == records[record["index"]] | {"index": record["index"]}, f"another record: {record}")
        expect(key == key_of(record), f"{key} is the key of {record}")
        partitions[key].add(partition)
        come[key].append(record["index"])
    expect(all(len(where) == 1 for where in partitions.values()), f"sessions in several partitions: {partitions}")
    expect(len(set().union(*partitions.values())) > 1, "all sessions are in one partition")
    for key, indices in come.items():
        due = [index for index, record in enumerate(records) if key_of(record) == key and index <= last]
        seen = 0  # But for repetitions.
        for index in indices:
            expect(due.index(index) <= seen, f"{key}: {index} came before {due[seen]}")
            seen = max(seen, due.index(index) + 1)
    gateway.expect_verified()
