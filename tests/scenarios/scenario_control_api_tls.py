"""The control API over TLS: only a credential says who calls, by curl and by the CLI; each role makes its calls and
no other; and what is in clear, slow, large, or tried too often, is refused while others are served."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import time

from harness import wire
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.remote import ROLES
from harness.target import Target
from scenario_control_api import Document, body_for, said, target_for

OK, FAILED, USAGE, DENIED, TRY_AGAIN = 0, 1, 2, 5, 75
SECONDS = 3.0


class Port:
    """The control API's, as a client that trusts its authority sees it."""

    def __init__(self, number: int, authority: Authority):
        self.number = number
        self.tls = ssl.create_default_context(cafile=authority.ca)

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.number), 20, source_address=(source, 0))
        return self.tls.wrap_socket(raw, server_hostname="localhost")

    def ask(self, method: str, path: str, credential: str = "", body: str | None = None, source: str = "127.0.0.1"):
        """Status, media type and text."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.number, timeout=20)
        connection.sock = self.connect(source)
        connection.request(method, path, body, {"Authorization": f"Bearer {credential}"} if credential else {})
        try:
            return said(connection.getresponse())
        finally:
            connection.close()


def check_roles(port: Port, document: Document, tokens: dict[str, str]) -> None:
    for method, path, what in document.operations:
        if path == "/v1/drain":
            continue
        for role, token in {**tokens, "nobody": ""}.items():
            status, media, text = port.ask(method, target_for(path, what), token, body_for(document, what))
            document.check(method, path, what, status, media, text)
            roles = what["x-roles"]
            is_proved = role != "nobody" and what.get("x-besides") == "proved"
            if not roles or role in roles or is_proved:
                # A gateway token gets no other one.
                expect(status not in (401, 403) or path == "/v1/tokens", f"{role} {method} {path}: {status} {text}")
            else:
                expect(status == (401 if role == "nobody" else 403), f"{role} {method} {path}: {status} {text}")


def check_cli(gateway: Gateway, url: str, authority: Authority, tokens: dict[str, str]) -> None:
    def sluice(*words, token: str | None = None, ca=authority.ca):
        environment = {name: value for name, value in os.environ.items() if name != "SLUICE_TOKEN"}
        environment |= {"SLUICE_TOKEN": token} if token else {}
        return subprocess.run([gateway.context.sluice, *words, "--gateway", url, "--ca", str(ca)], capture_output=True,
                              text=True, timeout=60, env=environment)
    shown = sluice("status", token=tokens["viewer"])
    expect(shown.returncode == OK and f"control API on {url}" in shown.stdout.replace("127.0.0.1", "localhost"),
           f"status: {shown}")
    secret = gateway.folder / "viewer.token"
    secret.write_text(tokens["viewer"] + "\n")
    expect(sluice("sessions", "--json", "--token", f"file:{secret}").returncode == OK, "a token in a file")
    expect(sluice("reload", token=tokens["viewer"]).returncode == DENIED, "a viewer reloads")
    expect(sluice("reload", token=tokens["admin"]).returncode == OK, "an admin does not reload")
    expect(sluice("status", token="wrong.wrong.wrong").returncode == DENIED, "a wrong token")
    expect(sluice("status").returncode == DENIED, "no token")
    expect(sluice("status", "--token", tokens["viewer"]).returncode == DENIED, "a token on the command line")
    stranger = sluice("status", token=tokens["viewer"], ca=Authority(gateway.folder, "stranger").ca)
    expect(stranger.returncode == FAILED and "untrusted" in stranger.stderr, f"another's certificate: {stranger}")
    plain = gateway.sluice("status", "--gateway", url.replace("https", "http"))
    expect(plain.code in (USAGE, DENIED), f"in clear: {plain.code} {plain.err}")
    named = sluice("token", "--subject", "root", token=tokens["admin"])
    expect(named.returncode == DENIED and "operator" in named.stderr, f"an admin afar names a subject: {named}")


def check_records(gateway: Gateway, url: str, authority: Authority, port: Port, tokens: dict[str, str]) -> None:
    """The log is the same from afar, in one piece and page by page."""
    def records(text: str) -> list[dict]:
        return [json.loads(line) for line in text.splitlines()]
    here = records(gateway.sluice("audit", "--directory", gateway.audit, "--json", check=True).out)
    environment = os.environ | {"SLUICE_TOKEN": tokens["auditor"]}
    asked = [str(gateway.context.sluice), "audit", "--gateway", url, "--ca", str(authority.ca)]

    def audit(*words):
        return subprocess.run([*asked, *words], capture_output=True, text=True, timeout=60, env=environment)
    afar = audit("--json")
    expect(afar.returncode == OK and records(afar.stdout)[:len(here)] == here, f"from afar: {afar}")
    lines = audit().stdout.splitlines()
    expect(len(lines) >= len(here) and "api-denied" in " ".join(lines), f"for people: {lines[:3]}")
    pages, after = [], ""
    while len(pages) < len(here):
        status, _, text = port.ask("GET", f"/v1/records?limit=7{after}", tokens["auditor"])
        page = json.loads(text)
        expect(status == 200 and 0 < len(page["records"]) <= 7, f"a page: {status} {text}")
        pages += page["records"]
        after = f"&after={page['next']}"
    expect(pages[:len(here)] == here, "page by page it is another log")

    # What is written from now on comes to who follows.
    follower = gateway.context.start([*asked, "--json", "--follow", "--ruling", "deny"], name="follower",
                                     env=environment)
    port.ask("POST", "/v1/reload", tokens["viewer"])
    wire.request(gateway.port, "GET", "/forbidden/afar", [("X-Api-Key", gateway.key)])
    wait_until(lambda: "/forbidden/afar" in follower.output(), "the follower to see it", 20)
    follower.kill()

    # The same as server-sent events: what is there, and what comes; and on from the last one's id.
    def events(after: str = ""):
        return gateway.context.start(["curl", "-sN", "--cacert", authority.ca, "--oauth2-bearer", tokens["auditor"],
                                      "-H", f"Last-Event-ID: {after}", f"{url}/v1/records/events?ruling=deny"],
                                     name="events")
    stream = events()
    wait_until(lambda: "/forbidden/afar" in stream.output(), "the record to be an event", 20)
    wire.request(gateway.port, "GET", "/forbidden/live", [("X-Api-Key", gateway.key)])
    wait_until(lambda: "/forbidden/live" in stream.output(), "a new record to be an event", 20)
    last = [line[4:] for line in stream.output().splitlines() if line.startswith("id: ")][-1]
    stream.kill()
    wire.request(gateway.port, "GET", "/forbidden/later", [("X-Api-Key", gateway.key)])
    stream = events(last)
    wait_until(lambda: "/forbidden/later" in stream.output(), "the stream to go on", 20)
    expect("/forbidden/live" not in stream.output(), "what was seen comes again")
    stream.kill()


def check_curl(url: str, authority: Authority, token: str) -> None:
    def curl(*words):
        return subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *words], capture_output=True, text=True, timeout=60)
    done = curl("--cacert", str(authority.ca), "--oauth2-bearer", token, f"{url}/v1/status")
    expect(done.stdout.endswith("\n200") and json.loads(done.stdout.rsplit("\n", 1)[0])["state"] == "running", f"{done}")
    expect(curl("--cacert", str(authority.ca), f"{url}/v1/status").stdout.endswith("\n401"), "without a token")
    expect(curl("--cacert", str(authority.ca), f"{url}/livez").stdout.endswith("\n200"), "whether it lives")
    expect(curl("--cacert", str(authority.ca), f"{url}/metrics").stdout.endswith("\n401"), "metrics for anybody")
    expect(curl("--cacert", str(authority.ca), "--tls-max", "1.1", "--tlsv1.0", f"{url}/livez").returncode != 0, "TLS 1.1")
    expect(curl(f"{url}/livez").returncode == 60, "a certificate of nobody's")


def check_odd_clients(port: Port) -> None:
    with socket.create_connection(("127.0.0.1", port.number), 20) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = plain.recv(4096)
        expect(b"HTTP" not in answer, f"in clear: {answer!r}")
    for head, status in ((b"A: " + b"a" * 20_000 + b"\r\n", b"431"), (b"Content-Length: 2000000\r\n", b"413"),
                         (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"400"), (b"X : y\r\n", b"400"),
                         (b"Bare: lf\n", b"400")):
        with port.connect() as client:
            client.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
            answer = client.recv(4096)
            expect(answer.startswith(b"HTTP/1.1 " + status), f"{head[:40]!r}: {answer!r}")


def check_slow_clients(port: Port, token: str, per_source: int) -> None:
    """They hold what one source may have, for as long as it was said, and others are served meanwhile."""
    slow = [port.connect() for _ in range(per_source)]
    began = time.monotonic()
    for client in slow:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
    wait_until(lambda: _is_closed(port), "one too many of a source to be closed", SECONDS)
    status, _, _ = port.ask("GET", "/v1/status", token, source="127.0.0.2")
    expect(status == 200, f"another source: {status}")
    for client in slow:
        client.settimeout(20)
        try:
            while time.monotonic() - began < 20:
                client.sendall(b"X")  # Progress gains no time.
                time.sleep(0.05)
        except OSError:
            pass
        client.close()
    expect(time.monotonic() - began < 10 * SECONDS, f"they held on for {time.monotonic() - began:.1f} s")
    wait_until(lambda: not _is_closed(port), "their places to be free")


def _is_closed(port: Port) -> bool:
    try:
        port.connect().close()
        return False
    except OSError:
        return True


def check_failures(port: Port, token: str, allowed: int) -> None:
    statuses = [port.ask("GET", "/v1/status", f"wrong-{i}", source="127.0.0.3")[0] for i in range(allowed + 3)]
    expect(statuses[:allowed] == [401] * allowed and statuses[-1] == 429, f"{statuses}")
    expect(port.ask("GET", "/v1/status", token, source="127.0.0.3")[0] == 429, "a good one is looked at")
    expect(port.ask("GET", "/v1/status", token, source="127.0.0.4")[0] == 200, "another source is kept out")


def check_new_certificate(port: Port, authority: Authority, paths) -> None:
    def serial() -> str:
        with port.connect() as client:
            return client.getpeercert()["serialNumber"]
    before = serial()
    for old, new in zip(paths, authority.issue("renewed", "DNS:localhost,IP:127.0.0.1")):
        new.replace(old)
    wait_until(lambda: serial() != before, "the new certificate")


def run(context) -> None:
    target = Target(context)
    authority = Authority(context.folder)
    paths = authority.issue("gw", "DNS:localhost,IP:127.0.0.1")
    number = free_port()
    roles = ", ".join(f"{role}: [{group}]" for role, group in ROLES.items())
    gateway = Gateway(context, target.port, admin=f""", roles: {{{roles}}}, listen: {{address: "127.0.0.1:{number}",
  certificate: "file:{paths[0]}", key: "file:{paths[1]}", connections: 8, connections_per_source: 4,
  timeout: {int(SECONDS * 1000)}ms}}""", identity=f"""failed_proofs_per_source: 20/h
  gateway_tokens: {{key: "file:{context.folder}/tokens.key", revocations: {context.folder}/revoked}}""")
    gateway.sluice("key", "tokens", "--file", context.folder / "tokens.key", check=True)
    keys = {role: gateway.new_key(role, group) for role, group in ROLES.items()}
    keys["outsider"] = gateway.new_key("outsider", "unix-user:0")
    gateway.start()
    port = Port(number, authority)
    url = f"https://localhost:{number}"
    document = Document(json.loads(gateway.admin("GET", "/v1/openapi.json")[1]))

    def token_for(key: str) -> str:
        done = subprocess.run([context.sluice, "token", "--gateway", url, "--ca", str(authority.ca), "--credential",
                               "env:KEY"], capture_output=True, text=True, timeout=60, env=os.environ | {"KEY": key})
        expect(done.returncode == OK, f"token: {done}")
        return done.stdout.strip()
    tokens = {role: token_for(key) for role, key in keys.items()}
    check_roles(port, document, tokens)
    check_cli(gateway, url, authority, tokens)
    check_records(gateway, url, authority, port, tokens)
    check_curl(url, authority, tokens["viewer"])
    check_odd_clients(port)
    check_slow_clients(port, tokens["viewer"], 4)
    check_failures(port, tokens["viewer"], 20)
    check_new_certificate(port, authority, paths)

    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    denied = [one for one in records if one.get("event") == "api-denied"]
    expect(any(one["status"] == 401 and one.get("reason") and one["peer"].startswith("127.0.0.3:") for one in denied),
           "a wrong credential is not recorded with its reason")
    expect(any(one["status"] == 429 for one in denied), "what was not looked at is not recorded")
    expect(any(one.get("event") == "api-called" and one["subject"] == "admin" and one["proof"] == "gateway-token"
               for one in records), "who reloaded is not recorded")
    shown = json.dumps(records)
    expect(not any(part in shown for token in tokens.values() for part in token.split(".")[1:]), "a token is in the log")
