"""`mode: transaction`: twenty clients share four server connections, and none notices:
not by a result, a name, a setting or a lock of another's."""
import asyncio
import socket
import threading
import time

import asyncpg
import psycopg2

from harness import pgwire
from harness.context import expect, wait_until
from harness.pgwire import SYNC, bind, close, describe, execute, parse, query
from harness.postgres import ALLOW_ALL, Cluster, PostgresGateway, program

CONNECTIONS = 4
TWO = """
  - name: others may everything
    principals: {groups: [others]}
    ruling: allow
"""
SETUP = """
CREATE TABLE notes (id serial PRIMARY KEY, text text);
CREATE FUNCTION keep(value text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('my.secret', value, false) $$;
CREATE FUNCTION lock_it() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(77) $$;
"""


class Sql(pgwire.Client):
    """One statement after the other, as text."""

    def ask_rows(self, sql: str, **extended) -> list[list[str | None]]:
        got = self.ask(pgwire.run(sql, **extended) if extended else query(sql))
        error = next((one for one in got if one.tag == "E"), None)
        expect(error is None, f"{sql}: {error}")
        expect(got and got[-1].tag == "Z", f"{sql}: the session ended: {got}")
        return [[value and value.decode() for value in one.values()] for one in got if one.tag == "D"]

    def one(self, sql: str) -> str | None:
        return self.ask_rows(sql)[0][0]

    def error(self, sql: str) -> str:
        got = self.ask(query(sql))
        error = next((one for one in got if one.tag == "E"), None)
        expect(error is not None, f"{sql} gave no error: {got}")
        return error.fields()["C"]

    def leave(self) -> None:
        self.send(pgwire.TERMINATE)
        self._socket.close()


class World:
    def __init__(self, context):
        self.context = context
        self.cluster = Cluster(context)
        self.cluster.psql(*SETUP.strip().split("\n"), database="shop")
        self.gateway = PostgresGateway(
            context, self.cluster, policies=ALLOW_ALL + TWO, mode="transaction",
            pool=f"connections: {CONNECTIONS}\n    queue: {{wait: 2m}}\n    timeouts: {{idle: 1h}}")
        self.other_key = self.gateway.new_key("other", "others")
        self.gateway.start()

    def client(self, **options) -> Sql:
        return Sql(self.gateway.port, **options).log_in("tester", self.gateway.key)

    def other(self) -> Sql:
        return Sql(self.gateway.port).log_in("other", self.other_key)

    def sessions(self) -> list[str]:
        """What the target calls the gateway's sessions."""
        return self.cluster.psql("SELECT application_name FROM pg_stat_activity WHERE datname = 'shop'"
                                 " AND application_name LIKE '% via sluice%'").split("\n")

    def backends(self) -> int:
        return int(self.cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop'"))


def check_pgbench(world) -> None:
    environment = world.gateway.environment
    program(environment, "pgbench", "-i", "-q", "-s", 1, "shop")
    # A thread each: pgbench prepares without letting a thread's other clients go on, and
    # these may hold what it waits for.
    for mode in ("simple", "extended", "prepared"):
        for script in ((), ("-S",)):
            done = program(environment, "pgbench", "-n", "-M", mode, "-c", 20, "-j", 20, "-t", 25, *script, "shop")
            expect("number of failed transactions: 0" in done.stdout and "500/500" in done.stdout,
                   f"pgbench -M {mode}: {done.stdout}{done.stderr}")
            expect(world.backends() <= CONNECTIONS, f"{world.backends()} server connections")
    expect(world.gateway.psql("SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(delta)"
                              " FROM pgbench_history)") == "0", "pgbench's sums differ")


def check_prepared(world) -> None:
    """The same names for other texts, over connections that change all the time."""
    clients = [world.client() for _ in range(3 * CONNECTIONS)]
    for n, client in enumerate(clients):
        got = client.ask(parse(f"SELECT {n} + $1::int", "s") + describe("s", "S") + SYNC)
        expect([one.tag for one in got] == ["1", "t", "T", "Z"], f"Parse: {got}")
        client.ask(parse(f"SELECT 'unnamed {n}'") + SYNC)
    for turn in range(6):
        for n, client in enumerate(clients[::1 if turn % 2 else -1]):
            n = n if turn % 2 else len(clients) - 1 - n
            got = client.ask(bind("s", values=[b"100"]) + execute() + SYNC)
            expect([one.tag for one in got] == ["2", "D", "C", "Z"] and
                   got[1].values() == [str(100 + n).encode()], f"{n} got {got}")
            if turn < 2:
                got = client.ask(bind("") + execute() + SYNC)
                expect(got[1].values() == [f"unnamed {n}".encode()], f"{n}, unnamed, got {got}")
    # Open transactions hold all but one connection: the others' statements all run there.
    busy = clients[:CONNECTIONS - 1]
    for client in busy:
        client.ask_rows("BEGIN")
    for n, client in enumerate(clients[CONNECTIONS - 1:], CONNECTIONS - 1):
        got = client.ask(bind("s", values=[b"1"]) + execute() + SYNC)
        expect(got[1].values() == [str(1 + n).encode()], f"{n}: {got}")
    for client in busy:
        client.ask_rows("COMMIT")
    got = clients[0].ask(close("s", "S") + SYNC)
    expect([one.tag for one in got] == ["3", "Z"], f"Close: {got}")
    got = clients[0].ask(bind("s", values=[b"1"]) + execute() + SYNC)
    expect(got[0].tag == "E" and got[0].fields()["C"] == "26000", f"a closed name: {got}")
    # An error ahead of the gateway's own Parse takes nothing along that a later pipeline needs.
    one = clients[1]
    one.ask(parse("SELECT 5", "five") + SYNC)
    holders = [world.client() for _ in range(CONNECTIONS - 1)]
    for holder in holders:
        holder.ask_rows("BEGIN")
    one.send(parse("SELECT 1 / 0", "z") + bind("z") + execute() + bind("five") + execute() + SYNC +
             bind("five") + execute() + SYNC)
    first, second = one.read_until("Z"), one.read_until("Z")
    expect(any(m.tag == "E" and m.fields()["C"] == "22012" for m in first), f"no error: {first}")
    expect([m.tag for m in second] == ["2", "D", "C", "Z"], f"after an error: {second}")
    # More than one connection keeps, and a large one.
    for n in range(450):
        got = one.ask(parse(f"SELECT {n}, $1::text", f"many{n}") + SYNC)
        expect(got[0].tag == "1", f"many: {got}")
    for n in (0, 449, 224):
        got = one.ask(bind(f"many{n}", values=[b"x" * 100_000]) + execute() + SYNC)
        expect(got[1].values() == [str(n).encode(), b"x" * 100_000], f"many{n}: {got[:1]}")
    # A text that no buffer holds, on the connection that it was prepared on and on others.
    text = "SELECT 'large', '" + "y" * 300_000 + "'"
    got = one.ask(parse(text, "large") + SYNC)
    expect(got[0].tag == "1", f"a large Parse: {got}")
    for holder in holders:
        holder.ask_rows("ROLLBACK")
    for n in range(3):
        clients[5 + n].ask_rows("BEGIN")
        got = one.ask(bind("large") + execute() + SYNC)
        expect([m.tag for m in got] == ["2", "D", "C", "Z"] and got[1].values()[0] == b"large", f"{got[:1]}")
    for client in (*clients, *holders):
        client.leave()


def check_transactions(world) -> None:
    """What the gateway itself asks in between does not end them."""
    clients = [world.client() for _ in range(3)]
    for n, client in enumerate(clients):
        client.ask_rows("BEGIN")
        client.ask_rows("SET LOCAL search_path = pg_catalog")
        client.ask_rows("SET LOCAL my.own = 'client %d'" % n)
    for turn in range(3):
        for n, client in enumerate(clients):
            expect(client.one("SELECT current_setting('my.own') || current_schema()") == f"client {n}pg_catalog",
                   "another's transaction")
    for client in clients:
        client.ask(parse("SELECT 1 / 0") + bind() + execute() + SYNC)
        expect(client.error("SELECT 1") == "25P02", "the transaction did not fail")
        client.ask_rows("ROLLBACK")
        expect(client.one("SELECT current_schema()") == "public", "SET LOCAL outlived its transaction")
        client.leave()
    # What is asked for without Sync is still open, and nobody else's.
    one = world.client()
    one.send(parse("INSERT INTO notes (text) VALUES ('open')") + bind() + execute() + pgwire.FLUSH)
    expect([one.read().tag for _ in range(3)] == ["1", "2", "C"], "no answer to Flush")
    others = [world.client() for _ in range(CONNECTIONS - 1)]
    for other in others:
        expect(other.one("SELECT count(*) FROM notes WHERE text = 'open'") == "0", "an open pipeline was shared")
    got = one.ask(query("SELECT count(*) FROM notes WHERE text = 'open'"))
    expect(got[1].values() == [b"1"], f"the open pipeline: {got}")
    for client in (one, *others):
        client.leave()


def check_drivers(world) -> None:
    async def with_asyncpg():
        pool = await asyncpg.create_pool(host="127.0.0.1", port=world.gateway.port, user="tester",
                                         password=world.gateway.key, database="shop", ssl=False,
                                         min_size=12, max_size=12)
        async def work(n):
            for turn in range(8):
                async with pool.acquire() as connection:
                    expect(await connection.fetchval("SELECT $1::int + $2::int", n, turn) == n + turn, "asyncpg")
                    async with connection.transaction():
                        await connection.execute("INSERT INTO notes (text) VALUES ($1)", f"asyncpg {n}")
                        expect(await connection.fetchval("SELECT count(*) FROM notes WHERE text = $1",
                                                         f"asyncpg {n}") >= 1, "asyncpg's own row")
        await asyncio.gather(*(work(n) for n in range(24)))
        await pool.close()
    asyncio.run(with_asyncpg())

    def with_psycopg2(n):
        connection = psycopg2.connect(host="127.0.0.1", port=world.gateway.port, user="tester",
                                      password=world.gateway.key, dbname="shop", sslmode="disable")
        for turn in range(10):
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT %s::int * 2", (turn,))
                expect(cursor.fetchone() == (2 * turn,), "psycopg2")
            if turn == 5:
                with connection, connection.cursor("c") as cursor:
                    cursor.itersize = 3
                    cursor.execute("SELECT generate_series(1, 10)")
                    expect(len(list(cursor)) == 10, "psycopg2's cursor")
        connection.close()
        done.append(n)
    done = []
    threads = [threading.Thread(target=with_psycopg2, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(len(done) == 12, f"psycopg2: {len(done)} of 12 came through")
    expect(world.backends() <= CONNECTIONS, "too many server connections")


PINS = [  # What makes state, how it is asked for, and what it then says.
    ("SET statement_timeout = '77s'", "SHOW statement_timeout", "77s"),
    ("SET search_path = pg_catalog", "SELECT current_schema()", "pg_catalog"),
    ("SELECT set_config('my.a', 'mine', false)", "SELECT current_setting('my.a', true)", "mine"),
    ("CREATE TEMP TABLE mine AS SELECT 7 AS n", "SELECT n FROM mine", "7"),
    ("PREPARE p AS SELECT 'prepared'", "EXECUTE p", "prepared"),
    ("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 'held'; COMMIT", "FETCH c", "held"),
    ("SELECT pg_advisory_lock(42)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "1"),
    ("LISTEN mine", "SELECT pg_listening_channels()", "mine"),
    ("SET ROLE pg_monitor", "SELECT current_user", "pg_monitor"),
    ("DO $$ BEGIN PERFORM set_config('my.b', 'done', false); END $$", "SELECT current_setting('my.b', true)", "done"),
    ("SELECT 8 AS n INTO TEMP into_temp", "SELECT n FROM into_temp", "8"),
]


def check_pinning(world) -> None:
    for make, ask, answer in PINS:
        client, others = world.client(), [world.client() for _ in range(CONNECTIONS)]
        client.ask_rows(make)
        for other in others:  # Each connection that is free has been used by others since.
            other.ask_rows("SELECT 1")
        expect(client.one(ask) == answer, f"{make}: {ask} does not say {answer}")
        for one in (client, *others):
            one.leave()
    # What the server tells a listener comes without being asked for.
    listener, speaker = world.client(), world.client()
    listener.ask_rows("LISTEN news")
    speaker.ask_rows("NOTIFY news, 'hello'")
    expect(listener.read().tag == "A", "nothing was notified")
    listener.leave()
    speaker.leave()


LEAKS = [  # What one principal does, and what another must not find: its query and the answer.
    (["SET ROLE pg_monitor"], "SELECT current_user", "app"),
    (["SET SESSION AUTHORIZATION direct"], "SELECT session_user", "app"),
    (["SET search_path = pg_catalog"], "SELECT current_schema()", "public"),
    (["SET timezone = 'Asia/Tokyo'"], "SHOW timezone", None),
    (["SELECT set_config('my.secret', 'x', false)"], "SELECT current_setting('my.secret', true)", ""),
    (["SELECT keep('x')"], "SELECT current_setting('my.secret', true)", ""),
    (["CREATE TEMP TABLE leak AS SELECT 'x'"], "SELECT count(*) FROM pg_class WHERE relname = 'leak'", "0"),
    (["CREATE TEMP VIEW notes AS SELECT 1 AS id"], "SELECT count(*) FROM pg_class WHERE relname = 'notes'", "1"),
    (["CREATE DOMAIN pg_temp.leaked AS int"], "SELECT count(*) FROM pg_type WHERE typname = 'leaked'", "0"),
    (["PREPARE leak AS SELECT 1"], "SELECT count(*) FROM pg_cursors", "0"),
    (["SELECT pg_advisory_lock(1)"], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0"),
    (["SELECT lock_it()"], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0"),
    (["LISTEN leak"], "SELECT count(*) FROM pg_listening_channels()", "0"),
    (["BEGIN; DECLARE leak CURSOR WITH HOLD FOR SELECT 1; COMMIT"], "SELECT count(*) FROM pg_cursors", "0"),
    (["BEGIN", "INSERT INTO notes (text) VALUES ('never committed')"],
     "SELECT count(*) FROM notes WHERE text = 'never committed'", "0"),
    (["BEGIN", "LOCK TABLE notes"], "SELECT count(*) FROM notes WHERE false", "0"),
    (["BEGIN", "SELECT 1 / 0"], "SELECT 1", "1"),
    (["SELECT setseed(0.5)"], "SELECT random() = 0.9851677175347999", "f"),
    (["DO $$ BEGIN PERFORM set_config('my.secret', 'x', false); END $$"],
     "SELECT current_setting('my.secret', true)", ""),
]


def check_leaks(world) -> None:
    zone = world.cluster.psql("SHOW timezone", database="shop")
    for does, asks, answer in LEAKS:
        one = world.client()
        for statement in does:
            one.ask(query(statement))
        one.leave()
        # Whichever connection it was: all are asked, each by somebody else.
        others = [world.other() for _ in range(CONNECTIONS)]
        for other in others:
            other.ask_rows("BEGIN")
        for other in others:
            expected = zone if answer is None else answer
            got = other.ask_rows(asks)
            expect(got and (got[0][0] or "") == expected, f"{does}: {asks} says {got}, not {expected}")
        for other in others:
            other.ask_rows("ROLLBACK")
            other.leave()
    # Sequences, while the one who drew from them is still there.
    one = world.client()
    one.ask_rows("INSERT INTO notes (text) VALUES ('drawn')")
    others = [world.other() for _ in range(CONNECTIONS)]
    for other in others:
        other.ask_rows("BEGIN")
    for other in others:
        expect(other.error("SELECT lastval()") == "55000", "lastval() of another session")
        other.ask_rows("ROLLBACK")
        other.ask_rows("BEGIN")
    for other in others:
        other.ask_rows("INSERT INTO notes (text) VALUES ('own')")
        expect(other.one("SELECT lastval() = max(id) FROM notes WHERE text = 'own'") == "t", "the own lastval()")
        other.ask_rows("ROLLBACK")
    # Statements that the gateway holds for others: neither listed nor run nor dropped by SQL.
    one.ask(parse("SELECT 'text of one'", "s") + SYNC)
    name = "sluice_0123456789abcdef"
    for attempt in ("SELECT statement FROM pg_prepared_statements", f"EXECUTE {name}", f"DEALLOCATE {name}",
                    f"PREPARE {name} AS SELECT 1", "SELECT * FROM pg_prepared_statement()",
                    f"EXPLAIN EXECUTE {name}"):
        expect(others[0].error(attempt) == "42501", f"{attempt} was not refused")
    for client in (one, *others):
        client.leave()
    # Who it is, where the target shows it.
    a, b = world.client(), world.other()
    a.ask_rows("BEGIN")
    b.ask_rows("BEGIN")
    shown = world.sessions()
    expect("tester via sluice" in shown and "other via sluice" in shown, f"pg_stat_activity shows {shown}")
    a.leave()
    b.leave()


def cancel(client_key: bytes, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(b"\x00\x00\x00\x10\x04\xd2\x16\x2e" + client_key)
        one.recv(1)


def check_cancel(world) -> None:
    port, key = world.gateway.port, world.gateway.key
    def open_with_key():
        client = Sql(port)
        client.send(pgwire.startup("tester", "shop"))
        client.read()
        got = client.ask(pgwire.password(key))
        return client, next(one.body for one in got if one.tag == "K")
    client, secret = open_with_key()
    client.send(query("SELECT pg_sleep(20)"))
    time.sleep(0.5)
    cancel(secret, port)
    got = client.read_until("Z")
    expect(any(one.tag == "E" and one.fields()["C"] == "57014" for one in got), f"not cancelled: {got}")
    # Shown by somebody who runs nothing, or whose statement has just ended: it hits nobody.
    others = [world.client() for _ in range(CONNECTIONS)]
    stop, failures = threading.Event(), []
    def busy(one):
        while not stop.is_set():
            got = one.ask(query("SELECT pg_sleep(0.001)"))
            if any(m.tag == "E" for m in got) or not got:
                failures.append(got)
                return
    threads = [threading.Thread(target=busy, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for _ in range(150):
        client.send(query("SELECT pg_sleep(0.001)"))
        cancel(secret, port)
        expect(client.read_until("Z"), "the canceller's own session ended")
    for _ in range(50):
        cancel(secret, port)
    stop.set()
    for thread in threads:
        thread.join()
    expect(not failures, f"a cancel hit another session: {failures}")
    for one in (client, *others):
        one.leave()


def check_limits(world) -> None:
    gateway = PostgresGateway(world.context, world.cluster, name="short",
                              listener="postgres: {passwords_from_loopback: true, mode: transaction, login: 1s}",
                              pool="connections: 2\n    queue: {wait: 4s, sessions: 30}").start()
    def ask_in():
        one = Sql(gateway.port)
        one.send(pgwire.startup("tester", "shop"))
        one.read()
        one.send(pgwire.password(gateway.key))
        return one
    holders = [Sql(gateway.port).log_in("tester", gateway.key) for _ in range(2)]
    late = Sql(gateway.port).log_in("tester", gateway.key)
    for holder in holders:
        holder.ask_rows("BEGIN")
    began = time.monotonic()
    got = late.ask(query("SELECT 1"))
    waited = time.monotonic() - began
    expect(got and got[0].tag == "E" and got[0].fields()["C"] == "53300", f"waiting ended with {got}")
    expect("within 4s (queue.wait)" in got[0].fields()["M"], f"waiting ended with {got}")
    expect(waited > 3.9, f"it waited {waited} s")
    waiting = [ask_in() for _ in range(30)]
    full = ask_in().read()
    expect(full.tag == "E" and full.fields()["C"] == "53300", f"the queue was not full: {full}")
    expect("30 sessions wait for one already (queue.sessions)" in full.fields()["M"], f"{full}")
    time.sleep(1.5)  # Longer than a login may take, which does not count the queue.
    holders[0].ask_rows("COMMIT")
    for one in waiting:
        expect(one.read_until("Z"), "a session that waited was not let in")
    for one in (*holders, *waiting):
        one.leave()
    gateway.stop()
    details = [record["detail"] for record in gateway.expect_complete() if record.get("event") == "closed"]
    expect(any("became free within" in detail for detail in details), f"the wait is not recorded: {details}")


def check_death(world) -> None:
    """A client that leaves in a transaction, a target that restarts."""
    for _ in range(2 * CONNECTIONS):
        one = world.client()
        one.ask_rows("BEGIN")
        one.ask_rows("INSERT INTO notes (text) VALUES ('gone')")
        one._socket.close()
    client = world.client()
    wait_until(lambda: world.backends() <= CONNECTIONS, "the target's sessions to end")
    expect(client.one("SELECT count(*) FROM notes WHERE text = 'gone'") == "0", "an open transaction went on")
    client.ask(parse("SELECT 'still here'", "s") + SYNC)
    pinned = world.client()
    pinned.ask_rows("SET statement_timeout = '9s'")
    world.cluster.process.kill()
    world.cluster.start()
    expect(client.one("SELECT 'again'") == "again", "an idle session did not survive the restart")
    got = client.ask(bind("s") + execute() + SYNC)
    expect(got[1].values() == [b"still here"], f"a prepared statement did not: {got}")
    expect(pinned.read_until("Z") is not None and pinned.has_ended, "a pinned session did")
    client.leave()


CHECKS = (check_transactions, check_prepared, check_pgbench, check_drivers, check_pinning, check_leaks,
          check_cancel, check_limits, check_death)


def run(context) -> None:
    world = World(context)
    for check in CHECKS:
        began = time.monotonic()
        check(world)
        print(f"  {check.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    world.gateway.stop()
    world.gateway.expect_complete()
