"""TLS with real peers: curl and openssl as clients, nginx as a target, right certificates and wrong ones."""
import base64
import hashlib
import os
import shutil
import socket
import ssl
import subprocess

from harness import prometheus
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_max_body_size 64m;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols {protocols}; {more}
    root {folder};
    location = /proto {{ return 200 "$http_x_forwarded_proto $ssl_protocol $ssl_server_name\\n"; }}
    location / {{ }}
  }}
}}
"""
BIG_BYTES = 8 << 20


class Nginx:
    """A target that speaks TLS, and what it logged."""

    def __init__(self, context, name: str, pair, protocols: str = "TLSv1.2 TLSv1.3",
                 more: str = ""):
        self.port = free_port()
        self._folder = context.folder / f"nginx-{name}"
        self._folder.mkdir()
        (self._folder / "hello").write_text("hello\n")
        (self._folder / "big").write_bytes(os.urandom(BIG_BYTES))
        configuration = self._folder / "nginx.conf"
        configuration.write_text(NGINX.format(
            folder=self._folder, port=self.port, certificate=pair[0], key=pair[1], protocols=protocols, more=more,
            user="user root;" if os.geteuid() == 0 else ""))
        context.start(["/usr/sbin/nginx", "-c", configuration, "-p", self._folder], name=f"nginx-{name}")
        wait_until(self._answers, "nginx to listen")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self) -> int:
        log = self._folder / "access.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def big(self) -> bytes:
        return (self._folder / "big").read_bytes()


class Tls:
    """The scenario's certificates, and clients that use them."""

    def __init__(self, context):
        self.context = context
        self.authority = Authority(context.folder)
        self.gateway_pair = self.authority.issue("gw", "DNS:gw.test")
        self.certificate = context.folder / "live.crt"
        self.key = context.folder / "live.key"
        self.show(self.gateway_pair)

    def show(self, pair) -> None:
        """From the next reload on."""
        shutil.copy(pair[0], self.certificate)
        shutil.copy(pair[1], self.key)

    def listener(self, more: str = "") -> str:
        return f"tls: {{certificate: file:{self.certificate}, key: file:{self.key}{more}}}"

    def curl(self, gateway, path: str, *options, name: str = "gw.test") -> subprocess.CompletedProcess:
        return subprocess.run(
            ["curl", "-sS", "--max-time", "60", "--resolve", f"{name}:{gateway.port}:127.0.0.1", "--cacert",
             str(self.authority.ca), "-H", f"Authorization: Bearer {gateway.key}", *options,
             f"https://{name}:{gateway.port}{path}"], capture_output=True, timeout=90)

    def s_client(self, gateway, *options, name: str = "gw.test", said: bool = False) -> str:
        """said: it asks for something, and waits for the end."""
        asked = "GET /hello HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\n"
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-servername", name, "-CAfile",
             str(self.authority.ca), "-verify_return_error", *options], input=asked if said else "Q\n", capture_output=True, text=True,
            timeout=60)
        return done.stdout + done.stderr


def handshakes(gateway, side: str, result: str) -> float:
    families = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    samples = families["sluice_tls_handshakes_total"]["samples"]
    return sum(value for (_, labels), value in samples.items()
               if dict(labels)["side"] == side and dict(labels)["result"] == result)


def check_clients(tls: Tls, gateway, nginx) -> None:
    for version, results in (("1.2", ["--tlsv1.2", "--tls-max", "1.2"]), ("1.3", ["--tlsv1.3"])):
        before = handshakes(gateway, "client", f"TLSv{version}")
        done = tls.curl(gateway, "/hello", *results, "-w", "%{http_code} %{http_version}")
        expect(done.stdout == b"hello\n200 1.1", f"TLS {version}: {done.stdout} {done.stderr}")
        expect(handshakes(gateway, "client", f"TLSv{version}") == before + 1, f"no handshake of {version} is counted")

    # curl offers h2 and http/1.1.
    expect(tls.curl(gateway, "/hello", "--http2").stdout == b"hello\n", "a client that offers more is refused")
    expect(tls.curl(gateway, "/proto").stdout.startswith(b"https TLSv1.3"), "the target is not told of TLS")
    big = tls.curl(gateway, "/big")
    expect(big.stdout == nginx.big(), f"{len(big.stdout)} bytes came, and others: {big.stderr}")
    many = tls.curl(gateway, "/hello", *[f"https://gw.test:{gateway.port}/hello"] * 20)
    expect(many.stdout == b"hello\n" * 21, "requests on one connection")

    other = Authority(tls.context.folder, "other")
    done = tls.curl(gateway, "/hello", "--cacert", str(other.ca))
    expect(done.returncode == 60, f"curl trusts a stranger: {done.returncode}")
    wait_until(lambda: handshakes(gateway, "client", "alert") >= 1, "the client's alert to be counted")


def check_refusals(tls: Tls, gateway) -> None:
    expect("no application protocol" in tls.s_client(gateway, "-alpn", "h2"), "h2 alone is taken")
    expect("ALPN protocol: http/1.1" in tls.s_client(gateway, "-alpn", "h2,http/1.1"), "http/1.1 is not chosen")
    old = tls.s_client(gateway, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    expect("Cipher is (NONE)" in old, f"TLS 1.1 is spoken: {old}")
    weak = tls.s_client(gateway, "-tls1_2", "-cipher", "AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA")
    expect("Cipher is (NONE)" in weak, f"a weak cipher is taken: {weak}")
    expect("Compression: NONE" in tls.s_client(gateway, "-tls1_2"), "compression")
    expect("Early data was not sent" in tls.s_client(gateway, "-tls1_3"), "early data")
    for result, counted in (("protocol", 1), ("version", 1), ("algorithms", 1)):
        wait_until(lambda: handshakes(gateway, "client", result) >= counted, f"'{result}' to be counted")

    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as clear:
        clear.sendall(b"GET /hello HTTP/1.1\r\nHost: gw.test\r\n\r\n")
        said = clear.recv(4096)
        expect(not said.startswith(b"HTTP"), f"answered in clear: {said}")
    wait_until(lambda: handshakes(gateway, "client", "not-tls") == 1, "a request in clear to be counted")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as slow:
        slow.sendall(b"\x16\x03\x01")
        expect(slow.recv(1) == b"", "a handshake may take for ever")
    expect(handshakes(gateway, "client", "timeout") == 1, "a slow handshake is not counted")


def serial(connection) -> str:
    return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


def check_new_certificate(tls: Tls, gateway) -> None:
    """A reload takes them up; who is there stays."""
    context = ssl.create_default_context(cafile=tls.authority.ca)

    def connect():
        return context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port), timeout=10),
                                   server_hostname="gw.test")

    def request(connection) -> bytes:
        connection.sendall(f"GET /hello HTTP/1.1\r\nHost: gw.test\r\nAuthorization: Bearer {gateway.key}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"hello\n"):
            piece = connection.recv(4096)
            expect(piece, f"the connection ended: {answer}")
            answer += piece
        return answer

    with connect() as old:
        first = serial(old)
        request(old)
        tls.show(tls.authority.issue("gw2", "DNS:gw.test", kind="rsa"))
        gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
        request(old)
        with connect() as new:
            expect(serial(new) != first, "the old certificate is shown after a reload")
            request(new)
        # What cannot be used is refused with its place, and what was in force stays.
        shutil.copy(tls.gateway_pair[1], tls.key)
        wait_until(lambda: "is not the key" in gateway.process.output(), "the changed key to be refused")
        outcome = gateway.sluice("reload", "--socket", gateway.admin_socket)
        expect(outcome.code == 3 and "sluice.yaml:" in outcome.err and "is not the key" in outcome.err,
               f"a key of another certificate: {outcome.code} {outcome.err}")
        with connect() as new:
            expect(serial(new) != first, "the last good certificate is gone")
        # Changed files are taken up by themselves.
        tls.show(tls.gateway_pair)

        def shown() -> str:
            with connect() as new:
                return serial(new)
        wait_until(lambda: shown() == first, "the changed certificate to be taken up")
        # Who is there in clear would stay so: TLS is switched on and off by a restart only.
        text = gateway.configuration.read_text()
        gateway.configuration.write_text(text.replace(tls.listener(", handshake: 1s"), ""))
        outcome = gateway.sluice("reload", "--socket", gateway.admin_socket)
        expect(outcome.code == 3 and "restart" in outcome.err, f"TLS was switched off: {outcome.err}")
        gateway.configuration.write_text(text)
        request(old)


def check_names(tls: Tls, nginx) -> None:
    """Two certificates behind one address."""
    pair = tls.authority.issue("second", "DNS:second.test")
    gateway = Gateway(tls.context, nginx.port, name="names", target=f"tls: {{ca: file:{tls.authority.ca}}}",
                      listener=tls.listener(f", by_name: [{{certificate: file:{pair[0]}, key: file:{pair[1]}}}]"))
    gateway.start()
    for name in ("gw.test", "second.test"):
        expect(tls.curl(gateway, "/hello", name=name).stdout == b"hello\n", f"no certificate for {name}")
    expect(tls.curl(gateway, "/hello", name="third.test").returncode == 60, "a certificate for anybody")
    gateway.stop()


def check_tickets(tls: Tls, nginx) -> None:
    """Whichever of two workers gets the connection, it opens the other's tickets."""
    gateway = Gateway(tls.context, nginx.port, name="tickets", target=f"tls: {{ca: file:{tls.authority.ca}}}",
                      listener=tls.listener(), workers=2)
    gateway.start()
    ticket = tls.context.folder / "ticket"
    for version in ("1_2", "1_3"):
        # In 1.3 the ticket comes behind the handshake.
        tls.s_client(gateway, f"-tls{version}", "-sess_out", str(ticket), "-ign_eof", said=True)
        for _ in range(10):
            again = tls.s_client(gateway, f"-tls{version}", "-sess_in", str(ticket))
            expect(f"Reused, TLSv{version.replace('_', '.')}" in again, f"a session is not resumed: {again}")
    gateway.stop()


def check_staple(tls: Tls, nginx) -> None:
    """What the authority says of the certificate, as openssl's own responder writes it."""
    folder = tls.context.folder
    leaf = tls.authority.issue("stapled", "DNS:gw.test")
    chain = folder / "stapled-chain.crt"
    chain.write_text(leaf[0].read_text() + tls.authority.ca.read_text())
    number = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", leaf[0]], check=True, capture_output=True,
                            text=True).stdout.strip().removeprefix("serial=")
    staple = folder / "stapled.ocsp"

    def respond(status: str) -> None:
        (folder / "index").write_text(f"{status}\t991231235959Z\t{'261101000000Z' if status == 'R' else ''}\t{number}\t"
                                      "unknown\t/CN=stapled\n")
        subprocess.run(["openssl", "ocsp", "-index", folder / "index", "-CA", tls.authority.ca, "-rsigner",
                        tls.authority.ca, "-rkey", tls.authority.ca.with_suffix(".key"), "-issuer", tls.authority.ca,
                        "-cert", leaf[0], "-ndays", "1", "-respout", staple], check=True, capture_output=True)

    respond("V")
    gateway = Gateway(tls.context, nginx.port, name="staples", target=f"tls: {{ca: file:{tls.authority.ca}}}",
                      listener=f"tls: {{certificate: file:{chain}, key: file:{leaf[1]}, ocsp: file:{staple}}}").start()
    for version in ("-tls1_2", "-tls1_3"):
        said = tls.s_client(gateway, version, "-status")
        expect("Cert Status: good" in said and "Verify return code: 0" in said, f"no response is shown: {said}")
    # curl refuses where there is none, or a wrong one.
    expect(tls.curl(gateway, "/hello", "--cert-status").stdout == b"hello\n", "curl does not accept the response")
    respond("R")
    wait_until(lambda: "says that the certificate was revoked" in gateway.process.output(), "the response to be refused")
    expect(tls.curl(gateway, "/hello", "--cert-status").stdout == b"hello\n", "the response in force is gone")
    gateway.stop()


def check_known_peers(tls: Tls) -> None:
    """A target that must have a key, and wants to know who asks."""
    pair = tls.authority.issue("choosy", "IP:127.0.0.1")
    own = tls.authority.issue("own", "DNS:sluice.test")
    nginx = Nginx(tls.context, "choosy", pair, more=f"ssl_client_certificate {tls.authority.ca}; ssl_verify_client on;")

    def pin(certificate) -> str:
        key = subprocess.run(["openssl", "x509", "-noout", "-pubkey", "-in", certificate], check=True,
                             capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True,
                             capture_output=True).stdout
        return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    shown = f"certificate: file:{own[0]}, key: file:{own[1]}"
    cases = [("known", f"{{ca: file:{tls.authority.ca}, {shown}, pins: ['{pin(own[0])}', '{pin(pair[0])}']}}", b"hello\n"),
             ("pinned", f"{{verify: none, {shown}, pins: ['{pin(pair[0])}']}}", b"hello\n"),
             ("nameless", f"{{ca: file:{tls.authority.ca}}}", b"No required SSL certificate was sent"),
             ("other-key", f"{{ca: file:{tls.authority.ca}, {shown}, pins: ['{pin(own[0])}']}}", b"502")]
    for name, setting, answer in cases:
        gateway = Gateway(tls.context, nginx.port, name=f"gw-{name}", listener=tls.listener(), target=f"tls: {setting}")
        gateway.start()
        done = tls.curl(gateway, "/hello", "-w", "%{http_code}" if answer == b"502" else "")
        expect(answer in done.stdout, f"{name}: {done.stdout} {done.stderr}")
        if answer == b"502":
            expect(handshakes(gateway, "target", "wrong-key") >= 1, f"{name}: 'wrong-key' is not counted")
        gateway.stop()
        gateway.expect_verified()


def check_wrong_targets(tls: Tls) -> None:
    stranger = Authority(tls.context.folder, "stranger")
    ca = tls.authority.ca
    cases = [
        ("named", tls.authority.issue("named", "DNS:elsewhere.test"), f"{{ca: file:{ca}}}", "wrong-name"),
        ("address", tls.authority.issue("address", "IP:127.0.0.2"), f"{{ca: file:{ca}}}", "wrong-name"),
        ("foreign", stranger.issue("foreign", "IP:127.0.0.1"), f"{{ca: file:{ca}}}", "untrusted"),
        ("self", (stranger.ca, stranger.ca.with_suffix(".key")), f"{{ca: file:{ca}}}", "untrusted"),
        ("system", tls.authority.issue("system", "IP:127.0.0.1"), "verify-full", "untrusted"),
        ("expired", tls.authority.issue("expired", "IP:127.0.0.1", days=-1), f"{{ca: file:{ca}}}", "expired"),
    ]
    for name, pair, setting, reason in cases:
        nginx = Nginx(tls.context, name, pair)
        gateway = Gateway(tls.context, nginx.port, name=f"gw-{name}", listener=tls.listener(),
                          target=f"tls: {setting}").start()
        done = tls.curl(gateway, "/hello", "-w", "%{http_code}")
        expect(done.stdout.endswith(b"502"), f"{name}: {done.stdout} {done.stderr}")
        expect(handshakes(gateway, "target", reason) >= 1, f"{name}: '{reason}' is not counted")
        expect(nginx.requests() == 0, f"{name}: the target was asked")
        gateway.stop()
        gateway.expect_verified()
        records = gateway.records()
        expect([r["result"] for r in records if r["phase"] == "outcome"] == ["upstream-untrusted"],
               f"{name}: the outcome does not say why")
        events = [r.get("detail", "") for r in records if r.get("event") == "tls-target-refused"]
        expect(len(events) == 1 and f": {reason}" in events[0], f"{name}: no event says why: {events}")

    # Looking away is possible, and told loudly.
    nginx = Nginx(tls.context, "unseen", stranger.issue("unseen", "DNS:elsewhere.test"), protocols="TLSv1.2")
    gateway = Gateway(tls.context, nginx.port, name="gw-unseen", listener=tls.listener(),
                      target="tls: {verify: none, name: named.test}").start()
    expect(b" TLSv1.2 named.test" in tls.curl(gateway, "/proto").stdout, "the target's name is not asked for")
    checked = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("NOT VERIFIED" in checked, f"check keeps it quiet: {checked}")
    gateway.stop()


def run(context) -> None:
    tls = Tls(context)
    nginx = Nginx(context, "right", tls.authority.issue("right", "IP:127.0.0.1"))
    gateway = Gateway(context, nginx.port, listener=tls.listener(", handshake: 1s"),
                      target=f"tls: {{ca: file:{tls.authority.ca}}}\n"
                             "    health: {path: /hello, interval: 200ms, timeout: 100ms, unhealthy_after: 1}").start()
    checked = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("TLS: 1.2 and 1.3 only" in checked and "must be for 127.0.0.1" in checked, f"check says nothing: {checked}")
    before = nginx.requests()
    wait_until(lambda: nginx.requests() > before + 2, "health checks by TLS")
    check_clients(tls, gateway, nginx)
    check_refusals(tls, gateway)
    check_new_certificate(tls, gateway)
    check_names(tls, nginx)
    check_tickets(tls, nginx)
    check_staple(tls, nginx)
    check_known_peers(tls)
    gateway.stop()
    gateway.expect_verified()
    events = [r["detail"] for r in gateway.records() if r.get("event") == "tls-client-refused"]
    expect(events and all("listener main: client 127.0.0.1:" in event for event in events), f"refusals: {events}")
    check_wrong_targets(tls)
