"""Records reach an OpenTelemetry collector: one that is away, that puts off, that refuses for good,
and while the gateway is killed."""
import json
import signal

from harness import wire
from harness.collector import Collector, attributes
from harness.context import expect, wait_until
from harness.exported import export_of, is_caught_up, is_complete, is_in_order, metric
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target


def run(context) -> None:
    collector, target = Collector(context), Target(context, keeps_bytes=False)
    (context.folder / "token").write_text(Collector.TOKEN)
    (context.folder / "other").write_text("Bearer of-nobody")
    https = f"ca: file:{collector.authority.ca}, linger: 100ms"
    credential = lambda file: f"credential: {{header: Authorization, value: 'file:{context.folder}/{file}'}}"
    gateway = Gateway(context, target.port, workers=2, audit=f"""heartbeat: 1h
  exports:
    - {{name: logs, otlp: {{endpoint: "{collector.endpoint}", batch: 16KiB, {credential('token')}, {https}}}}}
    - {{name: stranger, otlp: {{endpoint: "{collector.endpoint}", {credential('other')}, {https}}}}}
    - {{name: impostor, otlp: {{endpoint: "{collector.endpoint}", linger: 100ms}}}}
    - {{name: away, lag_alarm: 1s, otlp: {{endpoint: "http://127.0.0.1:{free_port()}", linger: 100ms}}}}""").start()

    asked = 0

    def ask(count: int) -> None:
        nonlocal asked
        asked += count
        for number in range(count):
            reply = wire.request(gateway.port, "GET", f"/path/{number}?x=%0a", [gateway.auth])
            expect(reply.status == 200, f"refused: {reply.status}")

    def has_all() -> bool:
        return is_caught_up(gateway, "logs", asked)

    def events(name: str) -> list[dict]:
        return [record for record in gateway.records() if record.get("event") == name]

    # Who is not there, and who is not let in, holds up nobody. The one is tried again, the other not.
    ask(50)
    expect(wire.request(gateway.port, "GET", "/forbidden/it", [gateway.auth]).status == 403, "denied")
    wait_until(lambda: any(one["detail"].startswith("away: ") for one in events("export-lags")), "the alarm")
    wait_until(lambda: export_of(gateway, "stranger")["stopped"], "the stranger to be refused")
    expect(export_of(gateway, "stranger")["last_error"] == "the collector answered 401: who are you?",
           f"{export_of(gateway, 'stranger')}")
    expect(metric(gateway, "sluice_export_stopped", "stranger") == 1, "the metric of what has stopped")
    impostor, away = export_of(gateway, "impostor"), export_of(gateway, "away")
    expect("certificate" in impostor["last_error"] and not impostor["stopped"], f"{impostor}")
    expect(away["exported"] == 0 and away["failures"] > 1 and not away["stopped"], f"{away}")
    wait_until(lambda: len(collector.records) >= 100 and has_all(), "the collector to have all", 30)

    # Put off: again, and not before the collector wants it.
    collector.times.clear()
    collector.answers = [(429, {"Retry-After": "2"}, {}), (503, {}, {"message": "busy"}), (502, {}, {}), (504, {}, {})]
    ask(20)
    wait_until(lambda: not collector.answers and has_all(), "what was put off", 30)
    expect(collector.times[1] - collector.times[0] >= 1.9, f"it came back too soon: {collector.times[:2]}")

    # Refused for good: it stops, says so, and skips nothing; a reload tries again.
    for refusal in ((400, {}, {"message": "bad batch"}),
                    (200, {}, {"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}})):
        before, stops = len(collector.records), len(events("export-stopped"))
        collector.answers = [refusal]
        ask(5)
        wait_until(lambda: export_of(gateway, "logs")["stopped"], "the export to stop")
        requests = len(collector.times)
        ask(5)
        wait_until(lambda: len(events("export-stopped")) > stops, "the event")
        detail = events("export-stopped")[-1]["detail"]
        expect(detail.startswith("logs: ") and ("bad batch" in detail or "too old" in detail), detail)
        expect(len(collector.records) == before and len(collector.times) == requests, "it was tried again")
        gateway.sluice("reload", "-c", gateway.configuration, check=True)
        wait_until(has_all, "what was refused, after the reload")
        expect(not export_of(gateway, "logs")["stopped"], "it has not stopped any more")

    # A warning is none of these.
    collector.answers = [(200, {}, {"partialSuccess": {"rejectedLogRecords": "0", "errorMessage": "slow"}})]
    ask(1)
    wait_until(lambda: not collector.answers and has_all(), "a warning")

    # The gateway is killed in the midst of traffic.
    ask(100)
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    ask(20)
    wait_until(has_all, "all to be there", 30)
    gateway.stop()
    records = gateway.records()
    indices = collector.indices()
    last = max(indices)
    expect(last >= len(records) - 20, f"{len(records)} records, exported up to {last}")
    expect(is_complete(indices, last + 1), "the collector has gaps")
    expect(is_in_order(indices), "the collector's records are not in order")
    expect(not collector.faults, f"not as the specification says: {collector.faults[:3]}")
    for log in collector.records:
        told = attributes(log["attributes"])
        record = records[told["sluice.index"]]
        expect(json.loads(log["body"]["stringValue"]) == record | {"index": told["sluice.index"]}, f"{log}")
        expect(told["log.record.uid"] == f"{record['epoch']}-{record['worker']}-{record['sequence']}", f"{told}")
        is_denied = record.get("ruling") == "deny"
        expect((log["severityNumber"], log["severityText"]) == ((13, "WARN") if is_denied else (9, "INFO")), f"{log}")
    expect(any(log["severityNumber"] == 13 for log in collector.records), "the denial")
    expect(all(one["service.instance.id"] == "scenario.test" for one in collector.resources), "the resource")
    gateway.expect_verified()
