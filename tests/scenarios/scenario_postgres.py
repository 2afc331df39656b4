"""PostgreSQL 15's own tools work through the gateway as if it were the server, and
what is refused or breaks ends as a server would end it."""
import os
import pty
import re
import select
import signal
import subprocess
import time
import tty

from harness.context import expect, wait_until
from harness.postgres import ALLOW_ALL, BIN, Cluster, PostgresGateway, program
from harness.processes import die_with_harness

DENY_DELETES = """
  - name: nothing is deleted
    operations: {sql: {classes: [delete]}}
    ruling: deny
    reason: Ask the owner of the data.
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


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql("CREATE TABLE accounts (id int PRIMARY KEY, owner text, balance numeric)", database="shop")
    gateway = PostgresGateway(context, cluster, policies=ALLOW_ALL + DENY_DELETES).start()
    check_psql(context, gateway, cluster)
    gateway.stop()
    gateway.expect_complete()
