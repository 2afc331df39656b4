"""Limits of rules hold against a real PostgreSQL: what brings too much is cut, whatever way it is
asked for, the transaction fails at both ends, and the record says what was cut and why."""
import time

from harness import pgwire as w
from harness.context import expect
from harness.postgres import Cluster, PostgresGateway

SETUP = """
CREATE TABLE numbers (n int PRIMARY KEY);
INSERT INTO numbers SELECT i FROM generate_series(1, 1000) i;
CREATE TABLE log (line text);
"""
POLICIES = """
  - name: five rows
    principals: {groups: [testers]}
    ruling: allow
    limits: {max_rows: 5, max_bytes: 100KiB}
  - name: no more than ten
    principals: {groups: [testers, bulk]}
    operations: {sql: {classes: [select]}}
    ruling: allow
    limits: {max_rows: 10}
  - name: bulk may more
    principals: {groups: [bulk]}
    ruling: allow
    limits: {max_rows: 100000, max_bytes: 1MiB}
  - name: hurried
    principals: {groups: [hurried]}
    ruling: allow
    limits: {rate: 2/s, burst: 4}
"""
MASKS = """
  - {name: mail, find: builtin:email}
"""
TEN = "SELECT n FROM numbers WHERE n <= 10 ORDER BY n"
FIVE = "SELECT n FROM numbers WHERE n <= 5 ORDER BY n"
BEGIN, ROLLBACK, COUNT = w.query("BEGIN"), w.query("ROLLBACK"), w.query("SELECT count(*) FROM log")
INSERT = "INSERT INTO log SELECT 'x' FROM numbers RETURNING line"


def rows(messages) -> int:
    return sum(m.tag in "Dd" for m in messages)


def code(messages) -> str:
    return " ".join(m.fields()["C"] for m in messages if m.tag == "E")


def state(messages) -> str:
    return messages[-1].body.decode() if messages and messages[-1].tag == "Z" else "ended"


def piece(number: int, count: int = 0) -> bytes:
    return w.parse(TEN) + w.bind("", f"p{number}") + w.execute(f"p{number}", count)


# What is asked for, in turns; the rows that come, the errors and the state after the last of them.
ATTEMPTS = [
    ("all that is allowed", [w.query(FIVE)], 5, "", "I"),
    ("one row too many", [w.query("SELECT n FROM numbers WHERE n <= 6")], 5, "54000", "I"),
    ("by the extended protocol", [w.run(FIVE)], 5, "", "I"),
    ("one row too many by it", [w.run(TEN)], 5, "54000", "I"),
    ("described", [w.parse(TEN) + w.bind() + w.describe() + w.execute() + w.SYNC], 5, "54000", "I"),
    ("in binary", [w.run(TEN, results=(w.BINARY,))], 5, "54000", "I"),
    ("in a transaction", [BEGIN, w.query(TEN)], 5, "54000", "E"),
    ("in a transaction by the extended protocol", [BEGIN, w.run(TEN)], 5, "54000", "E"),
    ("and after it", [BEGIN, w.query(TEN), w.query("SELECT 1")], 5, "54000 25P02", "E"),
    ("and after the rollback", [BEGIN, w.query(TEN), ROLLBACK, w.query(FIVE)], 10, "54000", "I"),
    ("several statements", [w.query(f"{FIVE}; SELECT 1")], 5, "54000", "I"),
    ("several small ones", [w.query("SELECT 1; SELECT 2; SELECT 3")], 3, "", "I"),
    ("row by row", [BEGIN, w.parse(TEN) + w.bind("", "p") + w.execute("p", 1) * 10 + w.SYNC], 5, "54000", "E"),
    ("row by row in turns", [BEGIN, w.parse(TEN) + w.bind("", "p") + w.SYNC] + [w.execute("p", 1) + w.SYNC] * 6,
     5, "54000", "E"),
    ("two at a time", [BEGIN, w.parse(TEN) + w.bind("", "p") + w.execute("p", 2) * 3 + w.SYNC], 5, "54000", "E"),
    ("a portal's rest after a savepoint",
     [BEGIN, w.query("SAVEPOINT s"), w.parse(TEN) + w.bind("", "p") + w.execute("p", 5) + w.SYNC,
      w.parse("nonsense") + w.SYNC, w.query("ROLLBACK TO s"), w.execute("p", 5) + w.SYNC], 5, "42501 34000", "E"),
    ("a portal's rest after its name was to be taken anew",
     [BEGIN, w.parse(TEN, "t") + w.bind("t", "p") + w.execute("p", 5) + w.SYNC, w.query("SAVEPOINT s"),
      w.bind("t", "p") + w.SYNC, w.query("ROLLBACK TO s"), w.execute("p", 5) + w.SYNC], 5, "42P03 54000", "E"),
    ("a portal bound anew", [BEGIN, w.parse(FIVE, "t") + (w.bind("t") + w.execute()) * 2 + w.SYNC], 10, "", "T"),
    ("a cursor, by FETCH", [BEGIN, w.query(f"DECLARE c CURSOR FOR {TEN}"), w.query("FETCH 5 FROM c"),
                            w.query("FETCH 5 FROM c")], 10, "", "T"),
    ("too much by FETCH", [BEGIN, w.query(f"DECLARE c CURSOR FOR {TEN}"), w.query("FETCH 6 FROM c")], 5, "54000", "E"),
    ("a portal, by FETCH", [BEGIN, w.parse(TEN) + w.bind("", "p") + w.SYNC, w.query("FETCH ALL FROM p")],
     5, "54000", "E"),
    ("EXECUTE", [w.query(f"PREPARE t AS {TEN}"), w.query("EXECUTE t")], 5, "54000", "I"),
    ("COPY", [w.query("COPY numbers TO STDOUT")], 5, "54000", "I"),
    ("COPY by the extended protocol", [w.run("COPY numbers TO STDOUT")], 5, "54000", "I"),
    ("COPY of a query", [BEGIN, w.query(f"COPY ({TEN}) TO STDOUT")], 5, "54000", "E"),
    ("a table of its own", [w.query("SELECT n INTO TEMP t FROM numbers"), w.query("SELECT * FROM t")],
     5, "54000", "I"),
    ("a table of its own by CREATE", [w.query("CREATE TEMP TABLE u AS TABLE numbers"), w.query("TABLE u")],
     5, "54000", "I"),
    ("rows that do not leave", [w.query("SELECT count(*) FROM numbers")], 1, "", "I"),
    ("a wide row", [w.query("SELECT repeat('x', 200000)")], 0, "54000", "I"),
    ("a row of megabytes", [w.query("SELECT repeat('x', 40000000)")], 0, "54000", "I"),
    ("rows too wide together", [w.query("SELECT repeat('x', 30000) FROM generate_series(1, 5)")], 3, "54000", "I"),
    ("what a command wrote is undone", [w.run(INSERT), COUNT], 6, "54000", "I"),
    ("what was written in a block is undone", [BEGIN, w.query(INSERT), ROLLBACK, COUNT], 6, "54000", "I"),
    ("what stands behind is not run", [w.parse(TEN) + w.bind() + w.execute() + w.parse("INSERT INTO log VALUES ('x')")
                                       + w.bind() + w.execute() + w.SYNC, COUNT], 6, "54000", "I"),
    ("what was sent ahead in a block is not run",
     [BEGIN + w.query(TEN) + w.query("INSERT INTO log VALUES ('x')"), b"", b"", w.query("COMMIT"), COUNT],
     6, "54000 25P02", "I"),
    ("copying in is not limited",
     [w.query("COPY log FROM STDIN") + w.copy_data(b"x\n" * 20) + w.COPY_DONE, w.query("TRUNCATE log")], 0, "", "I"),
    ("copying in behind too many rows",
     [w.query(f"{TEN}; COPY log FROM STDIN"), COUNT], 6, "54000", "I"),
    ("copying in by the extended protocol, with its Sync ahead",
     [w.run("COPY log FROM STDIN") + w.copy_data(b"x\n" * 20) + w.COPY_DONE + w.SYNC, w.query("TRUNCATE log")],
     0, "", "I"),
    ("a function that returns many", [w.query("SELECT generate_series(1, 1000000)")], 5, "54000", "I"),
    ("an error of the server's after the cut", [w.query("SELECT 1 / (n - 500) FROM numbers ORDER BY n")],
     5, "54000", "I"),
    ("an error of the server's after the cut, extended", [BEGIN, w.run("SELECT 1 / (n - 500) FROM numbers")],
     5, "54000", "E"),
]


def attempt(gateway, turns, byte_by_byte: bool):
    """What came, and what the session says after it."""
    with w.Client(gateway.port, byte_by_byte=byte_by_byte).log_in("tester", gateway.key) as client:
        got = []
        for turn in turns:
            got += client.ask(turn)
        client.ask(w.SYNC)
        client.ask(ROLLBACK)
        return got, client.ask(w.query("SELECT 'still here'"))


def check(gateway, byte_by_byte: bool) -> list[str]:
    faults = []
    for name, turns, *wanted in ATTEMPTS:
        try:
            got, after = attempt(gateway, turns, byte_by_byte)
        except OSError as fault:
            faults.append(f"{name}: {fault!r}")
            continue
        seen = [rows(got), code(got), state(got)]
        if seen != wanted:
            faults.append(f"{name}: {seen} instead of {wanted}: {got[-4:]}")
        if [m.values() for m in after if m.tag == "D"] != [[b"still here"]]:
            faults.append(f"{name}: then out of step: {after}")
    return faults


def check_rate(gateway, key: str) -> None:
    with w.Client(gateway.port).log_in("hare", key) as client:
        client.ask(w.SYNC)
        codes = [code(client.ask(w.query("SELECT 1"))) for _ in range(6)]
        expect(codes[:4] == [""] * 4 and codes[5] == "53400", f"a burst of four: {codes}")
        refusal = [m.fields() for m in client.ask(w.run("SELECT 1")) if m.tag == "E"]
        expect(refusal and refusal[0]["C"] == "53400" and "rule hurried, record " in refusal[0]["D"], f"{refusal}")
        with w.Client(gateway.port).log_in("hare", key) as other:
            expect(code(other.ask(w.query("SELECT 1"))) == "53400", "another session has a rate of its own")
        time.sleep(1.2)
        codes = [code(client.ask(w.query(text))) for text in ("SELECT 1; SELECT 2", "SELECT 1; SELECT 2")]
        expect(codes == ["", "53400"], f"two statements at a time: {codes}")
        time.sleep(2.2)
        codes = code(client.ask(w.parse("SELECT 1", "t") + (w.bind("t") + w.execute()) * 6 + w.SYNC))
        expect(codes == "53400", f"six executions of one statement: {codes}")


def check_records(gateway) -> None:
    records = gateway.expect_complete()
    cut = [r for r in records if r["phase"] == "outcome" and r["result"] == "cut"]
    reasons = {(r["rule"], r["reason"]) for r in cut}
    expect(reasons == {("five rows", "more than 5 rows"), ("five rows", "more than 102400 bytes"),
                       ("no more than ten", "more than 10 rows")}, f"cut because {reasons}")
    expect(all(r.get("rows_out", 0) <= 10 for r in cut), f"rows of what was cut: {cut[:3]}")
    whale = {r["session"] for r in records if r.get("subject") == "whale"}
    counts = [(r.get("rows_in", 0), r.get("rows_out", 0)) for r in records
              if r["phase"] == "outcome" and r["session"] in whale]
    expect(counts == [(1000, 0), (1000, 0), (0, 10), (1000, 1000), (3, 0), (0, 3), (1000, 3), (0, 10), (0, 10)],
           f"rows in and out: {counts}")
    rates = [r for r in records if r.get("rule") == "hurried" and r.get("ruling") == "deny"]
    expect(rates and "rate" in rates[0]["reason"], f"{rates[:1]}")


def check_counts(gateway, key: str) -> None:
    with w.Client(gateway.port).log_in("whale", key) as client:
        for text in ("INSERT INTO log SELECT 'x' FROM numbers", "UPDATE log SET line = 'y'", "TABLE log",
                     "DELETE FROM log WHERE line = 'y' RETURNING line"):
            client.ask(w.query(text))
        client.ask(w.query("COPY log FROM STDIN") + w.copy_data(b"x\nx\nx\n") + w.COPY_DONE)
        client.ask(w.query("COPY log TO STDOUT"))
        got = client.ask(w.query("SELECT 1; INSERT INTO log SELECT 'x' FROM numbers; SELECT 1 UNION SELECT 2"))
        expect(not code(got) and rows(got) == 3, f"{got}")
        expect(code(client.ask(w.query(TEN + ", random()"))) == "", "ten rows are allowed")
        expect(code(client.ask(w.query("SELECT n FROM numbers"))) == "54000", "the strictest does not count")


def check_skipping(gateway) -> None:
    """An error that comes while a long message still does: the rest of it is skipped, and nothing else."""
    long = w.parse("SELECT '" + "x" * 60_000 + "'")
    with w.Client(gateway.port) as client:
        client.log_in("tester", gateway.key)
        client.send(w.parse("SELECT n FROM nowhere") + w.FLUSH + long[:40_000])
        expect(code(client.read_until("E")) == "42P01", "the first statement has no error")
        expect(state(client.ask(long[40_000:] + w.SYNC)) == "I", "Sync was not heard")
        expect(rows(client.ask(w.query(FIVE))) == 5, "the session is not what it was")


def check_idle(context, cluster) -> None:
    """Who says nothing for its time is told so, within a transaction, too; who asks now and then stays."""
    gateway = PostgresGateway(context, cluster, name="idle", listener="postgres: {passwords_from_loopback: true, idle: 1s}")
    gateway.start()
    with (w.Client(gateway.port).log_in("tester", gateway.key) as busy,
          w.Client(gateway.port).log_in("tester", gateway.key) as resting,
          w.Client(gateway.port).log_in("tester", gateway.key) as beginner):
        beginner.ask(BEGIN)
        for _ in range(4):
            time.sleep(0.4)
            expect(rows(busy.ask(w.query("SELECT 1"))) == 1, "who asks is not served")
        for client in (resting, beginner):
            ended = client.read_until("E")
            expect(code(ended) == "57P05", f"who was idle is told {ended}")
        expect(rows(busy.ask(w.query("SELECT 1"))) == 1, "who asked was ended with the others")
    gateway.stop()
    gateway.expect_complete()


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    check_idle(context, cluster)
    for name, masks in (("plain", ""), ("masked", MASKS)):
        gateway = PostgresGateway(context, cluster, name=name, policies=POLICIES, masks=masks)
        hare, whale = gateway.new_key("hare", "hurried"), gateway.new_key("whale", "bulk")
        gateway.start()
        faults = check(gateway, False) + check(gateway, True)
        expect(not faults, f"{len(faults)} of the attempts, {name}:\n" + "\n".join(faults))
        check_skipping(gateway)
        check_rate(gateway, hare)
        check_counts(gateway, whale)
        cluster.psql("TRUNCATE log", database="shop")
        gateway.stop()
        check_records(gateway)
