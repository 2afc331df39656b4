"""Logging in by SCRAM-SHA-256 with real clients and by hand, protocol 3.2's cancel keys,
and what only an attacker sends before it is in. Each ends as it should, and the gateway
lives on."""
import asyncio
import base64
import hashlib
import hmac
import re
import socket
import struct

import asyncpg
import psycopg2

from harness import pgwire
from harness.context import expect, wait_until
from harness.postgres import ALLOW_ALL, Cluster, PostgresGateway, environment, program
from harness.pgwire import Client, message, startup, text

SSL, GSSENC, CANCEL = 80877103, 80877104, 80877102
V3_0, V3_1, V3_2 = 3 << 16, 3 << 16 | 1, 3 << 16 | 2


def packet(code: int, body: bytes = b"") -> bytes:
    return struct.pack("!II", 8 + len(body), code) + body


def initial(data: bytes | None, mechanism: str = "SCRAM-SHA-256") -> bytes:
    return message("p", text(mechanism), struct.pack("!i", -1 if data is None else len(data)), data or b"")


class Scram:
    """A client's side, to be bent at will."""

    def __init__(self, client: Client, secret: str, user: str = "tester", header: str = "n,,", database: str = "shop",
                 version: int = V3_0):
        self.client, self.secret, self.header = client, secret, header
        client.send(startup(user, database, version=version))
        asked = client.read()
        expect(asked and asked.tag == "R" and asked.body == struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0",
               f"another way in was offered: {asked}")

    def first(self, bare: str = "n=,r=fyko+d2lbbFgONRv9qkxdawL") -> "Scram":
        self.bare = bare
        self.client.send(initial((self.header + bare).encode()))
        reply = self.client.read()
        if reply.tag == "E":
            raise Refused(reply)
        expect(reply.body[:4] == struct.pack("!I", 11), f"no challenge: {reply}")
        self.challenge = reply.body[4:].decode()
        self.values = dict(part.split("=", 1) for part in self.challenge.split(","))
        return self

    def final(self, *, header: str | None = None, nonce: str | None = None, flip: bool = False, end: str = "") -> None:
        salted = hashlib.pbkdf2_hmac("sha256", self.secret.encode(), base64.b64decode(self.values["s"]),
                                     int(self.values["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        binding = base64.b64encode((self.header if header is None else header).encode()).decode()
        unproven = f"c={binding},r={self.values['r'] if nonce is None else nonce}"
        said = f"{self.bare},{self.challenge},{unproven}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), said, "sha256")
        proof = bytearray(a ^ b for a, b in zip(key, signature))
        proof[0] ^= flip
        self.client.send(message("p", f"{unproven},p={base64.b64encode(proof).decode()}{end}".encode()))
        reply = self.client.read()
        if reply.tag == "E":
            raise Refused(reply)
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
        expect(reply.body == struct.pack("!I", 12) + b"v=" + base64.b64encode(server), f"another server: {reply}")

    def log_in(self) -> list[pgwire.Message]:
        self.first().final()
        return self.client.read_until("Z")


class Refused(Exception):
    def __init__(self, reply: pgwire.Message):
        super().__init__(str(reply))
        self.code = reply.fields()["C"]


def refused_with(code: str, what: str, action) -> None:
    try:
        action()
    except Refused as refusal:
        expect(refusal.code == code, f"{what}: {refusal}")
        return
    raise AssertionError(f"{what} was taken")


def check_clients(gateway, key: str, plain: str) -> None:
    """libpq and asyncpg have a SCRAM of their own each."""
    expect(gateway.psql("SELECT 'in'") == "in", "psql by SCRAM")
    with psycopg2.connect(host="127.0.0.1", port=gateway.port, user="tester", password=key, dbname="shop",
                          sslmode="disable") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name')")
        expect(cursor.fetchone()[0].startswith("tester via sluice"), "not tester")

    async def look() -> None:
        connection = await asyncpg.connect(host="127.0.0.1", port=gateway.port, user="tester", password=key,
                                           database="shop", ssl=False)
        expect(await connection.fetchval("SELECT 1") == 1, "asyncpg by SCRAM")
        await connection.close()
    asyncio.run(look())
    for user, password in (("tester", key[:-1] + "_"), ("tester", "wrong"), ("tester", plain), ("nobody", key)):
        done = program(environment(gateway.port, user, password), "psql", "-X", "-w", "-c", "SELECT 1", check=False)
        expect(done.returncode == 2 and "FATAL:  authentication failed" in done.stderr, f"{user}: {done}")


def check_scram(gateway, key: str) -> None:
    def begin(**options) -> Scram:
        return Scram(Client(gateway.port), key, **options)
    expect(begin().log_in()[-1].tag == "Z", "SCRAM by hand")
    expect(begin(header="y,,").log_in()[-1].tag == "Z", "a client that could bind the channel")
    refused_with("28P01", "a flipped bit", lambda: begin().first().final(flip=True))
    for what, options in (("another header", {"header": "y,,"}), ("another nonce", {"nonce": "abc"}),
                          ("more behind the proof", {"end": ",x=y"})):
        refused_with("08P01", what, lambda: begin().first().final(**options))
    for header in ("p=tls-server-end-point,,", "n,a=root,", "x,,", ""):
        refused_with("08P01", f"the header {header}", lambda: begin(header=header).first())
    for bare in ("r=abc", "n=,r=", "n=", "m=x,n=,r=abc", "n=,r=a\0b", "n=,r=" + "a" * 1500, ""):
        refused_with("08P01", f"the first message {bare[:20]}", lambda: begin().first(bare))
    for sent in (initial(b"n,,n=,r=abc", "SCRAM-SHA-256-PLUS"), initial(b"n,,n=,r=abc", "PLAIN"), initial(None),
                 pgwire.password(key), message("p"), pgwire.query("SELECT 1"), message("p", b"x" * 3000),
                 initial(b"n,,n=,r=abc")[:-1] + b"\0", message("p", text("SCRAM-SHA-256"), b"\xff\xff\xff\xf0abc")):
        one = begin().client
        one.send(sent)
        got = one.read_until("E")
        expect(got and got[-1].tag == "E" and got[-1].fields()["C"] == "08P01" and one.read() is None,
               f"{sent[:30]} got {got}")
    # A proof does not work twice: each login has a nonce of its own.
    one, other = begin().first(), begin().first()
    expect(one.values["r"] != other.values["r"] and one.values["s"] == other.values["s"], "nonces and salts")
    other.challenge, other.values = one.challenge, one.values
    refused_with("08P01", "a proof of another login", other.final)


def check_enumeration(gateway) -> None:
    """Who is not known, or has no verifier, is asked for the same, and gets nowhere."""
    def asked(user: str) -> dict[str, str]:
        with Client(gateway.port) as client:
            return Scram(client, "", user=user).first().values
    known, unknown, plain = asked("tester"), asked("nobody"), asked("plain")
    for values in (unknown, plain):
        expect(values["i"] == known["i"] and len(values["s"]) == len(known["s"])
               and len(values["r"]) == len(known["r"]), f"{values} is not like {known}")
    expect(unknown["s"] == asked("nobody")["s"] and unknown["s"] != plain["s"] != known["s"], "salts")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    gateway.stop()
    gateway.start()
    expect(asked("nobody")["s"] == unknown["s"] and asked("tester")["s"] == known["s"], "a salt changed in a restart")
    refused_with("28P01", "nobody", lambda: Scram(Client(gateway.port), "x", user="nobody").first().final())


def check_expiry(gateway) -> None:
    short = gateway.new_key("shorty", "testers", "2s", "--scram")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    Scram(Client(gateway.port), short, user="shorty").log_in()

    def is_over() -> bool:
        try:
            Scram(Client(gateway.port), short, user="shorty").log_in()
        except Refused as refusal:
            return refusal.code == "28P01"
        return False
    wait_until(is_over, "the key to expire")
    # Of two verifiers the newer one counts.
    newer = gateway.new_key("shorty", "testers", "1h", "--scram")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    Scram(Client(gateway.port), newer, user="shorty").log_in()
    refused_with("28P01", "the older key", lambda: Scram(Client(gateway.port), short, user="shorty").log_in())
    # A withdrawn one ends its session, and opens none.
    client = Client(gateway.port)
    Scram(client, newer, user="shorty").log_in()
    entries = gateway.keys_file.read_text().split("\n- ")
    gateway.keys_file.write_text("\n- ".join(entry for entry in entries if "shorty" not in entry) + "\n")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    got = client.ask(pgwire.query("SELECT 1"))
    expect(got[0].tag == "E" and "no longer valid" in got[0].fields()["M"], f"a withdrawn key: {got}")
    refused_with("28P01", "a withdrawn key", lambda: Scram(Client(gateway.port), newer, user="shorty").log_in())


def cancel_key(messages: list[pgwire.Message]) -> bytes:
    return next(one.body for one in messages if one.tag == "K")


def check_versions(gateway, key: str) -> None:
    """3.2 has long cancel keys; what is newer still is told what there is."""
    for version, key_bytes in ((V3_0, 4), (V3_1, 4), (V3_2, 32)):
        with Client(gateway.port) as client:
            own = cancel_key(Scram(client, key, version=version).log_in())
            expect(len(own) == 4 + key_bytes, f"a cancel key of {len(own)} bytes in {version & 0xFFFF}")
            client.send(pgwire.query("SELECT pg_sleep(60)"))
            wait_until(lambda: gateway.psql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                                            " AND state = 'active'") == "1", "the statement to run")
            short, long = own[:8], own + bytes(36 - len(own))
            for forged in (own[:-1] + bytes([own[-1] ^ 1]), own[:4] + bytes(len(own) - 4), own + b"\0",
                           short if key_bytes == 32 else long, own[:4] + own[4:8] * 64):
                with Client(gateway.port) as other:
                    other.send(packet(CANCEL, forged))
                    expect(other.read() is None, "a cancel got an answer")
            with Client(gateway.port) as other:  # Another session's key cancels that session, not this.
                theirs = cancel_key(Scram(other, key, version=version).log_in())
                with Client(gateway.port) as forger:
                    forger.send(packet(CANCEL, theirs))
                    forger.read()
                expect(other.ask(pgwire.query("SELECT 1"))[-1].tag == "Z", "an idle session was disturbed")
            expect(gateway.psql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
                                " AND state = 'active'") == "1", "a forged key cancelled a session")
            with Client(gateway.port) as other:
                other.send(packet(CANCEL, own))
                expect(other.read() is None, "a cancel got an answer")
            got = client.read_until("Z")
            expect(got[-2].tag == "E" and got[-2].fields()["C"] == "57014", f"not cancelled: {got}")
    for version, parameters, told in ((V3_0 | 9, (), (V3_2, [])), (V3_0 | 0xFFFF, (), (V3_2, [])),
                                      (V3_0, (("_pq_.later", "1"),), (V3_0, ["_pq_.later"])),
                                      (V3_2, (("_pq_.a", "1"), ("_pq_.b", "")), (V3_2, ["_pq_.a", "_pq_.b"]))):
        with Client(gateway.port) as client:
            client.send(startup("tester", "shop", *parameters, version=version))
            said = client.read()
            options = [name.decode() for name in said.body[8:].split(b"\0")[:-1]]
            expect(said.tag == "v" and struct.unpack_from("!II", said.body) == (told[0], len(told[1]))
                   and options == told[1], f"negotiated: {said}")
            expect(client.read().tag == "R", "the login does not go on")
    for version in (2 << 16, 4 << 16, 0, 0xFFFFFFFF):
        with Client(gateway.port) as client:
            client.send(startup("tester", "shop", version=version))
            expect(client.read().tag == "E" and client.read() is None, f"version {version:x}")


def check_attacks(gateway, key: str) -> None:
    """What each gets; the connection is closed afterwards."""
    login = startup("tester", "shop")
    many = startup("tester", "shop", *((f"p{n}", "x") for n in range(200)))
    body = struct.pack("!I", V3_0) + b"user\0tester\0database\0shop"
    unended = struct.pack("!I", 4 + len(body)) + body
    refused = {
        "bytes behind SSLRequest": packet(SSL) + login,
        "one byte behind GSSENCRequest": packet(GSSENC) + b"\0",
        "two SSLRequests at once": packet(SSL) + packet(SSL),
        "an SSLRequest with a body": packet(SSL, b"1234"),
        "a length of nothing": struct.pack("!II", 0, V3_0),
        "a length of 7": struct.pack("!II", 7, V3_0),
        "a length of 10 KiB and more": struct.pack("!II", 10_005, V3_0),
        "a length of 4 GiB": struct.pack("!II", 0xFFFFFFFF, V3_0),
        "a text without its end": unended,
        "a name without a value": packet(V3_0, b"user\0tester\0database\0"),
        "no user": packet(V3_0, b"database\0shop\0\0"),
        "no parameter at all": packet(V3_0, b"\0"),
        "bytes behind the last parameter": packet(V3_0, b"user\0tester\0\0more\0"),
        "a user twice": packet(V3_0, b"user\0tester\0user\0root\0\0"),
        "200 parameters": many,
        "options": startup("tester", "shop", ("options", "-c log_statement=none")),
        "another role": startup("tester", "shop", ("role", "app")),
        "replication that means nothing": startup("tester", "shop", ("replication", "maybe")),
        "a cancel key of 257 bytes": packet(CANCEL, bytes(4 + 257)),
        "a cancel key of 3 bytes": packet(CANCEL, bytes(4 + 3)),
        "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(100),
    }
    for what, sent in refused.items():
        for byte_by_byte in (False, True):
            with Client(gateway.port, byte_by_byte=byte_by_byte) as client:
                client.send(sent)
                # One by one the bytes come after the answer, which is fair.
                got = [one for one in (client.read(), client.read()) if one]
                if byte_by_byte and client.received[:1] == b"N":
                    continue
                expect(len(got) == 1 and got[0].tag == "E" and client.has_ended, f"{what} got {got}")
                expect(got[0].fields()["S"] == "FATAL", f"{what}: {got}")
    # Asked again and again, in turn, it answers each time.
    with Client(gateway.port) as client:
        for code in (SSL, GSSENC, SSL, SSL, GSSENC):
            client.send(packet(code))
            expect(client.read_raw() == b"N", "no answer to an encryption request")
        expect(Scram(client, key).log_in()[-1].tag == "Z", "no login after five requests")
    # Parts of a login, then nothing.
    for size in (0, 1, 4, 7, 8, len(login) - 1):
        with Client(gateway.port) as client:
            client.send(login[:size])
    # Messages in the wrong phase.
    for sent in (pgwire.query("SELECT 1"), pgwire.SYNC, pgwire.TERMINATE, b"\0\0\0\0\0", b"?" * 50,
                 message("p", b"x" * 70_000)):
        with Client(gateway.port) as client:
            Scram(client, key)
            client.send(sent)
            got = client.read_until("E")
            expect(got and got[-1].tag == "E" and client.read() is None, f"{sent[:10]} before the login got {got}")
    # A login and its first statement in one piece: the statement waits for the proof.
    with Client(gateway.port) as client:
        client.send(login + initial(b"n,,n=,r=abc") + pgwire.query("SELECT 1"))
        got = client.read_until("E")
        expect(got[-1].tag == "E" and not any(one.tag in "DTCZ" for one in got), f"an early statement got {got}")


def check_flood(gateway, key: str) -> None:
    """Logins that stay half open end by themselves, and others get in meanwhile."""
    login = startup("tester", "shop")
    flood = []
    for n in range(500):
        one = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
        one.sendall((b"", login[:5], packet(SSL), login)[n % 4])
        flood.append(one)
    expect(Scram(Client(gateway.port), key).log_in()[-1].tag == "Z", "no login during a flood")
    for one in flood:
        while one.recv(4096):
            pass
        one.close()
    expect(Scram(Client(gateway.port), key).log_in()[-1].tag == "Z", "no login after a flood")
    metrics = gateway.admin("GET", "/metrics")[1]
    stay = int(re.search(r"(?m)^sluice_client_connections(?:\{.*\})? (\d+)", metrics).group(1))
    expect(stay < 50, f"{stay} clients stay")


def run(context) -> None:
    cluster = Cluster(context)
    # No password ever goes in clear here.
    gateway = PostgresGateway(context, cluster, policies=ALLOW_ALL, listener="postgres: {login: 2s}")
    plain = gateway.new_key("plain", "testers")
    gateway.key = key = gateway.new_key("tester", "testers", "1h", "--scram")
    gateway.start()
    check_clients(gateway, key, plain)
    check_scram(gateway, key)
    check_enumeration(gateway)
    check_expiry(gateway)
    check_versions(gateway, key)
    check_attacks(gateway, key)
    check_flood(gateway, key)
    expect(gateway.psql("SELECT 'alive'") == "alive", "the gateway does not live on")
    gateway.stop()
    records = gateway.expect_complete()
    refusals = {record.get("detail") for record in records if record.get("event") == "refused"}
    expect({"wrong_proof", "channel_binding", "bad_nonce", "malformed", "expired key", "early-bytes",
            "startup-parameter"} <= refusals, f"recorded: {refusals}")
