"""Attempts to see a column that a mask names: whatever a query calls it or makes of it, none
succeeds, though each does without the gateway."""
from harness import pgwire as w
from harness.context import expect
from harness.postgres import ALLOW_ALL, PASSWORD, Cluster, PostgresGateway

SSN = "123-45-6789"
# What the mask shows ends in 6789; nothing of the rest may come through, in any of these shapes.
SHAPES = [b"123-45", b"54-321", b"123-45".hex().encode(), b"MTIzLTQ1", b"{123,45"]
SETUP = f"""
CREATE TABLE customers (id int PRIMARY KEY, name text, ssn text, born date);
INSERT INTO customers VALUES (1, 'ann', '{SSN}', '1970-01-01');
CREATE TABLE customers_eu (region text) INHERITS (customers);
INSERT INTO customers_eu VALUES (2, 'eve', '{SSN}', '1971-01-01', 'eu'), (3, 'eva', '{SSN}', '1972-01-01', 'eu');
CREATE VIEW plain AS SELECT id AS i, ssn AS s, upper(name) AS n FROM customers;
CREATE VIEW upon AS SELECT s || '!' AS t, i FROM plain;
CREATE TABLE orders (id int, customer int);
INSERT INTO orders VALUES (7, 1);
ANALYZE customers;
"""
MASKS = """
  - {name: ssn, find: {columns: [customers.ssn]}, show: {partial: {first: 0, last: 4}}, except_groups: [fraud]}
"""
POLICIES = ALLOW_ALL + """
  - name: fraud may everything
    principals: {groups: [fraud]}
    ruling: allow
"""
# Shown masked, or nothing of it.
MASKED = """
SELECT * FROM customers
SELECT ssn FROM customers
SELECT ssn AS x, name FROM customers
SELECT "ssn" FROM "public"."customers"
SELECT U&"ss\\006e" FROM customers
TABLE customers
SELECT * FROM ONLY customers
SELECT ssn FROM customers_eu
SELECT c FROM customers c
SELECT (c).ssn FROM customers c
SELECT c.* FROM customers c
SELECT (c.*)::text FROM customers c
SELECT row(id, ssn) FROM customers
SELECT customers::text FROM customers
SELECT reverse(ssn) FROM customers
SELECT ssn || '' FROM customers
SELECT ssn::varchar(20) FROM customers
SELECT ssn COLLATE "C" FROM customers
SELECT lower(ssn), length(name) FROM customers
SELECT substr(ssn, 1, 6) FROM customers
SELECT encode(ssn::bytea, 'hex') FROM customers
SELECT encode(ssn::bytea, 'base64') FROM customers
SELECT ssn::bytea FROM customers
SELECT format('%s', ssn) FROM customers
SELECT string_to_array(ssn, '-') FROM customers
SELECT regexp_matches(ssn, '(.*)') FROM customers
SELECT CASE WHEN true THEN ssn END FROM customers
SELECT coalesce(ssn, '') FROM customers
SELECT max(ssn) FROM customers
SELECT string_agg(ssn, ',') FROM customers
SELECT array_agg(ssn) FROM customers
SELECT unnest(array_agg(ssn)) FROM customers
SELECT first_value(ssn) OVER () FROM customers
SELECT to_json(c) FROM customers c
SELECT row_to_json(c) FROM (SELECT ssn AS a FROM customers) c
SELECT json_agg(customers) FROM customers
SELECT x.value FROM customers c, json_each_text(to_json(c)) x
SELECT * FROM json_to_recordset((SELECT json_agg(c) FROM customers c)) AS x(ssn text)
SELECT xmlelement(name a, ssn) FROM customers
SELECT (SELECT ssn FROM customers LIMIT 1), 1
VALUES ((SELECT ssn FROM customers LIMIT 1))
WITH a AS (SELECT ssn z FROM customers) SELECT z FROM a
WITH RECURSIVE a(z) AS (SELECT ssn FROM customers UNION SELECT z FROM a) SELECT z FROM a
SELECT * FROM (SELECT ssn s FROM customers) q
SELECT s FROM (SELECT * FROM customers) q(a, b, s, d)
SELECT q FROM (SELECT ssn FROM customers) q
SELECT ssn FROM customers UNION SELECT 'x'
SELECT ssn FROM customers INTERSECT SELECT ssn FROM customers
SELECT * FROM customers c, LATERAL (SELECT c.ssn AS zz) l
SELECT w FROM customers t CROSS JOIN LATERAL (VALUES (t.ssn)) v(w)
SELECT * FROM orders o JOIN customers c ON c.id = o.customer
SELECT * FROM orders JOIN customers USING (id) FULL JOIN customers d ON true
SELECT ssn FROM customers FOR UPDATE
SELECT * FROM plain
SELECT s FROM plain
SELECT t FROM upon
SELECT p FROM plain p
WITH d AS (DELETE FROM customers WHERE id = 2 RETURNING ssn) SELECT * FROM d
DELETE FROM customers WHERE id = 3 RETURNING *
INSERT INTO orders VALUES (8, 1) RETURNING (SELECT ssn FROM customers LIMIT 1)
BEGIN; DECLARE c CURSOR FOR SELECT reverse(ssn), name FROM customers; FETCH 1 FROM c
PREPARE p AS SELECT reverse(ssn) FROM customers; EXECUTE p
SELECT ssn::int FROM customers
""".strip().splitlines()
# Refused: no mask follows the value there.
REFUSED = """
COPY customers TO STDOUT
COPY (SELECT reverse(ssn) FROM customers) TO STDOUT
CREATE TEMP TABLE t AS SELECT * FROM customers; SELECT * FROM t
SELECT ssn AS x INTO TEMP t2 FROM customers; SELECT * FROM t2
CREATE TEMP VIEW v AS SELECT ssn AS x FROM customers; SELECT x FROM v
INSERT INTO orders SELECT 1, length(ssn) FROM customers; SELECT ssn FROM customers
UPDATE customers SET name = ssn; SELECT name FROM customers
SELECT set_config('a.b', ssn, false) FROM customers
DO $$ BEGIN RAISE NOTICE '%', (SELECT ssn FROM customers LIMIT 1); END $$
SELECT query_to_xml('SELECT ssn FROM customers', true, false, '')
SELECT table_to_xml('customers', true, false, '')
SELECT most_common_vals, histogram_bounds, (SELECT ssn FROM customers LIMIT 1) FROM pg_stats WHERE attname = 'ssn'
ALTER TABLE customers RENAME COLUMN ssn TO x; SELECT x FROM customers
ALTER TABLE customers RENAME TO persons; SELECT ssn FROM persons
""".strip().splitlines()
# Rows whose values an error quotes.
QUOTED = """
UPDATE customers SET id = NULL WHERE id = 1
SELECT ssn::date FROM customers
""".strip().splitlines()


def pipelines():
    """What the names of the protocol and of SQL can be made to stand for."""
    leak, plain = "SELECT reverse(ssn) FROM customers", "SELECT 'a' || 'b'"
    yield "a name whose new meaning failed", [
        w.parse(leak, "n") + w.SYNC,
        w.parse("SELECT 1 / 0", "z") + w.bind("z") + w.execute() + w.close("n", "S") + w.parse(plain, "n") + w.SYNC
        + w.bind("n") + w.execute() + w.SYNC]
    yield "a name that SQL gave anew", [
        w.parse(plain, "n") + w.SYNC, w.query("DEALLOCATE n"), w.query(f"PREPARE n AS {leak}"),
        w.bind("n") + w.execute() + w.SYNC]
    yield "a name that SQL gave anew, in one go", [
        w.parse(plain, "n") + w.SYNC + w.query(f"DEALLOCATE n; PREPARE n AS {leak}")
        + w.bind("n") + w.execute() + w.SYNC]
    yield "a portal that SQL fetches from", [
        w.query("BEGIN"), w.parse(leak) + w.bind("", "p") + w.SYNC, w.query('FETCH ALL FROM "p"')]
    yield "a statement that SQL executes", [w.parse(leak, "n") + w.SYNC, w.query("EXECUTE n")]
    yield "a portal that SQL declared anew", [
        w.query("BEGIN"), w.parse(plain) + w.bind("", "p") + w.SYNC,
        w.query(f"CLOSE p; DECLARE p CURSOR FOR {leak}"), w.execute("p") + w.SYNC]
    yield "never described", [w.parse(leak) + w.bind() + w.execute() + w.SYNC]
    yield "described as another", [
        w.parse(plain) + w.bind("", "a") + w.describe("a") + w.parse(leak) + w.bind("", "b") + w.execute("b") + w.SYNC]
    yield "in binary", [w.run("SELECT ssn, row(ssn), array_agg(ssn) FROM customers GROUP BY 1", results=(w.BINARY,))]


def received(port: int, user: str, secret: str, turns: list[bytes]) -> bytes:
    with w.Client(port).log_in(user, secret) as client:
        client.received.clear()
        for turn in turns:
            client.send(turn)
            client.read_until("Z")
        if not client.has_ended:
            client.send(w.query("ROLLBACK") + w.query("SELECT 'the end'"))
            while not client.has_ended and b"the end" not in client.received:
                client.read_until("Z")
        return bytes(client.received)


def check(label: str, gateway, cluster, turns, is_refused: bool = False, begins: bool = True) -> list[str]:
    # First without the gateway, and undone, so that the attempt is known to be one.
    bare = received(cluster.port, "direct", PASSWORD, [w.query("BEGIN"), *turns] if begins else turns)
    seen = received(gateway.port, "tester", gateway.key, turns)
    faults = [f"{label}: LEAKS {seen[-300:]!r}" for shape in SHAPES if shape in seen]
    if is_refused and b"42501" not in seen:
        faults.append(f"{label}: not refused: {seen[-300:]!r}")
    if not any(shape in bare for shape in SHAPES):
        faults.append(f"{label}: shows nothing even without the gateway: {bare[-200:]!r}")
    return faults


def run(context) -> None:
    cluster = Cluster(context)
    for mode in ("session", "transaction"):
        # Some attempts change the tables.
        cluster.psql("DROP DATABASE shop WITH (FORCE)", "CREATE DATABASE shop")
        cluster.psql(SETUP, database="shop")
        check_mode(PostgresGateway(context, cluster, name=mode, policies=POLICIES, masks=MASKS, mode=mode), cluster)


def check_mode(gateway, cluster) -> None:
    exempt = gateway.new_key("carol", "fraud")
    gateway.start()
    faults = []
    for statement in MASKED:
        faults += check(statement, gateway, cluster, [w.query(statement)])
    for statement in QUOTED:
        faults += check(statement, gateway, cluster, [w.query(statement)])
    for statement in REFUSED:
        faults += check(statement, gateway, cluster, [w.query(statement)], is_refused=True)
    for name, turns in pipelines():
        faults += check(name, gateway, cluster, turns, begins=False)
    expect(not faults, f"{len(faults)} of the attempts:\n" + "\n".join(faults))

    expect(gateway.psql("SELECT ssn FROM customers WHERE id = 1") == "***-**-6789", "the mask shows something else")
    seen = received(gateway.port, "carol", exempt, [w.query("SELECT reverse(ssn), ssn FROM customers")])
    expect(SSN.encode() in seen, f"who is exempt does not see it: {seen!r}")
    # Longer than what can be looked into: not a byte of it comes, and the client is told why.
    long = f"SELECT repeat('{SSN}', 1600000) || ssn FROM customers"
    seen = received(gateway.port, "tester", gateway.key, [w.query(long)])
    expect(b"C54000" in seen and b"masks look into 16777216 at most" in seen, f"a long row: {seen[-300:]!r}")
    expect(not any(shape in seen for shape in SHAPES), "a long row came through")
    # A table that is younger than what the gateway knows.
    cluster.psql("ALTER TABLE customers RENAME TO old", "CREATE TABLE customers AS SELECT * FROM old", database="shop")
    seen = received(gateway.port, "tester", gateway.key, [w.query("SELECT ssn FROM customers")])
    expect(not any(shape in seen for shape in SHAPES), f"a new table shows it: {seen!r}")
    gateway.stop()
    records = gateway.expect_complete()
    expect(any(record.get("result") == "too-long" for record in records), "the long row is not recorded")
