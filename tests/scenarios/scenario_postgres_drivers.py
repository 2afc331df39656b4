"""psycopg2 and asyncpg work through the gateway as they do without it; with masks on
they get masked values, in text and in binary, and do not choke."""
import asyncio
import decimal
import io
import ipaddress
import json

import asyncpg
import psycopg2
import psycopg2.extras

from harness.context import expect
from harness.postgres import PASSWORD, Cluster, PostgresGateway

CARD, SHOWN = "4111111111111111", "411111******1111"
MAIL = "jane.doe@example.com"
MASKS = """
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
  - {name: mail, find: builtin:email}
"""
SETUP = f"""
CREATE TABLE kinds (id int8 PRIMARY KEY, n numeric, a int[], t text[], j json, jb jsonb, b bytea, i inet, ts timestamptz);
CREATE TABLE people (id int PRIMARY KEY, mail text, card text, number int8, parts text[], doc jsonb);
INSERT INTO people SELECT i, '{MAIL}', '{CARD}', {CARD}, ARRAY['{CARD}', 'plain'], '{{"card": "{CARD}"}}'
  FROM generate_series(1, 500) i;
"""
KINDS = [(n, decimal.Decimal(n) / 8, [n, None, -n], [f"text {n}", 'quote " and \\ slash', None],
          json.dumps({"n": n}), json.dumps({"n": [n]}), bytes(range(n % 256)), f"10.0.{n % 256}.1")
         for n in range(1, 301)]
INSERT = "INSERT INTO kinds (id, n, a, t, j, jb, b, i) VALUES "


def use_psycopg2(port: int, user: str, password: str) -> None:
    connection = psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="shop",
                                  sslmode="disable")
    with connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE kinds")
        cursor.executemany(INSERT + "(%s, %s, %s, %s, %s, %s, %s, %s)", KINDS[:100])
        psycopg2.extras.execute_values(cursor, INSERT + "%s", KINDS[100:], page_size=50)
    with connection, connection.cursor("server_side") as cursor:
        cursor.itersize = 17
        cursor.execute("SELECT id, n, a, t, j, jb, b, host(i) FROM kinds ORDER BY id")
        rows = [(*row[:4], json.dumps(row[4]), json.dumps(row[5]), bytes(row[6]), row[7]) for row in cursor]
        expect(rows == KINDS, f"psycopg2 got other rows: {rows[:2]}")
    with connection, connection.cursor() as cursor:
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT id, n FROM kinds ORDER BY id) TO STDOUT", out)
        cursor.execute("TRUNCATE kinds")
        cursor.copy_from(io.StringIO(out.getvalue()), "kinds", columns=("id", "n"))
        cursor.execute("SELECT count(*), sum(n) FROM kinds")
        expect(cursor.fetchone() == (300, sum(row[1] for row in KINDS)), "psycopg2's COPY lost rows")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        raise AssertionError("1 / 0 gave a result")
    except psycopg2.errors.DivisionByZero:
        pass
    with connection, connection.cursor() as cursor:
        cursor.execute("LISTEN n; NOTIFY n, 'hello'")
    connection.poll()
    expect([n.payload for n in connection.notifies] == ["hello"], f"notifications: {connection.notifies}")
    connection.close()


async def use_asyncpg(port: int, user: str, password: str) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=user, password=password, database="shop",
                                       ssl=False)
    await connection.execute("TRUNCATE kinds")
    typed = [(*row[:7], ipaddress.ip_address(row[7])) for row in KINDS]
    await connection.executemany(INSERT + "($1, $2, $3, $4, $5, $6, $7, $8)", typed)
    statement = await connection.prepare("SELECT id, n, a, t, j, jb, b, i FROM kinds WHERE id >= $1 ORDER BY id")
    for first in (1, 100, 300):
        rows = [tuple(row) for row in await statement.fetch(first)]
        expect(rows == typed[first - 1:], f"asyncpg got other rows: {rows[:2]}")
    async with connection.transaction():
        seen = [row["id"] async for row in connection.cursor("SELECT id FROM kinds ORDER BY id", prefetch=7)]
        expect(seen == [row[0] for row in KINDS], "asyncpg's cursor lost rows")
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM kinds")
            await connection.execute("SELECT 1 / 0")
    except asyncpg.DivisionByZeroError:
        pass
    expect(await connection.fetchval("SELECT count(*) FROM kinds") == 300, "asyncpg's transaction was not undone")
    out = io.BytesIO()
    await connection.copy_from_query("SELECT id FROM kinds ORDER BY id", output=out)
    expect(out.getvalue().split() == [str(row[0]).encode() for row in KINDS], "asyncpg's COPY lost rows")
    await connection.copy_records_to_table("kinds", records=[(n + 1000, decimal.Decimal(n)) for n in range(50)],
                                           columns=("id", "n"))
    expect(await connection.fetchval("SELECT count(*) FROM kinds") == 350, "asyncpg's binary COPY lost rows")
    await connection.reset()
    await connection.close()


def see_masks_with_psycopg2(port: int, user: str, password: str) -> None:
    connection = psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="shop",
                                  sslmode="disable")
    with connection, connection.cursor("server_side") as cursor:
        cursor.execute("SELECT card, mail, parts, doc FROM people")
        rows = cursor.fetchall()
        expect(len(rows) == 500 and set(map(str, rows)) == {str((SHOWN, "[redacted]", [SHOWN, "plain"], {"card": SHOWN}))},
               f"psycopg2 saw {rows[0]}")
    with connection, connection.cursor() as cursor:
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT card, number FROM people) TO STDOUT", out)
        expect(out.getvalue() == 500 * f"{SHOWN}\t{SHOWN}\n", f"COPY showed {out.getvalue()[:80]}")
    connection.close()


async def see_masks_with_asyncpg(port: int, user: str, password: str) -> None:
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=user, password=password, database="shop",
                                       ssl=False)
    rows = await connection.fetch("SELECT card, mail, number, parts, doc, id FROM people ORDER BY id")
    # What has a form of its own in binary cannot be shown in part.
    for row in rows:
        shown = (row["card"], row["mail"], row["number"], row["parts"], row["doc"])
        expect(shown == (SHOWN, "[redacted]", None, None, None), f"asyncpg saw {shown}")
    expect([row["id"] for row in rows] == list(range(1, 501)), "other columns are as they were")
    expect(await connection.fetchval("SELECT $1::text", CARD) == SHOWN, "a parameter came back in clear")
    try:
        await connection.fetchval("SELECT card::int FROM people")
        raise AssertionError("a card's number is no int")
    except asyncpg.PostgresError as error:
        expect(CARD not in str(error) and SHOWN in str(error), f"an error quotes {error}")
    await connection.close()


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    # The test itself holds without the gateway.
    use_psycopg2(cluster.port, "app", PASSWORD)
    asyncio.run(use_asyncpg(cluster.port, "app", PASSWORD))
    for name, masks in (("plain", ""), ("masked", MASKS)):
        gateway = PostgresGateway(context, cluster, name=name, masks=masks).start()
        use_psycopg2(gateway.port, "tester", gateway.key)
        asyncio.run(use_asyncpg(gateway.port, "tester", gateway.key))
        if masks:
            see_masks_with_psycopg2(gateway.port, "tester", gateway.key)
            asyncio.run(see_masks_with_asyncpg(gateway.port, "tester", gateway.key))
        gateway.stop()
        records = gateway.expect_complete()
        verbs = {record.get("verb") for record in records if record["phase"] == "intent"}
        expect({"select", "insert", "copy_in", "select, copy_out", "truncate", "fetch"} <= verbs, f"recorded: {verbs}")
