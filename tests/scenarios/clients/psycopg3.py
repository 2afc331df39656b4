"""psycopg 3: simple and extended queries, prepared statements, pipeline mode, binary,
COPY, server-side cursors, cancel and notifications."""
import os
import threading

import psycopg
from psycopg import errors

SSN, CARD, REFUSES = os.environ["SSN"], os.environ["CARD"], "REFUSES" in os.environ


def expect(condition, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def fails_with(state: str, part: str, action) -> None:
    try:
        action()
    except errors.Error as error:
        said = f"{error} {error.diag.message_detail}"
        expect(error.sqlstate == state and part in said, f"{state} was expected: {error.sqlstate} {said}")
        return
    raise AssertionError(f"{state} was expected, and all went well")


def queries(connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2")
        expect(cursor.nextset() and cursor.fetchone() == (2,), "two statements in one text")
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            for number in range(1, 21):  # Prepared from the sixth on.
                cursor.execute("SELECT id, name, ssn, card, photo FROM people WHERE id = %s", (number,))
                row = cursor.fetchone()
                expect(row == (number, f"name {number}", SSN, CARD, bytes((0, number, 255))), f"row: {row}")
    fails_with("22012", "", lambda: connection.execute("SELECT 1 / %s", (0,)))
    if REFUSES:
        for arguments in (("DELETE FROM people",), ("DELETE FROM people WHERE id = %s", (1,))):
            fails_with("42501", "rule nothing is deleted, record ", lambda: connection.execute(*arguments))
    expect(connection.execute("SELECT count(*) FROM people").fetchone() == (100,), "rows are gone")


def transactions(connection) -> None:
    connection.execute("CREATE TEMPORARY TABLE kept (n int)")

    def broken() -> None:
        with connection.transaction():
            connection.execute("INSERT INTO kept VALUES (1)")
            connection.execute("DELETE FROM people" if REFUSES else "SELECT 1 / 0")
    with connection.transaction():
        fails_with("42501" if REFUSES else "22012", "", broken)
        connection.execute("INSERT INTO kept VALUES (2)")
    expect(connection.execute("SELECT sum(n) FROM kept").fetchone() == (2,), "a savepoint was not undone")
    with connection.transaction(), connection.cursor("at_server") as cursor:
        cursor.itersize = 7
        cursor.execute("SELECT id, ssn FROM people ORDER BY id")
        expect(list(cursor) == [(n, SSN) for n in range(1, 101)], "a cursor lost rows")


def pipelines(connection) -> None:
    with connection.pipeline(), connection.cursor() as cursor:
        cursor.executemany("SELECT ssn, %s::int FROM people WHERE id = 1", [(n,) for n in range(200)], returning=True)
        for number in range(200):
            expect(cursor.fetchone() == (SSN, number), "a pipeline mixed up its results")
            cursor.nextset()

    def broken() -> None:
        with connection.pipeline():
            connection.execute("INSERT INTO kept VALUES (3)")
            connection.execute("DELETE FROM people WHERE id = %s" if REFUSES else "SELECT 1 / (%s - 1)", (1,))
            connection.execute("INSERT INTO kept VALUES (4)")
    fails_with("42501" if REFUSES else "22012", "", broken)
    expect(connection.execute("SELECT sum(n) FROM kept").fetchone() == (2,), "a failed pipeline left rows")


def copies(connection) -> None:
    connection.execute("TRUNCATE kept")
    with connection.cursor() as cursor:
        with cursor.copy("COPY kept FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4"])
            for number in range(5000):
                copy.write_row((number,))
        with cursor.copy("COPY (SELECT n FROM kept ORDER BY n) TO STDOUT") as copy:
            expect([row for row in copy.rows()] == [(str(n),) for n in range(5000)], "COPY brought other rows back")
        with cursor.copy("COPY (SELECT card FROM people WHERE id = 1) TO STDOUT") as copy:
            expect(b"".join(copy).decode().strip() == CARD, "COPY shows cards")


def cancel(connection) -> None:
    done = threading.Event()

    def keep_cancelling() -> None:
        while not done.wait(0.1):
            connection.cancel()
    other = threading.Thread(target=keep_cancelling)
    other.start()
    try:
        fails_with("57014", "", lambda: connection.execute("SELECT pg_sleep(60)"))
    finally:
        done.set()
        other.join()


def notifications(connection) -> None:
    heard = []
    connection.add_notify_handler(heard.append)
    connection.execute("LISTEN news")
    connection.execute("SELECT pg_notify('news', %s)", ("hello",))
    expect([(one.channel, one.payload) for one in heard] == [("news", "hello")], f"notifications: {heard}")


with psycopg.connect("sslmode=disable", autocommit=True) as one:
    queries(one)
    transactions(one)
    pipelines(one)
    copies(one)
    notifications(one)
    cancel(one)
