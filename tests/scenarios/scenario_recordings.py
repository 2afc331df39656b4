"""Sessions recorded in full, with psql and curl before the gateway: replayed by sluice, opened by age,
and every chunk held to the log. Nothing that masks hide is in them."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

from harness import wire
from harness.auditor import Auditor, recordings_of, section
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.postgres import Cluster, PostgresGateway
from harness.segments import HEAD, copied, is_record, rewrite
from harness.target import Target, json_reply

CARD, SSN, CONSTANT = "4111111111111111", "123-45-6789", "constant-77113"
SETUP = f"""
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text, card text);
INSERT INTO customers SELECT n, 'name ' || n, '{SSN}', '{CARD}' FROM generate_series(1, 500) n;
CREATE TABLE notes (line text);
"""
POLICIES = """
  - name: testers may much
    principals: {groups: [testers]}
    ruling: allow
  - name: customers are watched
    principals: {groups: [testers]}
    operations: {sql: {relations: [public.customers]}}
    ruling: allow
    record: full
  - name: no truncate
    operations: {sql: {classes: [truncate]}}
    ruling: deny
"""
MASKS = """
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
  - {name: ssn, find: {columns: [customers.ssn]}, show: redact}
"""
HTTP_POLICIES = """
  - name: pay
    principals: {groups: [testers]}
    operations: {http: {paths: ["/pay/**"]}}
    ruling: allow
    record: full
  - name: rest
    principals: {groups: [testers]}
    ruling: allow
"""


def chunks(folder: pathlib.Path, recording: str) -> list[pathlib.Path]:
    found = folder / recording
    return sorted((found if found.exists() else folder / f"{recording}.open").glob("*.age"))


def expect_nothing_planted(auditor: Auditor, folder: pathlib.Path, planted: list[str]) -> None:
    """What age opens, not only what replay shows."""
    for path in folder.rglob("*.age"):
        plain = auditor.age(path)
        expect(plain is not None and b"sluice-recording1" in plain, f"age does not open {path}")
        sealed = path.read_bytes()
        for secret in planted:
            expect(secret.encode() not in plain, f"{secret} is in {path}")
            expect(secret.encode() not in sealed, f"{secret} is in the clear in {path}")


def verify(gateway: Gateway, folder: pathlib.Path):
    return gateway.sluice("verify", gateway.audit, "--key", gateway.verifier, "--recordings", folder, "--json")


def database(context, auditor: Auditor) -> None:
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    folder = context.folder / "recordings"
    gateway = PostgresGateway(context, cluster, policies=POLICIES, masks=MASKS,
                              more=section(auditor, folder, ", chunk: 16KiB"))
    checked = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("recorded in full" in checked, checked)
    gateway.start()
    gateway.psql("INSERT INTO notes VALUES ('not watched')")
    expect(not recordings_of(gateway.records()), "a session was recorded that no rule asks for")
    gateway.psql("SELECT id, name, ssn, card FROM customers WHERE id <= 3 AND name <> '%s' ORDER BY id" % CONSTANT,
                 "SELECT count(*) FROM notes", "SELECT NULL AS nothing, e'\\x1b[31mred' AS colour")
    denied = subprocess.run(["/usr/lib/postgresql/15/bin/psql", "-X", "-c", "SELECT * FROM customers WHERE id = 1",
                             "-c", "TRUNCATE customers", "-c", "SELECT no_such FROM customers"],
                            env=gateway.environment, capture_output=True, text=True, timeout=60)
    expect("policy refused" in denied.stderr, denied.stderr)
    wait_until(lambda: sum(r.get("event") == "recording-closed" for r in gateway.records()) == 2,
               "both recordings to be closed")
    records = gateway.records()
    first, second = recordings_of(records)

    # Statements, tables, refusals and errors, as the client saw them.
    text = auditor.replay(gateway, first)
    for part in ("PostgreSQL session", "tester", "from customers where id <= ?", " id | name", "411111******1111",
                 "[redacted]", "SELECT 3", "select count(*) from notes", "NULL", "\\x1b[31mred"):
        expect(part in text, f"{part!r} is not in the replay:\n{text}")
    expect("\x1b" not in text, "the replay lets a terminal be steered")
    cast = context.folder / "session.cast"
    cast.write_text(auditor.replay(gateway, first, "--asciicast"))
    # It asks for a terminal, which script(1) has.
    played = subprocess.run(["script", "-qec", f"asciinema cat {cast}", "/dev/null"], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60,
                            env=os.environ | {"HOME": str(context.folder), "LC_ALL": "C.UTF-8"})
    expect(played.stdout.replace("\r\n", "\n") == text, f"asciinema shows something else: {played}")
    refused = auditor.replay(gateway, second)
    expect("the gateway's policy refused the statement" in refused and "42703" in refused, refused)
    events = auditor.events(gateway, first)
    rows = [event["values"] for event in events if event["kind"] == "row"]
    expect(rows[0] == ["1", "name 1", "[redacted]", "411111******1111"], f"{rows[0]}")
    operations = {r["operation"] for r in records if r.get("recording") == first and r["phase"] == "intent"}
    expect({e["operation"] for e in events} == operations, "replay and log count operations otherwise")
    found = auditor.events(gateway, first, "--search", "name 2")
    expect([e["kind"] for e in found] == ["statement", "columns", "row"], f"{found}")

    # A large result in many chunks: from the middle only what is behind is read.
    gateway.psql("SELECT a.id, a.name, a.ssn FROM customers a, customers b WHERE b.id <= 100")
    wait_until(lambda: sum(r.get("event") == "recording-closed" for r in gateway.records()) == 3, "the third")
    third = recordings_of(gateway.records())[2]
    parts = chunks(folder, third)
    expect(len(parts) > 20, f"{len(parts)} chunks")
    expect(sum(e["kind"] == "row" for e in auditor.events(gateway, third)) == 50_000, "rows are missing")
    middle = int(parts[len(parts) // 2].name.split("-")[1])
    at = subprocess.run(["date", "-u", "-d", f"@{middle // 10**9}.{middle % 10**9:09}", "+%FT%T.%NZ"],
                        capture_output=True, text=True, check=True).stdout.strip()
    later = auditor.events(gateway, third, "--at", at)
    expect(later[0]["kind"] == "columns" and "time" not in later[0], f"{later[0]}")
    expect(0 < sum(e["kind"] == "row" for e in later) < 50_000, "not from the middle")

    expect_nothing_planted(auditor, folder, [CARD, SSN, CONSTANT, gateway.key, "of-the-target"])
    stranger = Auditor(context, "stranger")
    expect(stranger.age(parts[0]) is None, "a stranger opens a recording")
    expect(gateway.sluice("replay", first, "--identity", stranger.identity, "-c", gateway.configuration).code == 1,
           "a stranger replays a recording")
    metrics = gateway.admin("GET", "/metrics")[1]
    expect("\nsluice_recordings_open 0\n" in metrics and "\nsluice_recordings_full 0\n" in metrics, "metrics")

    # Killed: what was written is kept, and the next start says so.
    client = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At"], env=gateway.environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write("SELECT a.id, a.name, a.ssn FROM customers a, customers b WHERE b.id <= 20;\n")
    client.stdin.flush()
    for _ in range(10_000):
        client.stdout.readline()
    wait_until(lambda: any(folder.glob("*.open/*.age")), "a chunk of the open recording")
    gateway.process.kill()
    client.kill()
    gateway.start()
    ended = lambda: [r for r in gateway.records() if r.get("event") == "recording-cut"]
    wait_until(ended, "the cut recording's record")
    cut = ended()
    expect(len(cut) == 1 and "the gateway was killed" in cut[0]["detail"], f"{cut}")
    expect(auditor.events(gateway, cut[0]["recording"])[0]["kind"] == "statement", "what was written is lost")
    gateway.stop()

    good = verify(gateway, folder)
    expect(good.code == 0 and good.json()["recordings"]["recordings"] == 4 and
           good.json()["recordings"]["unfinished"] == 0, good.out)
    evidence(context, auditor, gateway, first)
    for name, tamper in (("a changed byte", lambda p: p[3].write_bytes(p[3].read_bytes()[:-1] + b"\0")),
                         ("a missing chunk", lambda p: p[3].unlink()),
                         ("the last chunk gone", lambda p: p[-1].unlink()),
                         ("a cut chunk", lambda p: p[3].write_bytes(p[3].read_bytes()[:-100])),
                         ("two chunks swapped", swap),
                         ("another recording's chunk", lambda p: shutil.copy(chunks(p[0].parents[1], first)[0], p[0]))):
        copy = context.folder / "tampered"
        shutil.copytree(folder, copy)
        tamper(chunks(copy, third))
        answer = verify(gateway, copy)
        expect(answer.code == 4 and not answer.json()["ok"], f"{name} is not noticed: {answer.out}")
        shutil.rmtree(copy)


def evidence(context, auditor: Auditor, gateway: Gateway, recording: str) -> None:
    """Packages have the chunks of their range, for both verifiers to check and for age to open."""
    session = recording.split("-")[1]
    whole, filtered = context.folder / "whole.zip", context.folder / "session.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", whole, check=True)
    gateway.sluice("evidence", "-c", gateway.configuration, "--session", session, "-o", filtered, check=True)
    for package, recordings in ((whole, 4), (filtered, 1)):
        answer = gateway.sluice("verify", package, "--key", gateway.verifier, "--json")
        expect(answer.code == 0 and answer.json()["recordings"] == recordings, f"{answer.out}")
        out = context.folder / f"unpacked-{recordings}"
        with zipfile.ZipFile(package) as files:
            files.extractall(out)
        script = subprocess.run([sys.executable, "-I", out / "verify.py", package, gateway.verifier],
                                capture_output=True, text=True, timeout=120)
        expect(script.returncode == 0, f"verify.py: {script.stdout}{script.stderr}")
        expect(auditor.age(chunks(out / "recordings", recording)[0]) is not None, "age does not open a packed chunk")
        shown = gateway.sluice("replay", recording, "--identity", auditor.identity, "--directory", out / "recordings",
                               check=True).out
        expect("411111******1111" in shown, shown)
    bare = context.folder / "bare.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "--without-recordings", "-o", bare, check=True)
    answer = gateway.sluice("verify", bare, "--key", gateway.verifier, "--json")
    expect(answer.code == 0 and answer.json()["chunks"] == 0, answer.out)


def swap(parts: list[pathlib.Path]) -> None:
    one, other = parts[1].read_bytes(), parts[2].read_bytes()
    parts[1].write_bytes(other)
    parts[2].write_bytes(one)


def http(context, auditor: Auditor) -> None:
    planted = {"cookie": "cookie-planted-1", "set": "cookie-planted-2", "target": "target-credential-551"}
    target = Target(context, lambda request: json_reply(
        '{"card":"%s","text":"\x1b[2Jdone"}'.replace("\x1b", "\\u001b") % CARD, headers=[("Set-Cookie", planted["set"])]))
    credential = context.folder / "http-credential"
    credential.write_text(f"Bearer {planted['target']}")
    folder = context.folder / "http-recordings"
    gateway = Gateway(context, target.port, name="http", policies=HTTP_POLICIES, masks=MASKS.split("\n  - {name: ssn")[0],
                      target=f'credential: {{header: Authorization, value: "file:{credential}"}}',
                      more=section(auditor, folder)).start()
    body = json.dumps({"pan": CARD, "note": "hello"})
    done = subprocess.run(
        ["curl", "-s", "-H", f"Authorization: Bearer {gateway.key}", "-H", f"Cookie: s={planted['cookie']}",
         "-H", "Content-Type: application/json", "-d", body, f"http://127.0.0.1:{gateway.port}/pay/{CARD}?x=1",
         "--next", "-s", "-H", f"Authorization: Bearer {gateway.key}", f"http://127.0.0.1:{gateway.port}/other"],
        capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0 and "411111******1111" in done.stdout, f"{done}")
    expect(CARD in bytes(target.received).decode("latin-1"), "the target needs the request as it was")
    wait_until(lambda: any(r.get("event") == "recording-closed" for r in gateway.records()), "the recording's end")
    records = gateway.records()
    recorded = [r for r in records if r["phase"] == "intent" and "recording" in r]
    expect(len(recorded) == 1 and recorded[0]["rule"] == "pay", f"{recorded}")
    recording = recorded[0]["recording"]
    events = auditor.events(gateway, recording)
    expect([e["kind"] for e in events] == ["request", "request_body", "response", "response_body"], f"{events}")
    expect(events[0]["text"].startswith("POST /pay/"), events[0]["text"])
    expect('"note": "hello"' in events[1]["text"], events[1]["text"])
    expect("HTTP/1.1 200" in events[2]["text"] and "411111******1111" in events[3]["text"], f"{events}")
    text = auditor.replay(gateway, recording)
    expect("request" in text and "response" in text and "\x1b" not in text, text)
    gateway.stop()
    expect_nothing_planted(auditor, folder, [CARD, gateway.key, *planted.values()])
    expect(verify(gateway, folder).code == 0, "the recordings do not verify")


def limits(context, auditor: Auditor) -> None:
    """max_bytes: refused, or unrecorded and said so."""
    target = Target(context, lambda request: json_reply('{"text":"%s"}' % ("x" * 200_000)))
    for on_full in ("refuse", "stop"):
        folder = context.folder / f"recordings-{on_full}"
        gateway = Gateway(context, target.port, name=f"full-{on_full}", policies=HTTP_POLICIES,
                          more=section(auditor, folder, f", max_bytes: 1MiB, on_full: {on_full}")).start()
        statuses = []
        with wire.Client(gateway.port) as client:
            def is_full() -> bool:
                statuses.append(client.request("GET", "/pay/1", [gateway.auth]).status)
                return "\nsluice_recordings_full 1\n" in gateway.admin("GET", "/metrics")[1]
            wait_until(is_full, "max_bytes to be reached")
            statuses.append(client.request("GET", "/pay/1", [gateway.auth]).status)
        other = wire.request(gateway.port, "GET", "/other", [gateway.auth])
        expect(other.status == 200, "what is not recorded is refused")
        told = "recordings-full" if on_full == "refuse" else "recording-stopped"
        wait_until(lambda: told in {r.get("event") for r in gateway.records()}, told)
        if on_full == "refuse":
            expect(statuses == sorted(statuses) and set(statuses) == {200, 503}, f"{statuses}")
            denied = lambda: [r for r in gateway.intents() if r["ruling"] == "deny"]
            # The client may have its answer before the record is in a committed batch.
            wait_until(denied, "the refusal's record")
            expect(denied()[0]["rule"] == "recordings", f"{denied()}")
        else:
            expect(set(statuses) == {200}, f"{statuses}")
        gateway.stop()
        expect(verify(gateway, folder).code == 0, f"{on_full}: {verify(gateway, folder).out}")


def until_unsigned(all_frames: list[bytes], recording: str, checkpoint: pathlib.Path) -> list[bytes]:
    """The log up to the record of this removal, and without the commit that signs it."""
    end = max(i for i, frame in enumerate(all_frames)
              if is_record(frame) and b"recording-removed" in frame and recording.encode() in frame)
    commit = max(i for i in range(end) if all_frames[i][HEAD.size:HEAD.size + 1] == b"C")
    checkpoint.write_bytes(all_frames[commit][HEAD.size + 1 + 8:])
    return all_frames[:end + 1]


def retention(context, auditor: Auditor) -> None:
    """Old recordings go, but for those under a legal hold, and one that somebody deletes; nobody else takes one away."""
    target = Target(context, lambda request: json_reply('{"text":"hello"}'))
    folder = context.folder / "kept-recordings"
    gateway = Gateway(context, target.port, name="retention", policies=HTTP_POLICIES,
                      more=section(auditor, folder, ", chunk_time: 1s, retention: {keep: 6s}")).start()
    word = lambda *words: gateway.sluice(*words, "-c", gateway.configuration)
    packed = lambda name: gateway.sluice("evidence", "-c", gateway.configuration, "-o", context.folder / name)

    def record() -> str:
        before = sum(r.get("event") == "recording-closed" for r in gateway.records())
        expect(wire.request(gateway.port, "GET", "/pay/1", [gateway.auth]).status == 200, "refused")
        wait_until(lambda: sum(r.get("event") == "recording-closed" for r in gateway.records()) > before, "its end")
        return recordings_of(gateway.records())[-1]

    held = record()
    expect(word("legal-hold", "add", "--reason", "case 17", "--to", "1ms").code == 0, "no hold")
    refused = word("delete-recording", held, "--reason", "request 88")
    expect(refused.code == 1 and "is under a legal hold" in refused.err, f"{refused}")
    deleted = record()
    until = subprocess.run(["date", "-u", "+%FT%T.%NZ"], capture_output=True, text=True, check=True).stdout.strip()
    wrong = word("delete-recording", "0000000000000000-1-1", "--reason", "request 88")
    expect(wrong.code == 1 and "there is no recording" in wrong.err, f"{wrong}")
    answer = word("delete-recording", deleted, "--reason", "request 88", "--json")
    expect(answer.code == 0 and answer.json()["chunks"] >= 1, f"{answer}")
    expect(not (folder / deleted).exists() and (folder / held).exists(), "the wrong one was deleted")
    aged = record()
    wait_until(lambda: not (folder / aged).exists(), "the old one to go")
    wait_until(lambda: "\nsluice_recordings_held 1\n" in gateway.admin("GET", "/metrics")[1], "the metric of held ones")
    expect(sorted(path.name for path in folder.iterdir()) == [held], f"{list(folder.iterdir())}")
    status = word("status")
    expect("recordings: 0 being made" in status.out and "2 removed, 1 under legal hold" in status.out, status.out)
    removals = {r["recording"]: r["detail"] for r in gateway.records() if r.get("event") == "recording-removed"}
    expect(set(removals) == {deleted, aged} and "by user" in removals[deleted] and
           removals[deleted].endswith(": request 88") and "older than 6 s" in removals[aged], f"{removals}")

    # Who verifies is told which were removed by record, in packages also where that record is behind the range.
    found = verify(gateway, folder)
    expect(found.code == 0 and found.json()["recordings"]["removed"] == 2 and
           found.json()["recordings"]["chunks"] >= 1, found.out)
    early = context.folder / "early.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "--to", until, "-o", early, check=True)
    expect(packed("kept.zip").code == 0, "no package")
    for package, removed in ((early, 1), (context.folder / "kept.zip", 2)):
        answer = gateway.sluice("verify", package, "--key", gateway.verifier, "--json")
        expect(answer.code == 0 and answer.json()["removed_recordings"] == removed, answer.out)
        with zipfile.ZipFile(package) as files:
            script = context.folder / "verify-removed.py"
            script.write_bytes(files.read("verify.py"))
        judged = subprocess.run([sys.executable, "-I", script, package, gateway.verifier],
                                capture_output=True, text=True, timeout=120)
        expect(judged.returncode == 0 and judged.stdout.count("was removed, as record") == removed, f"{judged}")

    # Taken away by somebody else, it is missing.
    (folder / held).rename(context.folder / "stolen")
    expect(verify(gateway, folder).code == 4, "a stolen recording is not noticed")
    stolen = packed("stolen.zip")
    expect(stolen.code == 1 and "missing" in stolen.err, f"{stolen}")
    (context.folder / "stolen").rename(folder / held)

    # What no checkpoint signs anybody can have said.
    gateway.stop()
    said = copied(gateway.audit, context.folder / "said")
    rewrite(said / "segment-00000001.log", lambda all_frames: until_unsigned(all_frames, aged, said / "checkpoint"))
    report = gateway.sluice("verify", said, "--key", gateway.verifier, "--json")
    expect(report.code == 0 and report.json()["unsigned_tail_records"] > 0, report.out)
    believed = gateway.sluice("verify", said, "--key", gateway.verifier, "--recordings", folder, "--json")
    expect(believed.code == 4 and aged in believed.json()["where"], believed.out)

    # A folder of its own.
    (folder / "payroll.db").write_text("mine")
    checked = gateway.sluice("check", "-c", gateway.configuration)
    expect(checked.code == 3 and "recordings need a folder of their own: 'payroll.db'" in checked.err, f"{checked}")
    started = gateway.sluice("run", "-c", gateway.configuration)
    expect(started.code != 0 and "folder of their own" in started.err, f"{started}")


def run(context) -> None:
    auditor = Auditor(context)
    database(context, auditor)
    http(context, auditor)
    limits(context, auditor)
    retention(context, auditor)
