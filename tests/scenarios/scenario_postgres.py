"""PostgreSQL 15's own tools work through the gateway as if it were the server, and
what is refused or breaks ends as a server would end it."""
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import time
import tty

from harness.context import expect, wait_until
from harness.postgres import ALLOW_ALL, BIN, PASSWORD, Cluster, PostgresGateway, environment, program
from harness.processes import die_with_harness

DENY_DELETES = """
  - name: nothing is deleted
    operations: {sql: {classes: [delete]}}
    ruling: deny
    reason: Ask the owner of the data.
"""


PIPELINE = """
\\set aid random(1, 100000)
\\startpipeline
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + 0 WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :aid, 0, CURRENT_TIMESTAMP);
END;
\\endpipeline
"""


class Psql:
    """One psql at a terminal: for what takes more than one turn, and for Ctrl-C."""

    def __init__(self, environment, *arguments):
        self._terminal, theirs = pty.openpty()
        tty.setraw(theirs)  # No echo, and lines end as they are sent.
        self._child = subprocess.Popen(
            [BIN / "psql", "-X", "-q", "-A", "-t", "-n", "-P", "pager=off", "-v", "PROMPT1=", "-v", "PROMPT2=",
             "-v", "PROMPT3=", *arguments],
            env=environment, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=die_with_harness)
        os.close(theirs)
        self._turns = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        os.close(self._terminal)

    def send(self, text: str) -> None:
        os.write(self._terminal, text.encode() + b"\n")

    def interrupt(self) -> None:
        self._child.send_signal(signal.SIGINT)

    def read(self, seconds: float = 20.0) -> str:
        """What came since the last time, once psql is done with what it was sent."""
        self._turns += 1
        mark = f"turn {self._turns} is over"
        self.send(f"\\echo {mark}")
        got = self.read_until(mark.encode(), seconds)
        return got.replace(mark, "").strip()

    def read_until(self, mark: bytes, seconds: float = 20.0) -> str:
        got, deadline = b"", time.monotonic() + seconds
        while mark not in got:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._terminal, 65536) if ready else b""
            expect(piece, f"psql said only {got!r}")
            got += piece
        return got.decode()

    def ask(self, text: str) -> str:
        self.send(text)
        return self.read()


def check_psql(context, gateway, cluster) -> None:
    listing = program(gateway.environment, "psql", "-X", "-c", r"\d", "-c", r"\d accounts", "-c", r"\dt+",
                      "-c", r"\df", "-c", r"\l", "-c", r"\du").stdout
    direct = program(cluster.environment, "psql", "-X", "-c", r"\d", "-c", r"\d accounts", "-c", r"\dt+",
                     "-c", r"\df", "-c", r"\l", "-c", r"\du").stdout
    expect(listing == direct and "accounts" in listing, f"\\d differs: {listing}\n{direct}")

    # Copying in and out brings the same rows back.
    rows = "".join(f"{n},owner {n},{n * 10}\n" for n in range(1, 5001))
    (context.folder / "in.csv").write_text(rows)
    with Psql(gateway.environment) as psql:
        expect(psql.ask(rf"\copy accounts from '{context.folder}/in.csv' csv") == "", "\\copy in complained")
        expect(psql.ask(rf"\copy accounts to '{context.folder}/out.csv' csv") == "", "\\copy out complained")
        expect((context.folder / "out.csv").read_text() == rows, "\\copy brought other rows back")
        got = psql.ask("COPY accounts FROM STDIN;\n7001\tx\tnot a number\n\\.")
        expect("invalid input syntax" in got, got)
        expect(psql.ask("SELECT count(*) FROM accounts;") == "5000", "a broken COPY left rows")

        # A cursor, several statements in one text, \watch, and FETCH_COUNT's own cursors.
        got = psql.ask("BEGIN; DECLARE c CURSOR FOR SELECT id FROM accounts ORDER BY id; FETCH 3 FROM c;"
                       " MOVE 4990 IN c; FETCH ALL FROM c; COMMIT;")
        expect(got.split() == ["1", "2", "3", *map(str, range(4994, 5001))], got)
        got = psql.ask(r"SELECT 1 \; SELECT 2 \; SELECT 3;")
        expect(got.split() == ["1", "2", "3"], got)
        psql.send("SELECT 'watched' \\watch 0.1")
        psql.read_until(b"watched")
        psql.read_until(b"watched")
        psql.interrupt()
        psql.read()
        got = psql.ask("\\set FETCH_COUNT 100\nSELECT id FROM accounts ORDER BY id;\n\\unset FETCH_COUNT")
        expect(got.split() == [str(n) for n in range(1, 5001)], "FETCH_COUNT lost rows")
        got = psql.ask("SELECT 41 + 1 AS sum \\gdesc")
        expect(got == "sum|integer", got)

        # A refused statement names its rule and record, and fails the transaction on both sides.
        got = psql.ask("DELETE FROM accounts;")
        record = re.search(r"rule nothing is deleted, record (\S+)", got)
        expect("ERROR:  the gateway's policy refused" in got and "Ask the owner" in got and record, got)
        wait_until(lambda: gateway.records("--record", record.group(1)), "the refusal's record")
        found = gateway.records("--record", record.group(1))
        expect(len(found) == 1 and found[0]["ruling"] == "deny" and found[0]["verb"] == "delete", f"{found}")
        expect(psql.ask("SELECT 'usable';") == "usable", "the session is not usable after a refusal")
        got = psql.ask("BEGIN; UPDATE accounts SET balance = 0 WHERE id = 1;")
        got += psql.ask("DELETE FROM accounts WHERE id = 1;")
        got += psql.ask("SELECT 'still here';")
        expect("refused the statement" in got and "current transaction is aborted" in got
               and "still here" not in got, got)
        expect(psql.ask("ROLLBACK;\nSELECT balance FROM accounts WHERE id = 1;") == "10", "ROLLBACK failed")
        got = psql.ask("BEGIN; UPDATE accounts SET balance = 0 WHERE id = 1;")
        got = psql.ask("SAVEPOINT a;\nDELETE FROM accounts;\nROLLBACK TO a;\nSELECT balance FROM accounts WHERE id = 1;"
                       "\nCOMMIT;")
        expect(got.endswith("\n0"), f"a savepoint did not survive a refusal: {got}")
        got = psql.ask(r"SELECT 'before' \; DELETE FROM accounts \; SELECT 'after';")
        expect("refused" in got and "before" not in got and "after" not in got, got)
    expect(cluster.psql("SELECT count(*) FROM accounts", database="shop") == "5000", "rows are gone")


def check_cancel(gateway) -> None:
    with Psql(gateway.environment) as one, Psql(gateway.environment) as other:
        key = one.ask("SELECT pg_backend_pid();")
        one.send("SELECT pg_sleep(60);")
        other.send("SELECT pg_sleep(2), 'undisturbed';")
        wait_until(lambda: "2" == gateway.psql("SELECT count(*) FROM pg_stat_activity"
                                               " WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"),
                   "both to sleep")
        # Keys that are none: the target's own process number, and one of another session's.
        for process, secret in ((int(key), 0), (int(key), 1 << 31), (1, 1), (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)):
            with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as forger:
                forger.sendall(struct.pack("!IIII", 16, 80877102, process, secret))
                expect(forger.recv(100) == b"", "a cancel request got an answer")
        expect(gateway.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'"
                            " AND state = 'active'") == "1", "a forged key cancelled a session")
        one.interrupt()
        got = one.read()
        expect("canceling statement due to user request" in got, got)
        expect(one.ask("SELECT 'goes on';") == "goes on", "the session did not outlive Ctrl-C")
        expect(other.read() == "|undisturbed", "Ctrl-C disturbed another session")


def check_pgbench(context, gateway) -> None:
    size = ["-T", 30] if context.full else ["-t", 50]
    program(gateway.environment, "pgbench", "-i", "-q", "-s", 1, "shop")
    pipeline = context.folder / "pipeline.sql"
    pipeline.write_text(PIPELINE)
    for mode, arguments in (("simple", []), ("extended", []), ("prepared", []), ("simple", ["-S", "-C"]),
                            ("simple", ["-S"]), ("extended", ["-S"]), ("prepared", ["-S"]), ("prepared", ["-N"]),
                            ("extended", ["-f", pipeline]), ("prepared", ["-f", pipeline])):
        done = program(gateway.environment, "pgbench", "-n", "-M", mode, "-c", 4, *size, *arguments, "shop")
        processed = int(re.search(r"actually processed: (\d+)", done.stdout).group(1))
        failed = int(re.search(r"failed transactions: (\d+)", done.stdout).group(1))
        expect(processed > 0 and failed == 0 and "error" not in done.stderr, f"{done.stdout}{done.stderr}")
    # Each client's updates are there, once.
    expect(gateway.psql("SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(delta)"
                        " FROM pgbench_history)") == "0", "pgbench's sums differ")


def check_dump(context, gateway, cluster) -> None:
    """Byte for byte what a direct one is, and good to restore from through the gateway."""
    if not context.full:
        cluster.psql("DELETE FROM pgbench_accounts WHERE aid > 2000", database="shop")
    cluster.psql("CREATE TABLE kinds (id serial PRIMARY KEY, b bytea, n numeric, a int[], j jsonb, t timestamptz)",
                 "INSERT INTO kinds (b, n, a, j, t) SELECT decode(md5(i::text), 'hex'), i / 7.0, ARRAY[i, NULL],"
                 " jsonb_build_object('key', i), to_timestamp(i) FROM generate_series(1, 5000) i",
                 "CREATE VIEW few AS SELECT * FROM kinds WHERE id < 10",
                 "CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT 2 * x'", database="shop")

    def dump(environment, name, *arguments):
        program(environment, "pg_dump", "-f", context.folder / name, *arguments, "shop")
        return re.sub(rb"(?m)^\\(un)?restrict .*\n", b"", (context.folder / name).read_bytes())

    for arguments in ([], ["--inserts", "--rows-per-insert=100"]):
        ours, theirs = dump(gateway.environment, "ours", *arguments), dump(cluster.environment, "theirs", *arguments)
        expect(ours == theirs and len(ours) > 500_000, "the dump differs from a direct one")
    dump(gateway.environment, "archive", "-Fc")
    cluster.psql("CREATE DATABASE copy")
    program(gateway.environment, "pg_restore", "-d", "copy", "--exit-on-error", context.folder / "archive")
    table = "SELECT md5(string_agg(k::text, ',' ORDER BY id)) FROM kinds k"
    expect(gateway.psql(table, database="copy") == cluster.psql(table, database="shop"), "what was restored differs")


def refusal_of_login(port: int, user: str, password: str, **more) -> str:
    done = program(environment(port, user, password) | more, "psql", "-X", "-w", "-c", "SELECT 1", check=False)
    expect(done.returncode == 2, f"{user} was let in: {done.stdout}")
    return done.stderr


def check_logins(gateway) -> None:
    short = gateway.new_key("tester", "testers", "2s")
    stranger = gateway.new_key("stranger", "nobodies")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    expect(gateway.psql("SELECT 1") == "1", "the first key is not good any more")
    with Psql(environment(gateway.port, "tester", short)) as expiring:
        expect(expiring.ask("SELECT 1;") == "1", "a key that is not over yet was refused")
        for user, password in (("tester", "wrong"), ("tester", gateway.key[:-1] + "_"), ("tester", stranger),
                               ("stranger", gateway.key), ("app", PASSWORD), ("TESTER", gateway.key)):
            said = refusal_of_login(gateway.port, user, password)
            expect("FATAL:  authentication failed" in said, said)
        expect("no password supplied" in refusal_of_login(gateway.port, "tester", ""), "a login without a key")
        expect("does not exist" in refusal_of_login(gateway.port, "tester", gateway.key, PGDATABASE="nowhere"),
               "a database that is not there")
        expect("startup parameter 'options'" in refusal_of_login(
            gateway.port, "tester", gateway.key, PGOPTIONS="-c standard_conforming_strings=off"), "options passed")
        expect("UTF-8 only" in refusal_of_login(gateway.port, "tester", gateway.key, PGCLIENTENCODING="SJIS"),
               "a foreign encoding passed")
        expect("does not support SSL" in refusal_of_login(gateway.port, "tester", gateway.key, PGSSLMODE="require"),
               "TLS where there is none")
        wait_until(lambda: "authentication failed" in program(
            environment(gateway.port, "tester", short), "psql", "-X", "-w", "-c", "", check=False).stderr,
            "the short key to expire")
        got = expiring.ask("SELECT 'too late';")
        expect("no longer valid" in got and "\ntoo late" not in got, got)
    # Nobody's rules: in, but every statement is refused.
    done = program(environment(gateway.port, "stranger", stranger), "psql", "-X", "-c", "SELECT 'in'", check=False)
    expect("refused the statement" in done.stderr and "in" not in done.stdout, f"{done}")
    # A key that is taken back ends its sessions at their next statement.
    with Psql(environment(gateway.port, "stranger", stranger)) as gone, Psql(gateway.environment) as stays:
        expect(stays.ask("SELECT 1;") == "1" and "refused" in gone.ask("SELECT 1;"), "two sessions")
        keys = gateway.keys_file.read_text().split("\n- ")
        gateway.keys_file.write_text("\n- ".join(entry for entry in keys if "stranger" not in entry))
        gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
        expect("no longer valid" in gone.ask("SELECT 1;"), "a withdrawn key still works")
        expect(stays.ask("SELECT 2;") == "2", "a reload broke another session")


def check_breaks(context, gateway, cluster) -> None:
    """What ends at the target ends here, and says so."""
    with Psql(gateway.environment) as psql:
        backend = psql.ask("SELECT pg_backend_pid();")
        gateway.psql(f"SELECT pg_terminate_backend({backend})")
        got = psql.ask("SELECT 'after';")
        expect("terminating connection due to administrator command" in got, got)
    with Psql(gateway.environment) as psql:
        # Mid-result: the process is killed, so the server ends all and recovers.
        backend = psql.ask("SELECT pg_backend_pid();")
        psql.send("\\set FETCH_COUNT 10\nSELECT i, pg_sleep(0.001) FROM generate_series(1, 100000) i;")
        psql.read_until(b"100|")
        os.kill(int(backend), signal.SIGKILL)
        got = psql.read()
        expect("server closed the connection unexpectedly" in got or "the target" in got
               or "terminating connection" in got, got[-500:])
    wait_until(lambda: program(gateway.environment, "psql", "-X", "-c", "", check=False).returncode == 0,
               "the target to recover", 30)
    with Psql(gateway.environment) as psql:
        psql.ask("SELECT 1;")
        cluster.process.kill()
        got = psql.ask("SELECT 'after';")
        expect("FATAL" in got or "server closed the connection" in got, got)
    expect("could not be reached" in refusal_of_login(gateway.port, "tester", gateway.key), "no target, no refusal")
    cluster.start()
    # An ejected address comes back by itself.
    wait_until(lambda: program(gateway.environment, "psql", "-X", "-c", "", check=False).returncode == 0,
               "the target to be used again", 30)


def check_drain(gateway) -> None:
    with Psql(gateway.environment) as idle, Psql(gateway.environment) as busy:
        idle.ask("SELECT 1;")
        busy.ask("BEGIN;")
        gateway.process.signal(signal.SIGTERM)
        wait_until(lambda: gateway.admin("GET", "/readyz")[0] == 503, "readiness to go")
        expect("the gateway is going down" in idle.ask("SELECT 2;"), "an idle session was not told")
        expect(busy.ask("SELECT 'finishes';") == "finishes", "an open transaction was cut off")
        busy.ask("COMMIT;")
        expect(gateway.process.wait(15) == 0, f"the gateway ended: {gateway.process.output()}")


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql("CREATE TABLE accounts (id int PRIMARY KEY, owner text, balance numeric)", database="shop")
    gateway = PostgresGateway(context, cluster, policies=ALLOW_ALL + DENY_DELETES).start()
    check_psql(context, gateway, cluster)
    gateway.write(ALLOW_ALL)
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    check_cancel(gateway)
    check_pgbench(context, gateway)
    check_dump(context, gateway, cluster)
    check_logins(gateway)
    check_breaks(context, gateway, cluster)
    check_drain(gateway)
    gateway.expect_complete()
