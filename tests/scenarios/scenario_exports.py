"""Records reach other systems while the gateway runs: rsyslog over TLS, files, locked objects in a
bucket. Each at least once and in order, whatever is killed; a destination that is away is reported
and holds up nothing."""
import json
import re
import shutil
import signal

from harness import wire
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.exported import export_of, is_complete, is_in_order, metric
from harness.gateway import Gateway
from harness.processes import free_port
from harness.storage import Storage
from harness.target import Target

NAME = "siem.example.com"
RSYSLOG = """
global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{folder}/authority.crt"
       defaultNetstreamDriverCertFile="{folder}/{name}.crt" defaultNetstreamDriverKeyFile="{folder}/{name}.key"
       maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="line" type="string" string="%pri%|%timereported:::date-rfc3339%|%hostname%|%app-name%|%msgid%|%msg%\\n")
action(type="omfile" file="{folder}/received" template="line")
input(type="imtcp" port="{port}" address="127.0.0.1")
"""


class Siem:
    """rsyslog that takes TLS only; it comes and goes."""

    def __init__(self, context):
        self.context, self.port = context, free_port()
        self.folder = context.folder / "siem"
        self.folder.mkdir()
        expect(shutil.which("rsyslogd"), "no rsyslogd here: scripts/install_packages.sh test")
        authority = Authority(self.folder)
        authority.issue(NAME, f"DNS:{NAME}")
        (self.folder / "rsyslog.conf").write_text(RSYSLOG.format(folder=self.folder, port=self.port, name=NAME))

    def start(self):
        self.process = self.context.start(["rsyslogd", "-n", "-f", self.folder / "rsyslog.conf", "-i",
                                           self.folder / "pid"], name="rsyslogd")
        return self

    def stop(self) -> None:
        self.process.stop()

    def messages(self) -> list[tuple]:
        path = self.folder / "received"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(line.split("|", 5)) for line in lines]

    def indices(self) -> list[int]:
        return [json.loads(message[5])["metadata"]["sequence"] for message in self.messages()]


def written(folder) -> list[dict]:
    return [json.loads(line) for path in sorted(folder.glob("files-*.log")) for line in path.read_text().splitlines()]


def run(context) -> None:
    siem, target, folder = Siem(context), Target(context, keeps_bytes=False), context.folder / "exported"
    storage = Storage(context, locks=True)
    (context.folder / "secret").write_text(Storage.SECRET_KEY)
    s3 = f"""endpoint: "{storage.endpoint}", region: {Storage.REGION}, bucket: {Storage.BUCKET}, linger: 500ms,
         secret_key: "file:{context.folder}/secret", batch: 64KiB, access_key"""
    syslog = f"syslog: {{addresses: ['127.0.0.1:{siem.port}'], ca: file:{siem.folder}/authority.crt, server_name: "
    gateway = Gateway(context, target.port, workers=2, audit=f"""heartbeat: 1h
  exports:
    - {{name: siem, format: ocsf, lag_alarm: 1s, {syslog}{NAME}}}}}
    - {{name: impostor, format: cef, lag_alarm: 1h, {syslog}other.example.com}}}}
    - {{name: vault, s3: {{{s3}: {Storage.ACCESS_KEY}, prefix: gw/1/, lock: {{days: 30}}}}}}
    - {{name: thief, s3: {{{s3}: AKOTHER}}}}
    - {{name: files, format: ecs, file: {{directory: {folder}, rotate: 64KiB}}}}""").start()

    def ask(count: int) -> None:
        for number in range(count):
            reply = wire.request(gateway.port, "GET", f"/path/{number}?x=%0a%1b[31m", [gateway.auth])
            expect(reply.status == 200, f"refused: {reply.status}")

    def expect_received() -> None:
        """What rsyslog's socket has taken is lost with it until it has read it."""
        wait_until(lambda: len(set(siem.indices())) == len(gateway.records()), "rsyslog to have all", 60)

    # Nobody is there: traffic goes on, and it is said.
    ask(50)
    wait_until(lambda: any(record.get("event") == "export-lags" for record in gateway.records()), "the alarm")
    away = export_of(gateway, "siem")
    expect(away["exported"] == 0 and away["failures"] > 0 and "refused" in away["last_error"], f"status says {away}")
    expect(metric(gateway, "sluice_export_lag_seconds", "siem") >= 1, "the metric of the lag")
    expect(metric(gateway, "sluice_export_pending_records", "siem") >= 50, "the metric of what is pending")
    wait_until(lambda: sum("url" in line for line in written(folder)) >= 50, "the files, which are there")

    siem.start()
    wait_until(lambda: any(record.get("event") == "export-caught-up" for record in gateway.records()),
               "the end of the alarm", 60)
    wait_until(lambda: "certificate" in export_of(gateway, "impostor")["last_error"], "the impostor's refusal", 60)
    impostor = export_of(gateway, "impostor")
    expect(impostor["exported"] == 0, f"the impostor got in: {impostor}")

    expect_received()

    wait_until(lambda: "403 SignatureDoesNotMatch" in export_of(gateway, "thief")["last_error"], "the thief's refusal", 60)
    thief = export_of(gateway, "thief")
    expect(thief["exported"] == 0, f"a wrong key: {thief}")
    wait_until(lambda: len(storage.lines()) >= 50, "the bucket")
    storage.fails = 3

    # The other side goes and comes; then the gateway is killed in the midst of traffic.
    siem.stop()
    ask(100)
    siem.start()
    ask(100)
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    ask(20)
    gateway.stop()

    gateway.start()
    wait_until(lambda: export_of(gateway, "siem")["exported"] > 0 and export_of(gateway, "siem")["lag_seconds"] == 0
               and export_of(gateway, "vault")["lag_seconds"] == 0
               and export_of(gateway, "files")["lag_seconds"] == 0, "all to be as far as the log", 60)
    expect_received()
    gateway.stop()
    siem.stop()
    records = gateway.records()
    last = min(max(siem.indices()), max(line["event"]["sequence"] for line in written(folder)))
    expect(last >= len(records) - 10, f"{len(records)} records, exported up to {last}")
    lines, objects = written(folder), [json.loads(line) for line in storage.lines()]
    for what, indices in (("syslog", siem.indices()), ("files", [line["event"]["sequence"] for line in lines]),
                          ("the bucket", [line["index"] for line in objects])):
        expect(is_complete(indices, max(indices) + 1), f"{what} has gaps")
        expect(is_in_order(indices), f"{what} is not in order")
    expect(len(list(folder.glob("files-*.log"))) >= 3, "the files were not rotated")

    for message in siem.messages():
        event = json.loads(message[5])
        record = records[event["metadata"]["sequence"]]
        expect(event["unmapped"] == record, f"rsyslog has {event['unmapped']}, the log {record}")
        expect(message[0] in ("108", "110") and message[2] == "scenario.test" and message[4] == record["phase"],
               f"the header is {message[:5]}")
        expect(message[1][:19] == record["time"][:19], f"the time is {message[1]}, not {record['time']}")
    for line in lines:
        expect(line["sluice"] == records[line["event"]["sequence"]], "a file's line is another record")
    for line in objects:
        expect(line == records[line["index"]] | {"index": line["index"]}, "an object's line is another record")
    expect(set(storage.refusals) == {"SlowDown", "SignatureDoesNotMatch"}, f"refused: {set(storage.refusals)}")
    for key, until in storage.locked_until.items():
        expect(re.fullmatch(r"gw/1/\d{20}-\d+\.log", key) and until, f"the object {key} is locked until '{until}'")
    gateway.expect_verified()
