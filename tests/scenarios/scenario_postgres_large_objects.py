"""Large objects, which libraries reach by function calls outside of statements: they work as
without the gateway, are judged as the same SELECT would be, masked, limited and recorded."""
import struct

import psycopg2

from harness import pgwire as w
from harness.context import expect
from harness.postgres import PASSWORD, Cluster, PostgresGateway

CARD, SHOWN = b"4111111111111111", b"411111******1111"
LO_CREATE, LO_OPEN, LO_CLOSE, LO_READ, LO_WRITE = 715, 952, 953, 954, 955
READ_WRITE = 0x60000
NUMBER = 4242
PG_SLEEP, VERSION = 2626, 89
POLICIES = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
    limits: {max_bytes: 1MiB}
  - name: clerks select
    principals: {groups: [clerks]}
    operations: {sql: {classes: [select, transaction]}}
    ruling: allow
  - name: readers open and read
    principals: {groups: [readers]}
    operations: {sql: {classes: [select, transaction], functions: [lo_open, loread, lo_close]}}
    ruling: allow
  - name: no code words
    principals: {groups: [testers]}
    operations: {sql: {patterns: ["swordfish"]}}
    ruling: deny
"""
MASKS = """
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
"""
BEGIN, ROLLBACK = w.query("BEGIN"), w.query("ROLLBACK")


def int4(value: int) -> bytes:
    return struct.pack("!i", value)


def use(port: int, user: str, password: str, card: bytes) -> None:
    """What psycopg2, by libpq, does with them."""
    with psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="shop",
                          sslmode="disable") as connection:
        made = connection.lobject(0, "wb")
        data = bytes(range(256)) * 1000
        expect(made.write(data) == len(data), "psycopg2 wrote less")
        expect(made.seek(0, 2) == len(data) and made.tell() == len(data), "the end is elsewhere")
        made.truncate(1000)
        made.close()
        read = connection.lobject(made.oid, "rb")
        expect(read.read() == data[:1000], "psycopg2 read something else")
        read.seek(10)
        expect(read.read(5) == data[10:15], "psycopg2 read elsewhere")
        read.close()
        text = connection.lobject(0, "wb")
        text.write(b"card " + CARD + b".")
        text.seek(0)
        seen = text.read()
        expect(seen == b"card " + card + b".", f"psycopg2 saw {seen}")
        text.unlink()
        made.unlink()
    connection.close()


def code(messages) -> str:
    return " ".join(m.fields()["C"] for m in messages if m.tag == "E")


def tags(messages) -> str:
    return "".join(m.tag for m in messages)


def result(messages) -> bytes:
    body = next(m.body for m in messages if m.tag == "V")
    return body[4:]


def opened(client) -> bytes:
    """A descriptor of a new object in a transaction."""
    client.ask(BEGIN)
    number = result(client.ask(w.call(LO_CREATE, int4(0))))
    return result(client.ask(w.call(LO_OPEN, number, int4(READ_WRITE))))


def by_hand(gateway, *, byte_by_byte: bool) -> None:
    with w.Client(gateway.port, byte_by_byte=byte_by_byte).log_in("tester", gateway.key) as client:
        file = opened(client)
        expect(tags(client.ask(w.call(LO_WRITE, file, CARD))) == "VZ", "a small write")
        client.ask(w.query(f"SELECT lo_lseek({int.from_bytes(file, 'big')}, 0, 0)"))
        both = client.ask(w.call(LO_READ, file, int4(100), result=w.TEXT))
        expect(CARD.hex().encode() not in result(both) and tags(both) == "VZ", f"the text form shows {result(both)}")
        expect(tags(client.ask(w.call(LO_CLOSE, file))) == "VZ", "close")
        # Errors of the server's, and of the gateway's, leave the session as they should.
        expect(code(client.ask(w.call(LO_CLOSE, int4(77)))) == "42704", "a descriptor that is none")
        expect(client.ask(ROLLBACK)[-1].body == b"I", "rolled back")
        for function in (PG_SLEEP, VERSION, 0, 0xFFFFFFFF):
            expect(code(client.ask(w.call(function))) == "0A000", f"function {function}")
        file = opened(client)
        refused = client.ask(w.call(LO_WRITE, file, b"the word is swordfish, isn't it?"))
        expect(code(refused) == "42501" and refused[-1].body == b"E", f"a pattern was not found: {refused}")
        client.ask(ROLLBACK)
        client.ask(BEGIN)
        refused = client.ask(w.call(VERSION))
        expect(code(refused) == "0A000" and refused[-1].body == b"E", "a transaction went on after a refusal")
        client.ask(ROLLBACK)
        expect(code(client.ask(w.query("SELECT 1"))) == "", "the session goes on")
    with w.Client(gateway.port).log_in("tester", gateway.key) as client:
        client.send(w.message("F", struct.pack("!IHHH", LO_OPEN, 1, 1, 9), struct.pack("!H", 1)))
        expect(code(client.read_until("E")) == "08P01", "a malformed call was taken")


def limits(gateway) -> None:
    with w.Client(gateway.port).log_in("tester", gateway.key) as client:
        file = opened(client)
        piece = bytes(900_000)
        for _ in range(2):
            expect(tags(client.ask(w.call(LO_WRITE, file, piece))) == "VZ", "a write of 900 kB")
        over = client.ask(w.call(LO_WRITE, file, bytes(1_200_000)))
        expect(code(over) == "54000" and over[-1].body == b"E", "a call longer than a statement may be")
        client.ask(ROLLBACK)
        file = opened(client)
        for _ in range(2):
            client.ask(w.call(LO_WRITE, file, piece))
        client.ask(w.query(f"SELECT lo_lseek({int.from_bytes(file, 'big')}, 0, 0)"))
        expect(len(result(client.ask(w.call(LO_READ, file, int4(900_000))))) == 900_000, "a read of 900 kB")
        client.ask(w.query(f"SELECT lo_lseek({int.from_bytes(file, 'big')}, 0, 0)"))
        cut = client.ask(w.call(LO_READ, file, int4(1_800_000)))
        expect(code(cut) == "54000" and cut[-1].body == b"E" and "V" not in tags(cut), f"not cut: {tags(cut)}")
        client.ask(ROLLBACK)


def rules(gateway, clerk: str, reader: str) -> None:
    with w.Client(gateway.port).log_in("clerk", clerk) as client:
        expect(code(client.ask(w.call(LO_OPEN, int4(NUMBER), int4(READ_WRITE)))) == "42501", "a clerk opened one")
    with w.Client(gateway.port).log_in("reader", reader) as client:
        client.ask(BEGIN)
        file = result(client.ask(w.call(LO_OPEN, int4(NUMBER), int4(0x40000))))
        expect(result(client.ask(w.call(LO_READ, file, int4(100)))) == b"public text", "a reader read another")
        expect(code(client.ask(w.call(LO_WRITE, file, b"x"))) == "42501", "a reader wrote")


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql(f"SELECT lo_from_bytea({NUMBER}, 'public text'); GRANT SELECT ON LARGE OBJECT {NUMBER} TO PUBLIC",
                 database="shop")
    use(cluster.port, "app", PASSWORD, CARD)
    for mode in ("session", "transaction"):
        gateway = PostgresGateway(context, cluster, policies=POLICIES, masks=MASKS, mode=mode, name=f"gw-{mode}")
        clerk, reader = gateway.new_key("clerk", "clerks"), gateway.new_key("reader", "readers")
        gateway.start()
        use(gateway.port, "tester", gateway.key, SHOWN)
        for byte_by_byte in (False, True):
            by_hand(gateway, byte_by_byte=byte_by_byte)
        limits(gateway)
        rules(gateway, clerk, reader)
        gateway.stop()
        records = gateway.expect_complete()
        texts = [record.get("resource", "") for record in records if record["phase"] == "intent"]
        expect(sum("loread" in text for text in texts) >= 8, f"reads were not recorded: {texts}")
        denied = [record["resource"] for record in records if record.get("ruling") == "deny"]
        expect(len(denied) == 4 and all("pg_catalog.lo" in text for text in denied), f"refused were {denied}")
