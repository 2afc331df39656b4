"""What a rule holds waits for people: with real psql, several drivers' ways and the CLI. What is approved
runs once and to the byte; denied, expired, cancelled, lost and changed operations do not run."""
import json
import os
import re
import signal
import subprocess
import threading
import time

from harness import pgwire as w
from harness.approvals import People
from harness.context import expect, wait_until
from harness.postgres import BIN, Cluster, PostgresGateway, environment

SETUP = "CREATE TABLE ledger (n int PRIMARY KEY); INSERT INTO ledger SELECT generate_series(1, 10);"
POLICIES = """
  - name: testers may everything
    principals: {groups: [testers, dba]}
    ruling: allow
  - name: bulk deletes
    operations: {sql: {classes: [delete]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1m}
  - name: updates need two
    operations: {sql: {classes: [update]}}
    ruling: hold
    approval: {by_groups: [dba, security], distinct: 2, all_groups: false, reason_required: true, expires: 1m}
  - name: inserts are urgent
    operations: {sql: {classes: [insert]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1s}
"""
DELETE = "DELETE FROM ledger WHERE n = 1"


class Psql:
    """A statement in psql, under way."""

    def __init__(self, gateway, *statements: str):
        words = [word for statement in statements for word in ("-c", statement)]
        self.process = subprocess.Popen([BIN / "psql", "-X", "-A", "-t", *words], env=gateway.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def end(self) -> tuple[str, str]:
        out, err = self.process.communicate(timeout=60)
        return out.strip(), err


def count(cluster) -> int:
    return int(cluster.psql("SELECT count(*) FROM ledger", database="shop"))


def refill(cluster) -> None:
    cluster.psql("TRUNCATE ledger", "INSERT INTO ledger SELECT generate_series(1, 10)", database="shop")


def error_code(messages) -> str:
    return " ".join(m.fields()["C"] for m in messages if m.tag == "E")


def check_approve(gateway, people, cluster) -> None:
    psql = Psql(gateway, "\\set VERBOSITY verbose", DELETE, "SELECT 'on it goes'")
    request, = people.waiting()
    shown = people.show(request)
    expect(shown["requester"]["subject"] == "tester" and shown["rules"][0]["rule"] == "bulk deletes", f"{shown}")
    expect(shown["resource"].lower().startswith("delete from ledger where n ="), f"shown is {shown['resource']}")
    expect("= 1" not in shown["resource"], "a constant is shown")
    expect(count(cluster) == 10, "it ran before anybody agreed")
    expect(people.decide("approve", None, request) == 2, "nobody may approve")
    expect(people.decide("approve", "wrong", request) == 5, "a wrong key may approve")
    expect(people.decide("approve", "tester", request) == 5, "the requester may approve")
    expect(people.decide("approve", "eve", request) == 5, "who is not in the group may approve")
    expect(people.decide("approve", "bob", "AAAAAAAA") == 1, "what is not there can be approved")
    expect(count(cluster) == 10, "it ran by a decision that does not count")
    expect(people.decide("approve", "bob", request.lower()) == 0, "bob may not approve")
    out, err = psql.end()
    expect(f"request {request}" in err and f"sluice approve {request}" in err, f"the notice: {err}")
    expect(out == "DELETE 1\non it goes", f"psql said {out} and {err}")
    expect(count(cluster) == 9, "it did not run once")
    wait_until(lambda: people.show(request).get("ended") == "ran", "the request to be over")
    expect(people.decide("approve", "bob", request) == 1, "it can be approved again")
    # The same again is another request.
    psql = Psql(gateway, DELETE)
    again, = people.waiting()
    expect(again != request, "one request for two executions")
    expect(people.decide("deny", "bob", again, "--reason", "not today") == 0, "bob may not deny")
    _, err = psql.end()
    expect("bob denied it: not today" in err and again in err, f"denied: {err}")
    expect(count(cluster) == 9, "it ran though it was denied")
    refill(cluster)


def check_two(gateway, people, cluster) -> None:
    psql = Psql(gateway, "UPDATE ledger SET n = n + 100")
    request, = people.waiting()
    expect(people.decide("approve", "bob", request) == 2, "without a reason")
    expect(people.decide("approve", "bob", request, "--reason", "ticket 17") == 0, "bob may not approve")
    expect(people.decide("approve", "bob", request, "--reason", "again") == 1, "bob counts twice")
    expect(people.state(request) == "waiting", "one person is enough")
    expect(people.decide("approve", "eve", request, "--reason", "seen it") == 0, "eve may not approve")
    out, err = psql.end()
    expect(out == "UPDATE 10", f"psql said {out} and {err}")
    refill(cluster)


def check_no_answer(gateway, people, cluster) -> None:
    out, err = Psql(gateway, "INSERT INTO ledger VALUES (11)").end()
    expect("nobody decided in time" in err and "INSERT" not in out, f"expired: {out} {err}")
    psql = Psql(gateway, DELETE, "SELECT 'still here'")
    request, = people.waiting()
    psql.process.send_signal(signal.SIGINT)
    _, err = psql.end()
    expect("canceling statement due to user request" in err, f"cancelled: {err}")
    wait_until(lambda: people.state(request) == "withdrawn", "the cancelled request to be withdrawn")
    expect(people.decide("approve", "bob", request) == 1, "a cancelled request can be approved")
    psql = Psql(gateway, DELETE)
    request, = people.waiting()
    psql.process.kill()
    psql.end()
    wait_until(lambda: people.state(request) == "withdrawn", "an abandoned request to be withdrawn")
    psql = Psql(gateway, DELETE)
    request, = people.waiting()
    gateway.reload()
    _, err = psql.end()
    expect("the configuration was changed while it waited" in err, f"reloaded: {err}")
    wait_until(lambda: people.show(request).get("ended") == "reloaded", "the reload to be told")
    expect(count(cluster) == 10, "something ran")


def check_extended(gateway, people, cluster) -> None:
    """Prepared, with parameters, in a transaction, in a pipeline."""
    statement = "DELETE FROM ledger WHERE n = $1"
    with w.Client(gateway.port).log_in("tester", gateway.key) as client:
        client.ask(w.SYNC)
        client.ask(w.query("BEGIN"))

        def approve():
            request, = people.waiting()
            expect(people.decide("approve", "bob", request) == 0, "bob may not approve")
        thread = threading.Thread(target=approve)
        thread.start()
        got = client.ask(w.parse(statement) + w.bind(values=(b"3",)) + w.execute() + w.SYNC)
        thread.join()
        expect(not error_code(got) and [m.tag for m in got if m.tag == "C"], f"approved: {got}")
        expect(any(m.tag == "N" for m in got), f"no notice: {got}")
        client.ask(w.query("COMMIT"))
        expect(count(cluster) == 9, "it did not run")
        refused = client.ask(w.query("PREPARE x AS DELETE FROM ledger"))
        expect(error_code(refused) == "42501", f"PREPARE is not refused: {refused}")
    refill(cluster)


def check_kill(gateway, people, cluster) -> None:
    psql = Psql(gateway, DELETE)
    request, = people.waiting()
    expect(people.decide("approve", "eve", request) == 5, "eve may approve")
    gateway.process.kill()
    psql.end()
    gateway.start()
    expect(people.state(request) == "lost", f"after kill -9 it is {people.state(request)}")
    expect(people.decide("approve", "bob", request) == 1, "what was lost can be approved")
    expect(count(cluster) == 10, "what was lost ran")


def times_of(client, count: int) -> list[float]:
    """Of statements that nobody holds, in ms, sorted."""
    times = []
    for _ in range(count):
        began = time.monotonic()
        expect(not error_code(client.ask(w.query("SELECT 1"))), "unrelated traffic fails")
        times.append((time.monotonic() - began) * 1000)
    return sorted(times)


def check_many(context, cluster) -> None:
    """A thousand wait at once: others notice nothing, none of them keeps a server connection, and one
    more is refused."""
    gateway = PostgresGateway(context, cluster, name="many", mode="transaction", policies=POLICIES.replace("1m", "10m"),
                              pool="connections: 8", more="approvals: {held: 1000, held_per_principal: 1000}")
    people = People(gateway)
    people.add("bob", "dba")
    gateway.start()
    clients = []
    with w.Client(gateway.port).log_in("tester", gateway.key) as other:
        other.ask(w.SYNC)
        before = times_of(other, 500)
        for number in range(1000):
            clients.append(w.Client(gateway.port, timeout=60).log_in("tester", gateway.key))
            clients[-1].send(w.query(f"DELETE FROM ledger WHERE n = {number}"))
        people.waiting(1000)
        expect(len(people.requests()) == 1000, "not all are listed")
        with w.Client(gateway.port, timeout=60).log_in("tester", gateway.key) as late:
            late.ask(w.SYNC)
            expect(error_code(late.ask(w.query(DELETE))) == "53400", "one more may wait")
        during = times_of(other, 500)
    print(f"others' statements, median and p99 in ms: {before[250]:.2f} {before[495]:.2f} before, "
          f"{during[250]:.2f} {during[495]:.2f} while 1000 wait")
    expect(during[250] < 5 * before[250] + 5, "1000 that wait slow others down")
    for client in clients[:500]:
        client.close()
    people.waiting(500)
    approved = people.requests("waiting")[0]["id"]
    expect(people.decide("approve", "bob", approved) == 0, "bob may not approve")
    wait_until(lambda: people.show(approved).get("ended") == "ran", "the approved one to run")
    text = gateway.admin("GET", "/metrics")[1]
    expect("sluice_holds 499\n" in text and 'sluice_holds_total{result="too-many"} 1\n' in text,
           "metrics do not count what waits")
    gateway.stop()
    ran = [r for r in gateway.expect_complete() if r["phase"] == "intent" and r.get("approval") and r["ruling"] == "allow"]
    expect(len(ran) == 1, f"{len(ran)} ran of those that were not approved")


def check_records(gateway) -> None:
    records = gateway.expect_complete()
    approvals = [r for r in records if r["phase"] == "approval"]
    events = {r["event"] for r in approvals}
    expect({"requested", "approved", "denied", "decision-refused", "expired", "withdrawn", "lost",
            "ended"} <= events, f"events {events}")
    ran = [r for r in records if r["phase"] == "intent" and r.get("approval") and r["ruling"] == "allow"]
    granted = {r["approval"]: r["binding"] for r in approvals if r["event"] == "approved" and r["result"] == "approved"}
    expect(ran and all(granted[r["approval"]] == r["binding"] for r in ran), "something ran otherwise than approved")
    expect(len({r["approval"] for r in ran}) == len(ran), "an approval was used twice")
    refused = {r["reason"] for r in approvals if r["event"] == "decision-refused"}
    expect(len(refused) >= 5, f"decisions refused because {refused}")
    decided = next(r for r in approvals if r["event"] == "approved")
    expect(decided["subject"] == "bob" and re.match(r"user \d+$", decided["peer"]) and decided["resource"],
           f"{decided}")


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    for mode in ("session", "transaction"):
        refill(cluster)
        gateway = PostgresGateway(context, cluster, name=mode, mode=mode, policies=POLICIES)
        people = People(gateway)
        people.add("bob", "dba")
        people.add("eve", "security")
        gateway.start()
        check_approve(gateway, people, cluster)
        check_two(gateway, people, cluster)
        check_no_answer(gateway, people, cluster)
        check_extended(gateway, people, cluster)
        check_kill(gateway, people, cluster)
        gateway.stop()
        check_records(gateway)
    refill(cluster)
    check_many(context, cluster)
