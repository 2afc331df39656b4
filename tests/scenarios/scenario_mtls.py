"""Client certificates with real peers: curl, psql and openssl show good ones and bad ones, lists revoke them while
connections stand, and records say who it was and how that was proved."""
import base64
import http.client
import json
import ssl
import subprocess
import time

from harness import prometheus
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.postgres import Cluster, PostgresGateway, environment, program
from harness.target import Target

POLICIES = """
  - {name: payers may everything, principals: {groups: [pay, testers]}, ruling: allow}
"""


def counted(gateway, family: str, **wanted: str) -> float:
    samples = prometheus.parse(gateway.admin("GET", "/metrics")[1])[family]["samples"]
    return sum(value for (_, labels), value in samples.items() if wanted.items() <= dict(labels).items())


def failed(gateway, result: str) -> float:
    return counted(gateway, "sluice_tls_handshakes_total", side="client", result=result)


class Clients:
    """Authorities, certificates of theirs, and the list of the first."""

    def __init__(self, context):
        self.folder = context.folder
        self.servers = Authority(context.folder, "servers")
        self.gateway_pair = self.servers.issue("gw", "DNS:gw.test")
        self.authority = Authority(context.folder, "clients")
        self.stranger = Authority(context.folder, "stranger")
        self.crl = context.folder / "clients.crl"
        self.authority.write_crl(self.crl)
        issue = self.authority.issue
        self.batch = issue("batch", "URI:spiffe://corp.test/ns/pay/sa/batch", use="clientAuth")
        self.ann = issue("ann", "email:ann@corp.test")
        self.nobody = issue("nobody", "DNS:host.test")
        self.bad = {
            "expired": issue("late", "URI:spiffe://corp.test/ns/pay/sa/batch", days=-1),
            "untrusted": self.stranger.issue("stray", "URI:spiffe://corp.test/ns/pay/sa/batch"),
            "wrong-use": issue("server", "URI:spiffe://corp.test/ns/pay/sa/batch", use="serverAuth"),
        }

    def identity(self) -> str:
        return (f"mtls: {{client_ca: file:{self.authority.ca}, crl: file:{self.crl}, principals: ["
                '{spiffe: "spiffe://corp.test/ns/*/sa/*", as: "{2}", groups: ["{1}"]}, '
                '{email: "*@corp.test", as: "{1}", groups: [pay]}]}')

    def listener(self, asked: str, more: str = "") -> str:
        return (f"tls: {{certificate: file:{self.gateway_pair[0]}, key: file:{self.gateway_pair[1]}, "
                f"client_certificate: {asked}{more}}}")

    def curl(self, gateway, pair, *options: str) -> subprocess.CompletedProcess:
        shown = ["--cert", str(pair[0]), "--key", str(pair[1])] if pair else []
        return subprocess.run(
            ["curl", "-sS", "--max-time", "30", "--resolve", f"gw.test:{gateway.port}:127.0.0.1", "--cacert",
             str(self.servers.ca), *shown, "-w", "%{http_code}", *options, f"https://gw.test:{gateway.port}/a"],
            capture_output=True, text=True, timeout=60)

    def connection(self, gateway, pair) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.servers.ca))
        context.check_hostname = False
        context.load_cert_chain(*map(str, pair))
        return http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=30, context=context)

    def fingerprint(self, pair) -> str:
        shown = subprocess.run(["openssl", "x509", "-in", pair[0], "-noout", "-fingerprint", "-sha256"],
                               capture_output=True, text=True, check=True).stdout
        return shown.split("=")[1].strip().replace(":", "").lower()


def ask(connection) -> int:
    connection.request("GET", "/a")
    reply = connection.getresponse()
    reply.read()
    return reply.status


def check_http(clients: Clients, gateway, target) -> None:
    for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        done = clients.curl(gateway, clients.batch, *version, "-H", "X-Forwarded-Client-Cert: By=me")
        expect(done.stdout == "ok200", f"a good certificate: {done}")
    told = target.requests[-1].all("X-Forwarded-Client-Cert")
    expect(told == [f'Hash={clients.fingerprint(clients.batch)};Subject="CN=batch";'
                    "URI=spiffe://corp.test/ns/pay/sa/batch"], f"the target is told {told}")
    # A credential in the request says who calls, on whoever's connection.
    done = clients.curl(gateway, clients.nobody, "-H", f"Authorization: Bearer {gateway.key}")
    expect(done.stdout == "ok200", f"a key on somebody's connection: {done}")
    done = clients.curl(gateway, clients.nobody)
    expect(done.stdout.endswith("401"), f"a certificate of nobody: {done}")
    expect(counted(gateway, "sluice_certificates_refused_total", reason="unmapped") == 1, "it is not counted")
    for reason, pair in [*clients.bad.items(), ("missing", None)]:
        done = clients.curl(gateway, pair, "-H", f"Authorization: Bearer {gateway.key}")
        expect(done.returncode != 0 and done.stdout == "000", f"{reason}: {done}")
        wait_until(lambda: failed(gateway, reason) == 1, f"'{reason}' to be counted")
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", clients.servers.ca, "-cert",
         clients.batch[0], "-key", clients.batch[1], "-tls1_2"], input="Q\n", capture_output=True, text=True, timeout=60)
    expect("CN = clients" in shown.stdout.split("Acceptable client certificate CA names")[1], f"{shown.stdout}")
    expect("TLS session ticket:" not in shown.stdout, "a session can be resumed without the certificate")


def check_revocation(clients: Clients, gateway) -> None:
    """A list is taken up within seconds, for who comes and for who is there."""
    standing, other = (clients.connection(gateway, pair) for pair in (clients.batch, clients.ann))
    expect(ask(standing) == 200 and ask(other) == 200, "good certificates")
    clients.authority.revoke(clients.batch[0])
    clients.authority.write_crl(clients.crl)
    wait_until(lambda: "took up changed certificates" in gateway.process.output(), "the list to be taken up")
    expect(ask(standing) == 401, "who was revoked goes on")
    expect(ask(other) == 200, "who was not revoked does not")
    done = clients.curl(gateway, clients.batch, "-H", f"Authorization: Bearer {gateway.key}")
    expect(done.stdout == "000", f"a revoked certificate: {done}")
    wait_until(lambda: failed(gateway, "revoked") == 1, "'revoked' to be counted")
    # A list that is no good is refused, and what was in force stays.
    good = clients.crl.read_text()
    clients.crl.write_text("nothing")
    wait_until(lambda: "holds no revocation list" in gateway.process.output(), "the broken list to be refused")
    checked = gateway.sluice("check", "-c", gateway.configuration)
    expect(checked.code == 3 and "holds no revocation list" in checked.err, f"check: {checked.err}")
    expect(clients.curl(gateway, clients.ann).stdout == "ok200", "the last good list is gone")
    clients.crl.write_text(good)
    # One that runs out lets nobody in any more.
    clients.authority.write_crl(clients.crl, seconds=15)
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    expect(ask(other) == 200, "a list that is good for some seconds")
    wait_until(lambda: clients.curl(gateway, clients.ann).stdout == "000", "the list to expire", 60)
    wait_until(lambda: failed(gateway, "no-crl") >= 1, "'no-crl' to be counted")
    expect(ask(other) == 401, "a connection goes on without a list")
    clients.authority.write_crl(clients.crl)
    wait_until(lambda: clients.curl(gateway, clients.ann).stdout == "ok200", "the new list to be taken up")


def check_records(clients: Clients, gateway) -> None:
    gateway.expect_verified()
    records = gateway.records()
    proved = [r for r in records if r.get("proof") == "mtls"]
    expect({(r["subject"], tuple(r["groups"]), r["issuer"], r["certificate"]) for r in proved} ==
           {("batch", ("pay",), "mtls", clients.fingerprint(clients.batch)),
            ("ann", ("pay",), "mtls", clients.fingerprint(clients.ann))}, f"who it was: {proved[:2]}")
    by_key = [r for r in records if r.get("proof") == "api-key"]
    expect({r["certificate"] for r in by_key} == {clients.fingerprint(clients.nobody)}, "on whose connection")
    reasons = {r.get("reason") for r in records if r.get("status") == 401}
    expect({"certificate_unmapped", "certificate_revoked", "certificate_expired"} == reasons, f"reasons: {reasons}")
    refused = [r for r in records if r.get("event") == "tls-client-refused"]
    expect(refused and any("certificate" in r for r in refused), f"refused handshakes: {refused}")


def check_postgres(context, clients: Clients) -> None:
    cluster = Cluster(context)
    gateway = PostgresGateway(context, cluster, name="gw-postgres", policies=POLICIES, identity=clients.identity(),
                              listener=clients.listener("optional"))
    scram = gateway.new_key("tester", "testers", "1h", "--scram")
    gateway.start()

    def connect(user: str, pair, password: str = "", sql: str = "SELECT 'in'"):
        shown = {"PGSSLCERT": str(pair[0]), "PGSSLKEY": str(pair[1])} if pair else {"PGSSLCERT": "/nowhere"}
        return program(environment(gateway.port, user, password) | shown | {
            "PGHOST": "gw.test", "PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(clients.servers.ca)}, "psql", "-X", "-q", "-A", "-t", "-w", "-c", sql, check=False)

    done = connect("ann", clients.ann)
    expect(done.stdout == "in\n", f"a certificate in place of a password: {done}")
    # Somebody else's certificate is no password, and none is needed with a password.
    done = connect("tester", clients.ann)
    expect(done.returncode == 2 and "no password supplied" in done.stderr, f"another subject's: {done}")
    done = connect("tester", clients.ann, "no such password")
    expect(done.returncode == 2 and "authentication failed" in done.stderr, f"a wrong password: {done}")
    for pair in (clients.ann, clients.nobody, None):
        done = connect("tester", pair, scram)
        expect(done.stdout == "in\n", f"a password with {pair}: {done}")
    done = connect("ann", None, scram)
    expect(done.returncode == 2 and "authentication failed" in done.stderr, f"a password of somebody else: {done}")
    for reason, pair in clients.bad.items():
        done = connect("tester", pair, scram)
        expect(done.returncode == 2 and not done.stdout, f"{reason}: {done}")
        wait_until(lambda: failed(gateway, reason) == 1, f"'{reason}' to be counted")

    # Who is revoked loses the session at the next statement.
    clients.authority.revoke(clients.ann[0])
    running = connect_in_steps(gateway, clients)
    running.stdin.write("SELECT 'first';\n")
    running.stdin.flush()
    expect(running.stdout.readline() == "first\n", "a session by certificate")
    clients.authority.write_crl(clients.crl)
    wait_until(lambda: "took up changed certificates" in gateway.process.output(), "the list to be taken up")
    output, errors = running.communicate("SELECT 'second';\n", timeout=30)
    expect("second" not in output and "FATAL" in errors, f"who was revoked goes on: {output} {errors}")
    gateway.stop()
    records = gateway.expect_complete()
    opened = {(r["subject"], r["proof"], r.get("certificate")) for r in records if r.get("event") == "opened"}
    ann = clients.fingerprint(clients.ann)
    expect(opened == {("ann", "mtls", ann), ("tester", "api-key", ann), ("tester", "api-key", None),
                      ("tester", "api-key", clients.fingerprint(clients.nobody))}, f"opened: {opened}")
    refused = [r["detail"] for r in records if r.get("event") == "refused"]
    expect(any("the certificate is another subject's" in detail for detail in refused), f"refused: {refused}")


def connect_in_steps(gateway, clients: Clients) -> subprocess.Popen:
    return subprocess.Popen(
        ["psql", "-X", "-q", "-A", "-t", "-w"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(gateway.port, "ann", "") | {
            "PGHOST": "gw.test", "PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(clients.servers.ca), "PGSSLCERT": str(clients.ann[0]),
            "PGSSLKEY": str(clients.ann[1])})


class Issuer:
    """An identity provider that binds tokens to certificates (RFC 8705)."""
    URL = "https://id.corp.test"

    def __init__(self, folder):
        self._key = folder / "issuer.key"
        subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        modulus = self._openssl("rsa", "-in", self._key, "-noout", "-modulus").decode().strip().split("=")[1]
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": "one", "n": coded(bytes.fromhex(modulus)),
                                                   "e": "AQAB"}]}))

    def token(self, fingerprint: str) -> str:
        now = int(time.time())
        claims = {"iss": self.URL, "aud": "sluice", "sub": "robot", "groups": ["pay"], "iat": now, "exp": now + 600,
                  "cnf": {"x5t#S256": coded(bytes.fromhex(fingerprint))}}
        text = ".".join(coded(json.dumps(part).encode())
                        for part in ({"alg": "RS256", "kid": "one", "typ": "at+jwt"}, claims))
        return text + "." + coded(self._openssl("dgst", "-sha256", "-sign", self._key, text=text.encode()))

    @staticmethod
    def _openssl(*words, text: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *words], input=text, check=True, capture_output=True).stdout


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def check_bound_tokens(context, clients: Clients, target) -> None:
    """A token that is stolen is worth nothing without the certificate's key."""
    issuer = Issuer(context.folder)
    oidc = (f"oidc: [{{name: corp, issuer: '{issuer.URL}', audience: sluice, groups_claim: groups, "
            f"jwks: 'file:{issuer.jwks}'}}]\n  ")
    gateway = Gateway(context, target.port, name="gw-bound", policies=POLICIES, identity=oidc + clients.identity(),
                      listener=clients.listener("optional")).start()
    token = issuer.token(clients.fingerprint(clients.ann))
    shown = ["-H", f"Authorization: Bearer {token}"]
    for _ in range(2):
        expect(clients.curl(gateway, clients.ann, *shown).stdout == "ok200", "a token with its certificate")
        for pair in (clients.nobody, None):
            done = clients.curl(gateway, pair, *shown)
            expect(done.stdout.endswith("401"), f"a token with {pair}: {done}")
    expect(counted(gateway, "sluice_tokens_refused_total", reason="wrong_certificate") == 4, "they are not counted")
    gateway.stop()
    gateway.expect_verified()
    proved = {(r["subject"], r["proof"], r["certificate"]) for r in gateway.intents() if r.get("subject")}
    expect(proved == {("robot", "oidc", clients.fingerprint(clients.ann))}, f"records: {proved}")


def run(context) -> None:
    clients = Clients(context)
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES, identity=clients.identity(),
                      listener=clients.listener("required", ", forward_client_certificate: true")).start()
    checked = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("client certificate: required, signed by one in" in checked, f"check: {checked}")
    expect("SPIFFE ID spiffe://corp.test/ns/*/sa/* → {2} in {1}" in checked, f"check: {checked}")
    check_http(clients, gateway, target)
    check_revocation(clients, gateway)
    gateway.stop()
    check_records(clients, gateway)

    clients.authority.write_crl(clients.crl)
    check_bound_tokens(context, clients, target)
    check_postgres(context, clients)
