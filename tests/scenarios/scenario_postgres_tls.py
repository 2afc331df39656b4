"""TLS with real peers of PostgreSQL: psql, psycopg2 and asyncpg as clients, PostgreSQL 15 as a target, and
somebody in between, who holds a good certificate or only bytes in clear."""
import asyncio
import contextlib
import os
import pwd
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import asyncpg
import psycopg2

from harness import pgwire, prometheus
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.postgres import BIN, OWNER, Cluster, PostgresGateway, environment, program

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
CANCEL = 80877102


def counted(gateway, side: str, result: str) -> float:
    families = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    samples = families["sluice_tls_handshakes_total"]["samples"]
    return sum(value for (_, labels), value in samples.items()
               if dict(labels)["side"] == side and dict(labels)["result"] == result)


def secured(raw: socket.socket, authority: Authority, alpn: str | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authority.ca))
    if alpn:
        context.set_alpn_protocols([alpn])
    return context.wrap_socket(raw, server_hostname="gw.test")


class TlsClient(pgwire.Client):
    """direct: without a request in clear before it, and with this protocol's name."""

    def __init__(self, port: int, authority: Authority, *, direct: str | None = None):
        super().__init__(port)
        if direct is None:
            self._socket.sendall(SSL_REQUEST)
            expect(self._socket.recv(64) == b"S", "no TLS is offered")
        self._socket = secured(self._socket, authority, direct or None)


class Middle:
    """Speaks TLS with both, with a certificate of its own, and passes on what it reads."""

    def __init__(self, port: int, pair, authority: Authority):
        self._port, self._authority = port, authority
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*map(str, pair))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            expect(client.recv(8, socket.MSG_WAITALL) == SSL_REQUEST, "TLS is not asked for")
            client.sendall(b"S")
            near = self._context.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            server.sendall(SSL_REQUEST)
            expect(server.recv(1) == b"S", "no TLS is spoken")
            context = ssl.create_default_context(cafile=str(self._authority.ca))
            context.check_hostname = False
            far = context.wrap_socket(server)
            threading.Thread(target=pump, args=(near, far), daemon=True).start()
            pump(far, near)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_RDWR)


def verified(authority: Authority, port: int, key: str, **more: str) -> dict[str, str]:
    """For programs that use libpq."""
    return environment(port, "tester", key) | {
        "PGHOST": "gw.test", "PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(authority.ca)} | more


def ask(environment: dict[str, str], sql: str, check: bool = True) -> subprocess.CompletedProcess:
    return program(environment, "psql", "-X", "-q", "-A", "-t", "-w", "-c", sql, check=check)


def check_psql(authority: Authority, gateway, keys) -> None:
    scram, plain = keys
    for binding in ("disable", "prefer", "require"):
        done = ask(verified(authority, gateway.port, scram, PGCHANNELBINDING=binding), "SELECT 'in'")
        expect(done.stdout == "in\n", f"channel_binding={binding}: {done}")
    shown = program(verified(authority, gateway.port, scram), "psql", "-X", "-w", "-c", "\\conninfo").stdout
    expect("TLSv1.3" in shown, f"psql sees no TLS: {shown}")
    # Who has no verifier shows its key, inside of TLS.
    done = ask(verified(authority, gateway.port, plain, PGUSER="plain"), "SELECT 'in'")
    expect(done.stdout == "in\n", f"a password inside of TLS: {done}")
    for user, key in (("plain", "wrong"), ("plain", scram), ("tester", plain), ("nobody", scram)):
        done = ask(verified(authority, gateway.port, key, PGUSER=user), "SELECT 1", check=False)
        expect(done.returncode == 2 and f'authentication failed for user "{user}"' in done.stderr, f"{user}: {done}")
    # In clear there is an answer, and it helps.
    done = ask(verified(authority, gateway.port, scram, PGSSLMODE="disable"), "SELECT 1", check=False)
    expect(done.returncode == 2 and "sslmode=verify-full" in done.stderr, f"in clear: {done}")
    # What psql trusts is its own affair.
    stranger = Authority(gateway.folder, "stranger")
    done = ask(verified(stranger, gateway.port, scram), "SELECT 1", check=False)
    expect(done.returncode == 2 and "certificate verify failed" in done.stderr, f"a strange authority: {done}")
    wait_until(lambda: counted(gateway, "client", "alert") == 1, "the alert to be counted")


def check_drivers(authority: Authority, gateway, key: str) -> None:
    with psycopg2.connect(host="gw.test", hostaddr="127.0.0.1", port=gateway.port, user="tester", password=key,
                          dbname="shop", sslmode="verify-full", sslrootcert=str(authority.ca),
                          channel_binding="require") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT sum(n) FROM generate_series(1, 100000) n")
        expect(cursor.fetchone()[0] == 5000050000, "a sum")
        cursor.execute("SELECT repeat('x', 5000000)")
        expect(len(cursor.fetchone()[0]) == 5000000, "a long value")

    async def look(direct: bool) -> None:
        context = ssl.create_default_context(cafile=str(authority.ca))
        context.check_hostname = False
        if direct:
            context.set_alpn_protocols(["postgresql"])
        connection = await asyncpg.connect(host="127.0.0.1", port=gateway.port, user="tester", password=key,
                                           database="shop", ssl=context, direct_tls=direct)
        expect(await connection.fetchval("SELECT 1") == 1, "asyncpg")
        await connection.close()
    asyncio.run(look(False))
    asyncio.run(look(True))


def check_openings(authority: Authority, gateway, plain: str) -> None:
    """By hand: what is asked and sent before TLS is there."""
    with TlsClient(gateway.port, authority) as client:
        client.log_in("plain", plain)
        expect(client.ask(pgwire.query("SELECT 1"))[-1].tag == "Z", "a statement")
    with TlsClient(gateway.port, authority, direct="postgresql") as client:
        client.log_in("plain", plain)
    with TlsClient(gateway.port, authority, direct="") as client:
        client.send(pgwire.startup("plain", "shop"))
        expect(client.read() is None, "TLS at once was taken without the protocol's name")
    expect(counted(gateway, "client", "protocol") == 1, "that is not counted")
    with contextlib.suppress(ssl.SSLError), TlsClient(gateway.port, authority, direct="http/1.1"):
        raise AssertionError("HTTP was led to PostgreSQL")
    with pgwire.Client(gateway.port) as client:
        for _ in range(3):
            client.send(GSSENC_REQUEST)
            expect(client.read_raw() == b"N", "GSSAPI's encryption is not declined")
        client.send(SSL_REQUEST)
        expect(client.read_raw() == b"S", "no TLS behind that")
    with TlsClient(gateway.port, authority) as client:
        client.send(SSL_REQUEST)
        expect(client.read().tag == "E" and client.read() is None, "TLS is asked for inside of TLS")
    login = pgwire.startup("plain", "shop")
    for behind in (b"\0", login, SSL_REQUEST, pgwire.password(plain)):
        with pgwire.Client(gateway.port) as client:
            client.send(SSL_REQUEST + behind)
            expect(client.read_raw() == b"", f"bytes behind the request were taken: {bytes(client.received)}")
    expect(counted(gateway, "client", "early-bytes") == 4, "early bytes are not counted")
    # In a piece of their own they are no TLS, whether they come before the answer is read or not.
    with pgwire.Client(gateway.port) as client:
        client.send(SSL_REQUEST)
        time.sleep(0.1)
        client.send(login)
        while client.read_raw():
            pass
        expect(b"R" not in client.received[:1] and not bytes(client.received[1:]).startswith(b"R"), "a login in clear")
    with pgwire.Client(gateway.port, byte_by_byte=True) as client:
        client.send(SSL_REQUEST)
        expect(client.read_raw() == b"S", "a request byte by byte")
    with pgwire.Client(gateway.port) as client:
        client.send(login)
        got = client.read()
        expect(got.tag == "E" and got.fields()["C"] == "28000" and client.read() is None, f"in clear: {got}")


def check_middle(authority: Authority, gateway, key: str) -> None:
    """A certificate for the gateway's name is not enough to read along, unless the client does not bind."""
    middle = Middle(gateway.port, authority.issue("middle", "DNS:gw.test"), authority)
    for binding in ("prefer", "require"):
        done = ask(verified(authority, middle.port, key, PGCHANNELBINDING=binding), "SELECT 1", check=False)
        expect(done.returncode == 2 and "channel_binding" in done.stderr, f"somebody between: {done}")
    done = ask(verified(authority, middle.port, key, PGCHANNELBINDING="disable"), "SELECT 'in'")
    expect(done.stdout == "in\n", f"the one between does not work at all: {done}")
    middle.close()


def check_cancels(authority: Authority, gateway, key: str, in_clear: bool) -> None:
    with TlsClient(gateway.port, authority) as client:
        login = log_in_plain(client, key)
        client.send(pgwire.query("SELECT pg_sleep(60)"))
        wait_until(lambda: running(authority, gateway, key) == "1", "the statement to run")
        packet = struct.pack("!II", 8 + len(login), CANCEL) + login
        with pgwire.Client(gateway.port) as other:
            other.send(packet)
            expect(other.read() is None, "a cancel got an answer")
        if not in_clear:
            expect(running(authority, gateway, key) == "1", "a cancel in clear was taken")
            with TlsClient(gateway.port, authority) as other:
                other.send(packet)
                expect(other.read() is None, "a cancel got an answer")
        got = client.read_until("Z")
        expect(got[-2].tag == "E" and got[-2].fields()["C"] == "57014", f"not cancelled: {got}")
    if not in_clear:
        return
    # libpq before 17 sends it in clear.
    asking = subprocess.Popen([BIN / "psql", "-X", "-w", "-c", "SELECT pg_sleep(60)"], text=True,
                              env=verified(authority, gateway.port, key, PGUSER="plain"), stderr=subprocess.PIPE)
    wait_until(lambda: running(authority, gateway, key) == "1", "the statement to run")
    asking.send_signal(signal.SIGINT)
    expect("canceling statement" in asking.communicate(timeout=30)[1], "Ctrl-C does not work")


def running(authority: Authority, gateway, key: str) -> str:
    return ask(verified(authority, gateway.port, key, PGUSER="plain"),
               "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'").stdout.strip()


def log_in_plain(client: pgwire.Client, key: str) -> bytes:
    """Its cancel key."""
    client.send(pgwire.startup("plain", "shop"))
    client.read()
    return next(one.body for one in client.ask(pgwire.password(key)) if one.tag == "K")


def check_target(authority: Authority, gateway, keys) -> None:
    """Nothing goes there in clear, whatever it is for."""
    scram, plain = keys
    used = ask(verified(authority, gateway.port, scram),
               "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").stdout
    expect(used == "t|TLSv1.3\n", f"the target is spoken to in clear: {used}")
    expect(counted(gateway, "target", "TLSv1.3") > 0, "handshakes with the target are not counted")
    check_cancels(authority, gateway, plain, in_clear=False)


def check_wrong_targets(context, cluster: Cluster, authority: Authority, ports) -> None:
    """Each is refused before it hears who asks."""
    stranger = Authority(context.folder, "another")
    cases = [
        ("stranger", cluster.port, f"{{ca: file:{stranger.ca}}}", "untrusted", "certificate that is not accepted"),
        ("misnamed", cluster.port, f"{{ca: file:{authority.ca}, name: other.test}}", "wrong-name", "not accepted"),
        ("clear", ports["clear"], f"{{ca: file:{authority.ca}}}", "refused", "no TLS could be spoken"),
        ("early", ports["early"], f"{{ca: file:{authority.ca}}}", "early-bytes", "no TLS could be spoken"),
        ("odd", ports["odd"], f"{{ca: file:{authority.ca}}}", "not-tls", "no TLS could be spoken"),
    ]
    for name, port, setting, reason, told in cases:
        gateway = PostgresGateway(context, cluster, name=f"to-{name}", pool=f"tls: {setting}")
        text = gateway.configuration.read_text()
        gateway.configuration.write_text(text.replace(f"[127.0.0.1:{cluster.port}]", f"[127.0.0.1:{port}]"))
        gateway.start()
        done = ask(gateway.environment, "SELECT 1", check=False)
        expect(done.returncode == 2 and told in done.stderr, f"{name}: {done}")
        expect(counted(gateway, "target", reason) >= 1, f"{name}: '{reason}' is not counted")
        gateway.stop()
        gateway.expect_verified()
        events = [r.get("detail", "") for r in gateway.records() if r.get("event") == "tls-target-refused"]
        expect(len(events) == 1 and f": {reason}" in events[0], f"{name}: no event says why: {events}")


class Server:
    """Answers an SSLRequest with these bytes, and keeps what it hears then."""

    def __init__(self, answer: bytes):
        self._answer = answer
        self.heard = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                with client, contextlib.suppress(OSError):
                    expect(client.recv(8, socket.MSG_WAITALL) == SSL_REQUEST, "TLS is not asked for")
                    client.sendall(self._answer)
                    while piece := client.recv(4096):
                        self.heard += piece


def check_impostor(context, cluster: Cluster, authority: Authority) -> None:
    """Somebody with a good certificate for the target's name passes on the gateway's login: it is bound to the
    target's own certificate, so it opens nothing."""
    middle = Middle(cluster.port, authority.issue("impostor", "IP:127.0.0.1"), authority)
    gateway = PostgresGateway(context, cluster, name="impostor", pool=f"tls: {{ca: file:{authority.ca}}}")
    text = gateway.configuration.read_text()
    gateway.configuration.write_text(text.replace(f"[127.0.0.1:{cluster.port}]", f"[127.0.0.1:{middle.port}]"))
    gateway.start()
    done = ask(gateway.environment, "SELECT 1", check=False)
    expect(done.returncode == 2 and "refused the gateway's own login" in done.stderr, f"an impostor: {done}")
    expect(counted(gateway, "target", "TLSv1.3") == 1, "it did not come to TLS at all")
    gateway.stop()
    middle.close()


def run(context) -> None:
    authority = Authority(context.folder)
    pair = authority.issue("db", "IP:127.0.0.1")
    if os.geteuid() == 0:
        os.chown(pair[1], pwd.getpwnam(OWNER).pw_uid, -1)
    pair[1].chmod(0o600)
    cluster = Cluster(context, f"ssl = on\nssl_cert_file = '{pair[0]}'\nssl_key_file = '{pair[1]}'\n")
    (cluster.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    cluster.psql("SELECT pg_reload_conf()")

    shown = authority.issue("gw", "DNS:gw.test")
    tls = f"tls: {{certificate: file:{shown[0]}, key: file:{shown[1]}}}"
    target_tls = f"tls: {{ca: file:{authority.ca}}}"
    for mode in ("session", "transaction"):
        gateway = PostgresGateway(context, cluster, name=f"gw-{mode}", pool=target_tls,
                                  listener=f"{tls}\n    postgres: {{mode: {mode}}}")
        plain = gateway.new_key("plain", "testers")
        scram = gateway.new_key("tester", "testers", "1h", "--scram")
        gateway.start()
        checked = gateway.sluice("check", "-c", gateway.configuration, check=True).out
        expect("bound to the TLS channel" in checked and "must be for 127.0.0.1" in checked, f"check: {checked}")
        check_psql(authority, gateway, (scram, plain))
        check_drivers(authority, gateway, scram)
        check_openings(authority, gateway, plain)
        check_middle(authority, gateway, scram)
        check_target(authority, gateway, (scram, plain))
        gateway.stop()
        refused = {r.get("detail") for r in gateway.expect_complete() if r.get("event") == "refused"}
        expect({"in-clear", "cancel-in-clear", "repeated-request", "channel_binding"} <= refused, f"recorded: {refused}")

    # Where cancel requests in clear are taken.
    gateway = PostgresGateway(context, cluster, name="gw-cancels", pool=target_tls,
                              listener=f"{tls}\n    postgres: {{cancels_in_clear: true}}")
    plain = gateway.new_key("plain", "testers")
    gateway.start()
    check_cancels(authority, gateway, plain, in_clear=True)
    gateway.stop()

    servers = {"clear": Server(b"N"), "early": Server(b"S" + pgwire.message("R", struct.pack("!I", 0))),
               "odd": Server(b"HTTP/1.1 400")}
    check_wrong_targets(context, cluster, authority, {name: server.port for name, server in servers.items()})
    expect(not any(server.heard for server in servers.values()), "something went in clear behind the answer")
    check_impostor(context, cluster, authority)
