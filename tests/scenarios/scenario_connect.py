"""Tunnels of `sluice connect`: psql and curl reach their targets by the printed lines and show no credential; a login is
renewed while the tunnel is open; the port stays the same. Another account, a page in a browser, a credential that has
expired, was taken back or is for another target, a gateway that is not known or goes away get what they should; and no
token is seen anywhere."""
import base64
import http.client
import json
import os
import shlex
import signal
import socket
import subprocess
import threading
import time

import psycopg2

from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.postgres import BIN, Cluster, PostgresGateway
from harness.processes import die_with_harness, free_port
from harness.provider import Provider
from harness.sign_in import Browser, Login
from harness.sign_in import environment as home_of
from harness.target import Target, plain

POLICIES = """
  - {name: staff may, principals: {groups: [staff]}, ruling: allow}
"""
OK, FAILED, USAGE, DENIED = 0, 1, 2, 5
NOBODY = 65534


class Tunnel:
    """`sluice connect`, until close()."""

    def __init__(self, context, home, *words, env=None):
        self._process = subprocess.Popen([context.sluice, "connect", *map(str, words)], stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, env=home_of(home) | (env or {}),
                                         preexec_fn=die_with_harness)
        context.on_exit(self._process.kill)
        self.line = self._process.stdout.readline().strip()
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self.line:
            self._process.wait(60)
            self._reader.join(10)

    def _read(self) -> None:
        for line in self._process.stderr:
            self.said += line

    def run(self, *more: str, **options) -> subprocess.CompletedProcess:
        """The printed line, with more words."""
        words = [*shlex.split(self.line), *more]
        if words[0] == "psql":
            words[0] = str(BIN / "psql")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return subprocess.run(words, capture_output=True, text=True, timeout=60, env=kept | {"PSQLRC": "/dev/null"},
                              stdin=subprocess.DEVNULL, **options)

    @property
    def port(self) -> int:
        words = shlex.split(self.line)
        return int(words[words.index("-p") + 1] if words[0] == "psql" else words[-1].split(":")[2].rstrip("/"))

    def close(self) -> int:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(30)
        self._reader.join(10)
        return code


def _claims(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def run(context) -> None:
    provider = Provider(context)
    cluster = Cluster(context)
    target = Target(context, lambda request: plain(b"x" * 300_000 if request.target == "/large" else
                                                   b"%d" % len(request.body)))
    authority = Authority(context.folder)
    certificate, key = authority.issue("gw", "DNS:localhost,IP:127.0.0.1")
    tls = f"tls: {{certificate: file:{certificate}, key: file:{key}}}"
    number, web, clear = free_port(), free_port(), free_port()
    url = f"https://localhost:{number}"
    home = context.folder / "home"
    home.mkdir()
    gateway = PostgresGateway(
        context, cluster, policies=POLICIES, workers=2,
        listener=f"""{tls}
  - {{name: web, address: "127.0.0.1:{web}", protocol: http, target: pay, {tls}}}
  - {{name: clear, address: "127.0.0.1:{clear}", protocol: http, target: open}}""",
        pool=f"""
  - {{name: pay, addresses: ["127.0.0.1:{target.port}"]}}
  - {{name: open, addresses: ["127.0.0.1:{target.port}"]}}""",
        identity=f"""gateway_tokens:
    key: file:{context.folder}/tokens.key
    lifetime: 1h
    revocations: {context.folder}/revoked
  oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: sluice
      groups_claim: groups
      untyped: true
      ca: "file:{provider.ca}"
      login: {{client_id: sluice, scopes: [openid, offline_access]}}""",
        admin=f""", listen: {{address: "127.0.0.1:{number}", certificate: "file:{certificate}", key: "file:{key}"}}""")
    gateway.sluice("key", "tokens", "--file", context.folder / "tokens.key", check=True)
    ann = gateway.new_key("ann", "staff")
    gateway.start()
    secrets = [ann]
    shown = []

    def connect(*words, env=None, to=url) -> Tunnel:
        tunnel = Tunnel(context, home, *words, "--gateway", to, "--ca", authority.ca, env=env)
        shown.append(tunnel)
        return tunnel

    def refused(code: int, why: str, *words, **options) -> None:
        tunnel = connect(*words, **options)
        expect(not tunnel.line and tunnel.close() == code and why in tunnel.said, f"{words}: {tunnel.line}{tunnel.said}")

    def token(*words) -> str:
        made = gateway.sluice("token", "--socket", gateway.admin_socket, "--subject", "ann", "--group", "staff", *words,
                              check=True).out.strip()
        secrets.append(made)
        return made

    # Whoever did not sign in, shows what proves nobody, or asks for what is not there has no tunnel.
    refused(DENIED, "sluice login", "api")
    refused(DENIED, "who are you", "api", "--token", "env:T", env={"T": "sk_nobody"})
    refused(DENIED, "who are you", "api", "--token", "env:T", env={"T": token("--for", "pay")})
    refused(FAILED, "no listener leads to", "nowhere", "--token", "env:T", env={"T": ann})
    refused(USAGE, "no listener with TLS", "open", "--token", "env:T", env={"T": ann})
    refused(USAGE, "no listener 'other'", "api", "--listener", "other", "--token", "env:T", env={"T": ann})

    # A person signs in, and uses both targets by the lines that are printed.
    waiting = Login(context, url, authority.ca, provider.ca, home)
    Browser(provider.ca).open(waiting.url(r"open (https://\S+/auth\S+)"))
    expect(waiting.end()[0] == OK, f"not signed in: {waiting.said}")
    stored = home / ".local/state/sluice/logins" / f"localhost_{number}.json"
    secrets += [json.loads(stored.read_text())[name] for name in ("token", "refresh")]
    database = connect("api", "--database", "shop")
    expect(database.line == f"psql -h 127.0.0.1 -p {database.port} -U ann -d shop", f"printed: {database.line}")
    done = database.run("-w", "-A", "-t", "-c", "SELECT current_user, 6 * 7")
    expect(done.stdout == "app|42\n", f"psql: {done}")
    pay = connect("pay", "--json")
    page = json.loads(pay.line)
    pay.line = page["command"]
    expect(page | {"target": "pay", "protocol": "http", "address": "127.0.0.1", "subject": "ann",
                   "gateway": f"localhost:{web}", "port": pay.port} == page, f"{page}")
    expect(pay.run("-sS").stdout == "0" and target.requests[-1].header("Authorization") is None, "curl")
    body = context.folder / "body"
    body.write_bytes(b"y" * 400_000)
    expect(pay.run("-sS", "--data-binary", f"@{body}").stdout == "400000", "a large request")
    expect(pay.run("-sS", "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{body}").stdout == "400000", "chunked")
    expect(len(pay.run("-sS", "--url", f"http://localhost:{pay.port}/large").stdout) == 300_001, "a large answer")
    expect(pay.run("-sS", "-w", "%{num_connects},", pay.line.split()[1]).stdout == "01,00,", "kept alive")
    expect(database.port != pay.port and all(20_000 <= one.port < 30_000 for one in (database, pay)), "ports")
    expect(target.requests[-1].header("Host") == f"localhost:{web}", f"host: {target.requests[-1]}")

    # A port stays the same; one that is taken is an error.
    second = connect("pay")
    expect(not second.line and second.close() == FAILED and "--port" in second.said, f"taken: {second.said}")
    elsewhere = connect("pay", "--port", free_port())
    expect(elsewhere.run("-sS").stdout == "0" and elsewhere.close() == OK, "on another port")
    port = pay.port
    expect(pay.close() == OK and socket.socket().connect_ex(("127.0.0.1", port)) != 0, "Ctrl-C ends it")
    pay = connect("pay")
    expect(pay.port == port, f"{pay.port} is not {port}")

    # Many at once, much in both directions, a statement that is cancelled, and one of a wrong user.
    def session(user: str = "ann"):
        made = psycopg2.connect(host="127.0.0.1", port=database.port, user=user, dbname="shop", sslmode="prefer")
        made.autocommit = True
        return made
    sessions = [session() for _ in range(20)]
    for at, one in enumerate(sessions):
        with one.cursor() as cursor:
            cursor.execute("SELECT %s, repeat('z', 200000)", [at])
            expect(cursor.fetchone() == (at, "z" * 200_000), "mixed up")
    with sessions[0].cursor() as cursor:
        threading.Timer(0.5, sessions[0].cancel).start()
        try:
            cursor.execute("SELECT pg_sleep(60)")
            expect(False, "not cancelled")
        except psycopg2.errors.QueryCanceled:
            pass
    for one in sessions:
        one.close()
    try:
        session("tester")
        expect(False, "another user's session")
    except psycopg2.OperationalError as error:
        expect("authentication failed" in str(error), f"{error}")

    # What a page in a browser sends, what is another's name, what is no HTTP: nothing of it goes on.
    def raw(bytes_: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", pay.port), 20) as one:
            one.sendall(bytes_)
            return one.makefile("rb").read()
    seen = len(target.requests)
    expect(pay.run("-sS", "-H", "Origin: https://evil.example").stdout.find("browser") > 0, "with an Origin")
    expect(pay.run("-sS", "-H", "Sec-Fetch-Site: cross-site").stdout.find("browser") > 0, "with Sec-Fetch-Site")
    expect(pay.run("-sS", "-H", "Host: evil.example").stdout.find("421") > 0, "rebound")
    expect(b" 400 " in raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: b\r\n\r\n"), "two hosts")
    expect(len(target.requests) == seen, "something went on")

    # Another account of this host gets nothing, whatever it sends.
    if os.geteuid() == 0:
        probe = ("import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); "
                 "s.settimeout(20)\n"
                 "try:\n s.sendall(b'GET / HTTP/1.1\\r\\nHost: 127.0.0.1:' + sys.argv[1].encode() + b'\\r\\n\\r\\n'); "
                 "print(s.recv(100))\n"
                 "except ConnectionError: print(b'')")
        other = subprocess.run(["/usr/bin/python3", "-c", probe, str(pay.port)], capture_output=True, text=True,
                               timeout=60, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
        expect(other.stdout == "b''\n", f"another account: {other}")
        wait_until(lambda: f"user {NOBODY} may not" in pay.said, "the refusal to be told")
        expect(len(target.requests) == seen, "another account's request went on")

    # What was stored expires, and is renewed for the next request; one that cannot be is refused, in both protocols.
    def expire(**changes) -> None:
        login = json.loads(stored.read_text())
        stored.write_text(json.dumps(login | {"expires": "2026-01-01T00:00:00Z"} | changes))
    expire()
    expect(pay.run("-sS").stdout == "0", "not renewed")
    renewed = json.loads(stored.read_text())
    secrets += [renewed["token"], renewed["refresh"]]
    expect(renewed["expires"] > "2026-01-02", "nothing new was stored")
    expire(refresh="gone")
    lapsed = pay.run("-sS", "-w", "%{http_code}")
    expect("502" in lapsed.stdout and "sluice login" in lapsed.stdout, f"lapsed: {lapsed}")
    lapsed = database.run("-w", "-c", "SELECT 1")
    expect(lapsed.returncode == 2 and "FATAL" in lapsed.stderr and "sluice login" in lapsed.stderr, f"lapsed: {lapsed}")
    stored.write_text(json.dumps(renewed))
    wait_until(lambda: pay.run("-sS").stdout == "0", "the login that is good again", 20)

    # Tokens that the gateway is not asked about beforehand are refused by it, in the client's words.
    def open_to(listener: int, protocol: str, value: str) -> Tunnel:
        tunnel = Tunnel(context, home, "any", "--to", f"localhost:{listener}", "--protocol", protocol, "--ca",
                        authority.ca, "--token", "env:T", "--port", free_port(), env={"T": value})
        shown.append(tunnel)
        return tunnel
    bound = token("--for", "pay")
    for_web = open_to(web, "http", bound)
    for_database = open_to(gateway.port, "postgres", bound)
    status = lambda: for_web.run("-sS", "-o", "/dev/null", "-w", "%{http_code}").stdout
    expect(status() == "200", "a token for its target")
    other = for_database.run("-w", "-U", "ann", "-d", "shop", "-c", "SELECT 1")
    expect(other.returncode == 2 and "authentication failed" in other.stderr, f"a token for another target: {other}")
    gateway.sluice("token", "revoke", json.loads(_claims(bound))["jti"], "--socket", gateway.admin_socket, check=True)
    expect(status() == "401", "a token that was taken back")
    expired = gateway.new_key("ann", "staff", "1s")
    secrets.append(expired)
    late = open_to(gateway.port, "postgres", expired)
    time.sleep(1.5)
    done = late.run("-w", "-U", "ann", "-d", "shop", "-c", "SELECT 1")
    expect(done.returncode == 2 and "authentication failed" in done.stderr, f"a key that has expired: {done}")

    # A gateway whose certificate is another authority's is not spoken to.
    stranger = Authority(context.folder, "stranger")
    tunnel = Tunnel(context, home, "any", "--to", f"localhost:{web}", "--protocol", "http", "--ca", stranger.ca,
                    "--token", "env:T", "--port", free_port(), env={"T": ann})
    shown.append(tunnel)
    expect("502" in tunnel.run("-sS").stdout, "an unknown authority")
    wait_until(lambda: "TLS" in tunnel.said, "the unknown authority to be told")
    expect(tunnel.close() == OK, "not closed")

    # The gateway goes away and comes back; the tunnel stays.
    lost = session()
    idle = http.client.HTTPConnection("127.0.0.1", pay.port, timeout=20)
    idle.request("GET", "/")
    expect(idle.getresponse().read() == b"0", "before")
    gateway.stop()
    expect("502" in pay.run("-sS").stdout, "while the gateway is away")
    done = database.run("-w", "-c", "SELECT 1")
    expect(done.returncode == 2 and "FATAL" in done.stderr and "connect" in done.stderr, f"while it is away: {done}")
    try:
        with lost.cursor() as cursor:
            cursor.execute("SELECT 1")
        expect(False, "a session without a gateway")
    except psycopg2.OperationalError:
        pass
    gateway.start()
    expect(pay.run("-sS").stdout == "0", "it is back")
    expect(database.run("-w", "-A", "-t", "-c", "SELECT 43").stdout == "43\n", "it is back for psql")

    for tunnel in shown:
        tunnel.close()
    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    used = [one for one in records if one.get("phase") == "intent" and one.get("proof") == "gateway-token"]
    expect({one["subject"] for one in used} == {"ann"}, f"records: {used[:3]}")
    texts = [(f"a tunnel's {what}", text) for one in shown for what, text in (("line", one.line), ("words", one.said))]
    texts += [("output", gateway.process.output()), ("target", bytes(target.received).decode("latin-1"))]
    texts += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    for name, text in texts:
        for secret in secrets:
            parts = secret.split(".")[1:] or [secret]
            expect(not any(part in text for part in parts), f"a credential is in {name}")
