"""Evidence packages from afar: by the CLI and by curl over TLS and on the admin socket, encrypted or not. What comes is
what the log's own key signed, verifies with everything, and tells no secret; one is made at a time, by whoever may;
and nothing is left of one that was cut, here or there."""
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile

from harness.auditor import Auditor, section
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.remote import Remote
from harness.target import Target, json_reply

POLICIES = """
  - name: customers are watched
    principals: {groups: [testers]}
    ruling: allow
    record: full
"""
BODY_BYTES = 3_000_000


def check_package(gateway, path) -> dict:
    """By our verifier, and by the script that is inside; gives its members."""
    answer = gateway.sluice("verify", path, "--key", gateway.verifier, "--json")
    expect(answer.code == 0 and answer.json()["ok"], f"sluice verify: {answer.out}{answer.err}")
    with zipfile.ZipFile(path) as package:
        files = {name: package.read(name) for name in package.namelist()}
    script = path.with_suffix(".py")
    script.write_bytes(files["verify.py"])
    done = subprocess.run([sys.executable, "-I", script, path, gateway.verifier], capture_output=True, text=True,
                          timeout=60)
    expect(done.returncode == 0, f"verify.py: {done.stdout}{done.stderr}")
    return files


def shown(files: dict) -> dict:
    return json.loads(files["manifest.json"])


def calls(gateway, event: str) -> list[str]:
    return [one["subject"] for one in gateway.records()
            if one.get("event") == event and one["detail"] == "showEvidence"]


def begin(gateway, query: str = "") -> socket.socket:
    """Somebody who reads a package's head and then nothing."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(gateway.admin_socket))
    client.sendall(f"GET /v1/evidence{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    expect(client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200", "a package")
    return client


def refused(remote, path: str, status: int, words: str, role: str = "auditor") -> None:
    got, body = remote.curl(role, path)
    expect(got == status, f"{path} as {role}: {got} {body[:200]}")
    problem = json.loads(body)
    expect(problem["status"] == status and words in problem["detail"], f"{path}: {problem}")


def check_fetched(context, gateway, remote, auditor) -> None:
    """The same package, whichever way it comes."""
    by_cli = context.folder / "cli.zip"
    done = remote.sluice("auditor", "evidence", "-o", by_cli, "--json")
    expect(done.returncode == 0, f"{done}")
    expect(json.loads(done.stdout) == {"package": str(by_cli), "bytes": by_cli.stat().st_size}, done.stdout)
    files = check_package(gateway, by_cli)
    manifest = shown(files)
    expect(manifest["records_shown"] == manifest["end_record"] == manifest["log_records"], f"{manifest}")
    chunks = [name for name in files if name.startswith("recordings/")]
    expect(sum(len(files[name]) for name in chunks) > BODY_BYTES, f"the recording is not in it: {chunks}")
    # Its own call was recorded before it was made.
    expect(b"showEvidence" in files["records.cbor"], "the call is not in the package")
    everything = b"".join(files.values())
    secrets = [gateway.key, *remote.tokens.values(), (gateway.folder / "audit.key").read_text().strip()]
    for secret in secrets:
        expect(secret.encode() not in everything, "a secret is in the package")

    status, body = remote.curl("admin", "/v1/evidence?subject=tester&recordings=false")
    by_curl = context.folder / "curl.zip"
    by_curl.write_bytes(body)
    expect(status == 200, f"curl: {status}")
    files = check_package(gateway, by_curl)
    manifest = shown(files)
    expect(manifest["filter"] == {"principal": "tester"}, f"{manifest['filter']}")
    expect(0 < manifest["records_shown"] < manifest["end_record"] - manifest["first_record"], f"{manifest}")
    expect(not any(name.startswith("recordings/") for name in files), f"{sorted(files)}")

    # On the admin socket, to two auditors; with a range that is an age.
    other = Auditor(context, "other")
    sealed, opened = context.folder / "sealed.age", context.folder / "opened.zip"
    text = gateway.sluice("evidence", "--socket", gateway.admin_socket, "--from", "1h", "--encrypt-to",
                          auditor.recipient, "--encrypt-to", other.recipient, "-o", sealed, check=True).out
    expect("open it with: age -d" in text, text)
    for one in (auditor, other):
        opened.write_bytes(one.age(sealed) or b"")
        check_package(gateway, opened)
    # Made here of the same log it is the same, but for when; and the gateway's own key is in neither way of making it.
    here = context.folder / "here.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", here, check=True)
    check_package(gateway, here)
    local = zipfile.ZipFile(here).read("allowed_signers")
    expect(zipfile.ZipFile(by_cli).read("allowed_signers") == local, "another key signed it")


def check_refusals(context, gateway, remote) -> None:
    for role in ("viewer", "approver"):
        refused(remote, "/v1/evidence", 403, "needs one of: auditor, admin", role)
        denied = remote.sluice(role, "evidence", "-o", context.folder / f"{role}.zip")
        expect(denied.returncode == 5, f"{role}: {denied}")
    wait_until(lambda: calls(gateway, "api-denied") == ["viewer", "viewer", "approver", "approver"], "denials")
    refused(remote, "/v1/evidence?from=yesterday", 400, "'from' must be a time")
    refused(remote, "/v1/evidence?from=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z", 400, "not behind 'from'")
    refused(remote, "/v1/evidence?encrypt_to=age1x", 400, "'encrypt_to'")
    refused(remote, "/v1/evidence?rule=x", 400, "does not have")
    before = len(calls(gateway, "api-called"))
    for words, code in ((("--from", "1h", "--to", "2h"), 2), (("--from", "soon"), 2), (("--encrypt-to", "age1x"), 2)):
        done = remote.sluice("auditor", "evidence", "-o", context.folder / "bad.zip", *words)
        expect(done.returncode == code and done.stderr.startswith("sluice evidence: "), f"{words}: {done}")
    there = remote.sluice("auditor", "evidence", "-o", context.folder / "cli.zip")
    expect(there.returncode == 1 and "exists already" in there.stderr, f"{there}")
    expect(len(calls(gateway, "api-called")) == before, "what is wrong is not even asked")
    expect(not list(context.folder.glob("bad.zip*")) and not list(context.folder.glob("viewer.zip*")), "left files")


def check_one_at_a_time(context, gateway, remote) -> None:
    listed = sorted(gateway.folder.iterdir())
    slow = begin(gateway)
    expect(sorted(gateway.folder.iterdir()) == listed, "a package has a name while it is sent")
    refused(remote, "/v1/evidence", 503, "another package is being made, or fetched: try again")
    second = remote.sluice("auditor", "evidence", "-o", context.folder / "second.zip")
    expect(second.returncode == 75 and "try again" in second.stderr, f"{second}")
    expect(not list(context.folder.glob("second.zip*")), "half a package")
    # Whoever takes nothing of it keeps nobody else from one for long; nor does anything wait for that.
    expect(remote.json("/v1/status")["state"] == "running", "the gateway waits")
    def is_free() -> bool:
        return remote.sluice("auditor", "evidence", "-o", context.folder / "second.zip").returncode == 0
    wait_until(is_free, "the next one's turn", 30)
    slow.close()
    check_package(gateway, context.folder / "second.zip")


def check_half(context) -> None:
    """From a gateway that ends in the midst of it: no file has the name, or any other."""
    path = context.folder / "half.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        peer = listener.accept()[0]
        peer.recv(1 << 16)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 100000\r\n"
                     b"Connection: close\r\n\r\n" + b"x" * 50_000)
        peer.close()

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    done = subprocess.run([context.sluice, "evidence", "--socket", path, "-o", context.folder / "half.zip"],
                          capture_output=True, text=True, timeout=60)
    server.join()
    listener.close()
    expect(done.returncode == 1 and done.stderr.startswith("sluice evidence: "), f"{done}")
    expect(not list(context.folder.glob("half.zip*")), "half a package is left")


def check_killed(context, gateway) -> None:
    listed = sorted(gateway.folder.iterdir())
    client = begin(gateway)
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    began = time.monotonic()
    while client.recv(1 << 16):
        expect(time.monotonic() - began < 30, "a gateway that is gone goes on")
    client.close()
    expect(sorted(gateway.folder.iterdir()) == listed, f"left behind: {sorted(gateway.folder.iterdir())}")


def run(context) -> None:
    auditor = Auditor(context)
    remote = Remote(context)
    target = Target(context, lambda request: json_reply('{"text":"%s"}' % ("x" * BODY_BYTES)))
    gateway = Gateway(context, target.port, policies=POLICIES, admin=remote.admin,
                      more=section(auditor, context.folder / "recordings", ", chunk: 1MiB"))
    remote.admit(gateway)
    gateway.start()
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {gateway.key}",
                           f"http://127.0.0.1:{gateway.port}/a"], timeout=60)
    expect(done.returncode == 0, "curl")
    wait_until(lambda: any(r.get("event") == "recording-closed" for r in gateway.records()), "the recording's end")
    check_fetched(context, gateway, remote, auditor)
    check_refusals(context, gateway, remote)
    check_one_at_a_time(context, gateway, remote)
    check_half(context)
    # A stop waits for nobody who reads slowly.
    client = begin(gateway)
    gateway.stop()
    client.close()
    gateway.expect_verified()
    gateway.start()
    check_killed(context, gateway)
    gateway.start()
    gateway.stop()
    gateway.expect_verified()
