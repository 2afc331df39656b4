"""Rules about columns, parameters and expressions hold against a real PostgreSQL, whatever way a
statement is written or sent."""
import struct

from harness import pgwire as w
from harness.context import expect
from harness.postgres import Cluster, PostgresGateway

SSN = "123-45-6789"
SETUP = f"""
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text);
INSERT INTO customers VALUES (1, 'ann', '{SSN}'), (2, 'bob', '{SSN}');
CREATE TABLE notes (line text, raw bytea, number int8, lines text[]);
"""
POLICIES = """
  - name: testers may much
    principals: {groups: [testers]}
    ruling: allow
  - name: clerks see names
    principals: {groups: [clerks]}
    operations: {sql: {classes: [select, insert, delete, copy_out, transaction],
      columns: [public.customers.id, customers.name, "notes.*"]}}
    ruling: allow
  - name: not the number
    principals: {groups: [testers]}
    operations: {sql: {columns: [customers.ssn]}}
    ruling: deny
  - name: no code words
    principals: {groups: [testers]}
    operations: {sql: {classes: [select, insert, copy_in], patterns: ["swordfish", "^open sesame$", "41111111"]}}
    ruling: deny
"""
# What a clerk may do, and what a tester may not.
COVERED = """
SELECT name FROM customers
SELECT upper(name) FROM public.customers WHERE id = 1
SELECT count(*) FROM customers
SELECT c.name FROM customers c JOIN customers d USING (id)
INSERT INTO notes (line) SELECT name FROM customers
SELECT * FROM notes
DELETE FROM notes WHERE line = 'x'
COPY customers (id, name) TO STDOUT
""".strip().splitlines()
TOUCHING = """
SELECT ssn FROM customers
SELECT SSN FROM customers
SELECT U&"\\0073sn" FROM customers
SELECT "ssn" FROM "customers"
SELECT * FROM customers
TABLE customers
SELECT c FROM customers c
SELECT (c).ssn FROM customers c
SELECT ssn(customers) FROM customers
SELECT customers.ssn(customers) FROM customers
SELECT to_json(c) FROM customers c
SELECT name FROM customers WHERE ssn LIKE '1%'
SELECT name FROM customers ORDER BY ssn
SELECT count(ssn) FROM customers
SELECT name FROM customers GROUP BY name, ssn
SELECT x FROM (SELECT ssn AS x FROM customers) q
SELECT b FROM (SELECT * FROM customers) q(a, n, b)
WITH q AS (SELECT * FROM customers) SELECT name FROM q
SELECT (SELECT ssn FROM customers LIMIT 1)
SELECT 1 FROM customers NATURAL JOIN (VALUES ('123-45-6789')) v(ssn)
SELECT 1 FROM customers JOIN (VALUES ('123-45-6789')) v(ssn) USING (ssn)
SELECT name FROM customers WHERE row(customers.*) IS NOT NULL
UPDATE customers SET ssn = '' WHERE id = 3
UPDATE customers SET (name, ssn) = ('', '') WHERE id = 3
INSERT INTO customers VALUES (3, 'x', 'y')
INSERT INTO customers (id, ssn) VALUES (3, 'y')
INSERT INTO notes (line) SELECT ssn FROM customers
DELETE FROM customers WHERE id = 3
DELETE FROM notes USING customers WHERE ssn = line
UPDATE customers SET name = 'x' WHERE id = 3 RETURNING ssn
TRUNCATE customers
ALTER TABLE customers RENAME COLUMN ssn TO name2
CREATE INDEX ON customers (ssn)
CREATE VIEW v AS SELECT ssn AS s FROM customers
CREATE TABLE t AS TABLE customers
COPY customers TO STDOUT
COPY customers (ssn) TO STDOUT
COPY (SELECT ssn FROM customers) TO STDOUT
PREPARE p AS SELECT ssn FROM customers
DECLARE c CURSOR FOR SELECT ssn FROM customers
EXPLAIN ANALYZE SELECT ssn FROM customers
DO $$ BEGIN PERFORM ssn FROM customers; END $$
""".strip().splitlines()

TEXT, BYTEA, INT8, FLOAT8, NUMERIC, VARCHAR, TEXTS, UNKNOWN = 25, 17, 20, 701, 1700, 1043, 1009, 0
CARD = 4111111111111111
INSERT = {"line": "INSERT INTO notes (line) VALUES ($1)", "raw": "INSERT INTO notes (raw) VALUES ($1)",
          "number": "INSERT INTO notes (number) VALUES ($1)", "lines": "INSERT INTO notes (lines) VALUES ($1)"}
ARRAY = struct.pack("!3I2I", 1, 0, TEXT, 1, 1) + struct.pack("!I", 9) + b"swordfish"


def bound(column: str, value: bytes, kind: int, binary: bool) -> bytes:
    return (w.parse(INSERT[column], types=(kind,) if kind else ()) + w.bind(values=(value,), formats=(int(binary),))
            + w.execute() + w.SYNC)


HIDDEN = [
    ("in the text", w.query("INSERT INTO notes (line) VALUES ('swordfish')")),
    ("as a parameter", bound("line", b"a swordfish", TEXT, False)),
    ("of no declared type", bound("line", b"a swordfish", UNKNOWN, False)),
    ("in binary", bound("line", b"a swordfish", TEXT, True)),
    ("in binary, of no declared type", bound("line", b"a swordfish", UNKNOWN, True)),
    ("all of the parameter", bound("line", b"open sesame", VARCHAR, False)),
    ("as bytes", bound("raw", b"swordfish", BYTEA, True)),
    ("as bytes in hexadecimal", bound("raw", b"\\x" + b"swordfish".hex().encode(), BYTEA, False)),
    ("as bytes in hexadecimal of no type", bound("raw", b"\\x" + b"swordfish".hex().encode(), UNKNOWN, False)),
    ("as a number", bound("number", struct.pack("!q", CARD), INT8, True)),
    ("as a number of no type", bound("number", struct.pack("!q", CARD), UNKNOWN, True)),
    ("as digits", bound("number", str(CARD).encode(), INT8, False)),
    ("in an array", bound("lines", ARRAY, TEXTS, True)),
    ("in an array of no type", bound("lines", ARRAY, UNKNOWN, True)),
    ("the second of two", w.parse("INSERT INTO notes (line) VALUES ($1), ($2)")
     + w.bind(values=(b"a", b"swordfish")) + w.execute() + w.SYNC),
    ("long", bound("line", b"x" * 300_000 + b"swordfish", TEXT, False)),
    ("prepared long before", w.parse(INSERT["line"], "t") + w.SYNC + w.bind("t", values=(b"swordfish",)) + w.execute()
     + w.SYNC),
    ("in a named portal", w.parse(INSERT["line"]) + w.bind("", "p", values=(b"swordfish",))
     + w.execute("p") + w.SYNC),
    ("bound again", w.parse(INSERT["line"], "u") + w.bind("u", values=(b"a",)) + w.execute()
     + w.bind("u", values=(b"swordfish",)) + w.execute() + w.SYNC),
    ("behind EXECUTE", w.query("PREPARE q AS SELECT $1::text; EXECUTE q('swordfish')")),
    ("as data of COPY", w.query("COPY notes (line) FROM STDIN") + w.copy_data(b"sword") + w.copy_data(b"fish\n")
     + w.COPY_DONE),
]
HARMLESS = [bound("line", b"a haddock", TEXT, False), bound("line", b"open sesame!", TEXT, False),
            bound("number", struct.pack("!q", 7), INT8, True), bound("line", b"x" * 300_000, TEXT, True),
            w.parse("UPDATE notes SET line = $1 WHERE line = $2")
            + w.bind(values=(b"swordfish", None)) + w.execute() + w.SYNC]


def code(messages) -> str:
    return " ".join(m.fields()["C"] for m in messages if m.tag == "E")


def asked(port: int, user: str, secret: str, turn: bytes, byte_by_byte: bool = False):
    with w.Client(port, byte_by_byte=byte_by_byte).log_in(user, secret) as client:
        got = client.ask(turn)
        # As many answers as there are Syncs and Queries.
        for _ in range(turn.count(w.SYNC) - 1):
            got += client.read_until("Z")
        client.ask(w.query("ROLLBACK"))
        return got


def check_columns(gateway, clerk: str) -> list[str]:
    faults = []
    for statement in COVERED:
        for user, secret in (("clerk", clerk), ("tester", gateway.key)):
            got = asked(gateway.port, user, secret, w.query(statement))
            if code(got):
                faults.append(f"{user}: {statement}: {got[0]}")
    for statement in TOUCHING:
        for user, secret, rule in (("clerk", clerk, "default-deny"), ("tester", gateway.key, "not the number")):
            refused = [m.fields() for m in asked(gateway.port, user, secret, w.query(statement)) if m.tag == "E"]
            if not refused or refused[0]["C"] != "42501" or f"rule {rule}" not in refused[0].get("D", ""):
                faults.append(f"{user}: {statement}: {refused}")
    return faults


def check_parameters(gateway) -> list[str]:
    faults = []
    for name, turn in HIDDEN:
        for byte_by_byte in (False, True):
            if byte_by_byte and len(turn) > 100_000:
                continue
            got = asked(gateway.port, "tester", gateway.key, turn, byte_by_byte)
            if code(got) != "42501" or not any("no code words" in m.fields().get("D", "") for m in got if m.tag == "E"):
                faults.append(f"{name}: {got}")
    for turn in HARMLESS:
        got = asked(gateway.port, "tester", gateway.key, turn)
        if code(got):
            faults.append(f"harmless: {turn[-80:]}: {got}")
    got = asked(gateway.port, "tester", gateway.key, bound("line", b"x" * 2_000_000, TEXT, False))
    if code(got) != "54000":
        faults.append(f"too long to be looked through: {got}")
    return faults


def check_reload(gateway) -> None:
    """What was found under other rules is not taken for what these would find."""
    with w.Client(gateway.port).log_in("tester", gateway.key) as client:
        client.ask(w.query("BEGIN"))
        client.ask(w.parse(INSERT["line"], "t") + w.bind("t", "p", values=(b"a haddock",)) + w.SYNC)
        gateway.write(POLICIES.replace("swordfish", "haddock"))
        gateway.reload()
        expect(code(client.ask(w.execute("p") + w.SYNC)) == "42501", "a portal of other rules is executed")
        client.ask(w.query("ROLLBACK"))
        expect(code(client.ask(w.bind("t", values=(b"a haddock",)) + w.execute() + w.SYNC)) == "42501", "not the new")
        expect(code(client.ask(w.bind("t", values=(b"swordfish",)) + w.execute() + w.SYNC)) == "", "still the old")


# What masks make of expressions, by `derived`; and of RETURNING.
MASKS = """
  - {name: ssn, find: {columns: [customers.ssn]}, show: {partial: {first: 0, last: 4}}, derived: DERIVED}
"""
MAY_ALL = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
"""
SHOWN, HIDDEN_PART = b"***-**-6789", b"123-45"
RETURNED = [
    ("UPDATE customers SET name = name WHERE id = 1 RETURNING ssn", SHOWN),
    ("UPDATE customers SET name = 'ann' WHERE id = 1 RETURNING *", SHOWN),
    (f"INSERT INTO customers VALUES (9, 'eve', '{SSN}') RETURNING ssn AS x", SHOWN),
    ("DELETE FROM customers WHERE id = 9 RETURNING *", SHOWN),
]
KEPT = [
    "UPDATE customers SET name = ssn WHERE id = 1 RETURNING name",
    "UPDATE customers SET name = 'x' WHERE id = 1 RETURNING (SELECT max(ssn) FROM customers)",
    "WITH d AS (UPDATE customers SET name = 'x' WHERE id = 1 RETURNING ssn) INSERT INTO notes (line) SELECT ssn FROM d",
    "WITH d AS (INSERT INTO notes (line) SELECT ssn FROM customers RETURNING 1) "
    "UPDATE customers SET name = 'x' WHERE id = 1 RETURNING (SELECT count(*) FROM d)",
    "COPY (UPDATE customers SET name = 'x' WHERE id = 1 RETURNING ssn) TO STDOUT",
]
EXPRESSIONS = ["SELECT ssn || '' FROM customers", "SELECT length(ssn) FROM customers", "SELECT max(ssn) FROM customers",
               "SELECT c::text FROM customers c"]
# Whatever `derived` says: these are no expressions of the statement.
NEVER_SHOWN = ["SELECT ssn FROM customers", "SELECT * FROM customers", "SELECT ssn FROM customers UNION SELECT 'x'",
               "SELECT ssn FROM customers INTERSECT SELECT ssn FROM customers",
               "SELECT ssn FROM customers EXCEPT SELECT ssn || '!' FROM customers",
               "SELECT s FROM (SELECT ssn || '' AS s FROM customers UNION ALL SELECT ssn FROM customers) q",
               "WITH RECURSIVE q(s) AS (SELECT ssn FROM customers UNION SELECT 'x') SELECT s FROM q",
               f"SELECT {'1, ' * 1500} s FROM (SELECT ssn AS s FROM customers UNION SELECT 'x') q",
               "SELECT x FROM (SELECT ssn AS x FROM customers) q",
               "WITH q AS (SELECT ssn z FROM customers) SELECT z FROM q",
               "BEGIN; DECLARE c CURSOR FOR SELECT ssn FROM customers; FETCH 1 FROM c"]


def check_derived(context, cluster, mode: str) -> list[str]:
    gateway = PostgresGateway(context, cluster, name=f"derived-{mode}", policies=MAY_ALL,
                              masks=MASKS.replace("DERIVED", mode)).start()
    faults = []

    def ask(statement: str, extended: bool = False):
        got = asked(gateway.port, "tester", gateway.key, w.run(statement) if extended else w.query(statement))
        return code(got), b" ".join(m.body for m in got if m.tag in "Dd")

    for statement, shown in RETURNED:
        refused, seen = ask(statement)
        if refused or shown not in seen or HIDDEN_PART in seen:
            faults.append(f"{mode}: {statement}: {refused} {seen}")
    for statement in KEPT:
        refused, seen = ask(statement)
        if refused != "42501":
            faults.append(f"{mode}: {statement} is not refused: {refused} {seen}")
    for statement in NEVER_SHOWN:
        refused, seen = ask(statement)
        # Beside a constant it may be taken for an expression.
        is_refusable = mode == "refuse" and ("UNION" in statement or "EXCEPT" in statement)
        if HIDDEN_PART in seen or not (seen or is_refusable and refused):
            faults.append(f"{mode}: {statement}: {refused} {seen}")
    for statement in EXPRESSIONS:
        for extended in (False, True):
            refused, seen = ask(statement, extended)
            wanted = {"mask": not refused and b"[redacted]" in seen, "refuse": refused == "42501" and not seen,
                      "allow": not refused and (HIDDEN_PART in seen or b"11" in seen)}[mode]
            if not wanted:
                faults.append(f"{mode}: {statement}: {refused} {seen}")
    gateway.stop()
    gateway.expect_complete()
    return faults


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    gateway = PostgresGateway(context, cluster, policies=POLICIES)
    clerk = gateway.new_key("clerk", "clerks")
    gateway.start()
    faults = check_columns(gateway, clerk) + check_parameters(gateway)
    expect(not faults, f"{len(faults)} of the attempts:\n" + "\n".join(map(str, faults)))
    check_reload(gateway)
    gateway.stop()
    records = gateway.expect_complete()
    shown = [r for r in records if "swordfish" in str(r) or "haddock" in str(r)]
    expect(not shown, f"a record holds what was looked for: {shown[:1]}")
    faults = [fault for mode in ("mask", "refuse", "allow") for fault in check_derived(context, cluster, mode)]
    expect(not faults, f"{len(faults)} of the attempts:\n" + "\n".join(faults))
