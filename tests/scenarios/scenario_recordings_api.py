"""Recordings by the control API: listed, shown, fetched by curl with a token over TLS, and replayed from afar, from the
middle too, by who has the identity; the gateway has none. Each chunk that it gave away has its record."""
import json
import socket
import subprocess

from harness.auditor import Auditor, recordings_of, section
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.postgres import Cluster, PostgresGateway
from harness.remote import Remote
from harness.target import Target, json_reply

POLICIES = """
  - name: customers are watched
    principals: {groups: [testers]}
    ruling: allow
    record: full
"""


def replay(remote: Remote, auditor: Auditor, name: str, *words, role: str = "auditor"):
    return remote.sluice(role, "replay", name, "--identity", auditor.identity, "--json", *words)


def events(done: subprocess.CompletedProcess) -> list[dict]:
    expect(done.returncode == 0, f"replay: {done}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def fetched(gateway) -> list[str]:
    return [one["resource"] for one in gateway.records()
            if one.get("event") == "api-called" and one["detail"] == "showChunk"]


def database(context, auditor: Auditor) -> None:
    cluster = Cluster(context)
    remote = Remote(context)
    folder = context.folder / "recordings"
    gateway = PostgresGateway(context, cluster, policies=POLICIES, admin=remote.admin,
                              more=section(auditor, folder, ", chunk: 16KiB"))
    remote.admit(gateway)
    gateway.start()
    expect(remote.json("/v1/recordings") == {"recordings": []}, "there is none yet")
    gateway.psql("SELECT n, repeat('x', 20) FROM generate_series(1, 20000) n")
    gateway.psql("SELECT 'second'")
    wait_until(lambda: sum(r.get("event") == "recording-closed" for r in gateway.records()) == 2, "both to be closed")
    first, second = recordings_of(gateway.records())

    # Which there are, page by page and by their times.
    listed = remote.json("/v1/recordings")["recordings"]
    expect({one["recording"] for one in listed} == {first, second} and not any(one["open"] for one in listed), f"{listed}")
    page = remote.json("/v1/recordings?limit=1")
    rest = remote.json(f"/v1/recordings?limit=1&after={page['next']}")
    expect(page["recordings"] + rest["recordings"] == listed and "next" not in rest, f"{page} {rest}")
    of = {one["recording"]: one for one in listed}
    later = remote.json(f"/v1/recordings?from={of[second]['first']}")["recordings"]
    expect([one["recording"] for one in later] == [second], f"{later}")
    expect(remote.json("/v1/recordings?until=2020-01-01T00:00:00Z")["recordings"] == [], "before there was any")
    shown = remote.json(f"/v1/recordings/{first}?limit=10000")
    chunks = shown["chunks"]
    expect(shown["recording"] == of[first] and len(chunks) == of[first]["chunks"] > 10, f"{shown['recording']}")
    expect(sum(one["bytes"] for one in chunks) == of[first]["bytes"], "bytes")
    expect(not fetched(gateway), "who lists is no reader")

    # A chunk by curl is what lies there, for age to open, and its record was there before.
    status, body = remote.curl("auditor", f"/v1/recordings/{first}/chunks/3")
    (path,) = (folder / first).glob("00000003-*.age")
    expect(status == 200 and body == path.read_bytes() and len(body) == chunks[2]["bytes"], f"chunk 3: {status}")
    copy = context.folder / "chunk.age"
    copy.write_bytes(body)
    expect(b"sluice-recording1" in auditor.age(copy), "age does not open it")
    expect(fetched(gateway) == [f"/v1/recordings/{first}/chunks/3"], f"{fetched(gateway)}")
    for role in ("viewer", "approver"):
        for path in ("", f"/{first}", f"/{first}/chunks/1"):
            expect(remote.curl(role, f"/v1/recordings{path}")[0] == 403, f"{role}: {path}")
    for name in ("..", "%2e%2e", f"..%2Frecordings%2F{first}", f"{first}.open", "%2Fetc%2Fpasswd", f"{first}%2F.."):
        for path in ("", "/chunks/1"):
            status, body = remote.curl("auditor", f"/v1/recordings/{name}{path}", "--path-as-is")
            expect(status == 404, f"{name}{path}: {status} {body[:100]}")
    expect(remote.curl("auditor", f"/v1/recordings/{first}/chunks/{len(chunks) + 1}")[0] == 404, "one too many")

    # Replayed from afar it is the same; from the middle only what is needed is fetched.
    here = auditor.events(gateway, first)
    expect(events(replay(remote, auditor, first)) == here, "from afar it is another")
    middle = chunks[len(chunks) // 2]
    before = len(fetched(gateway))
    part = events(replay(remote, auditor, first, "--at", middle["first"]))
    expect(part == auditor.events(gateway, first, "--at", middle["first"]), "from the middle it is another")
    asked = [int(one.rsplit("/", 1)[1]) for one in fetched(gateway)[before:]]
    # Of the chunks that begin at that very time the last.
    start = max(one["chunk"] for one in chunks if one["first"] <= middle["first"])
    expect(asked == list(range(start, len(chunks) + 1)) and len(asked) < len(chunks), f"asked for {asked}")
    found = events(replay(remote, auditor, second, "--search", "second"))
    expect(any("second" in str(one) for one in found), f"{found}")
    text = remote.sluice("admin", "replay", second, "--identity", auditor.identity).stdout
    expect("PostgreSQL session" in text and "second" in text, text)

    expect(replay(remote, auditor, first, role="viewer").returncode == 5, "a viewer replays")
    expect(replay(remote, Auditor(context, "stranger"), first).returncode == 1, "a stranger replays")
    gone = replay(remote, auditor, "0000000000000000-1-1")
    expect(gone.returncode == 1 and "no recording" in gone.stderr, f"{gone}")
    on_socket = gateway.sluice("replay", second, "--identity", auditor.identity, "--socket", gateway.admin_socket,
                               "--json", check=True)
    expect(len(on_socket.out.splitlines()) == len(events(replay(remote, auditor, second))), "on the socket")

    # One that is being made is there, too; and what is removed is not, for whoever asks next.
    client = subprocess.Popen(["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-At"], env=gateway.environment,
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    context.on_exit(client.kill)
    client.stdin.write("SELECT n, repeat('y', 20) FROM generate_series(1, 5000) n;\n")
    client.stdin.flush()
    def is_open() -> list[dict]:
        return [one for one in remote.json("/v1/recordings")["recordings"] if one["open"] and one["chunks"] > 1]
    wait_until(is_open, "an open recording with chunks")
    opened = is_open()[0]["recording"]
    expect(events(replay(remote, auditor, opened))[0]["kind"] == "statement", "what is there of it")
    client.kill()
    gateway.sluice("delete-recording", second, "--reason", "scenario", "--socket", gateway.admin_socket, check=True)
    expect(remote.curl("auditor", f"/v1/recordings/{second}")[0] == 404, "it was removed")
    expect(remote.curl("auditor", f"/v1/recordings/{second}/chunks/1")[0] == 404, "it was removed")
    gateway.stop()
    gateway.expect_verified()
    expect(gateway.sluice("verify", gateway.audit, "--key", gateway.verifier, "--recordings", folder).code == 0, "verify")


def slow(context, auditor: Auditor) -> None:
    """Who takes a chunk slowly holds nobody up; and a gateway that records nothing has none."""
    target = Target(context, lambda request: json_reply('{"text":"%s"}' % ("x" * 3_000_000)))
    gateway = Gateway(context, target.port, name="http", policies=POLICIES,
                      more=section(auditor, context.folder / "http-recordings", ", chunk: 8MiB")).start()
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {gateway.key}",
                           f"http://127.0.0.1:{gateway.port}/a"], timeout=60)
    expect(done.returncode == 0, "curl")
    wait_until(lambda: any(r.get("event") == "recording-closed" for r in gateway.records()), "the recording's end")
    (name,) = recordings_of(gateway.records())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gateway.admin_socket))
        client.sendall(f"GET /v1/recordings/{name}/chunks/1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        expect(client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200", "the chunk")
        gateway.sluice("delete-recording", name, "--reason", "scenario", "--socket", gateway.admin_socket, check=True)
        got = b""
        while piece := client.recv(1 << 16):
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        expect(f"Content-Length: {len(body)}".encode() in head and len(body) > 3_000_000, f"{head} {len(body)}")
    gateway.stop()
    bare = Gateway(context, target.port, name="bare").start()
    expect(json.loads(bare.admin("GET", "/v1/recordings")[1]) == {"recordings": []}, "it records nothing")
    expect(bare.admin("GET", f"/v1/recordings/{name}")[0] == 404, "it records nothing")
    bare.stop()


def run(context) -> None:
    auditor = Auditor(context)
    database(context, auditor)
    slow(context, auditor)
