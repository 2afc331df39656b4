"""An operator ends sessions of a real PostgreSQL: the client is told 57P01, what runs at the target
is stopped, and what waits for approval never runs."""
import json
import subprocess

from harness.context import expect, wait_until
from harness.postgres import BIN, Cluster, PostgresGateway

POLICIES = """
  - name: all
    principals: {groups: [testers]}
    ruling: allow
  - name: deletes wait
    operations: {sql: {classes: [delete]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1m}
"""


def begin(gateway, statement: str) -> subprocess.Popen:
    return subprocess.Popen([BIN / "psql", "-X", "-A", "-t", "-v", "VERBOSITY=verbose", "-c", statement],
                            env=gateway.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def in_state(gateway, state: str) -> list[dict]:
    outcome = gateway.sluice("sessions", "--socket", gateway.admin_socket, "--json", check=True)
    return [one for one in outcome.json()["sessions"] if one["state"] == state]


def kill(gateway, state: str, client: subprocess.Popen) -> str:
    wait_until(lambda: in_state(gateway, state), f"a session to be {state}")
    session, = in_state(gateway, state)
    expect(session["subject"] == "tester" and session["database"] == "shop" and session["protocol"] == "postgres",
           f"{session}")
    done = gateway.sluice("kill", session["id"], "--reason", "runaway", "--socket", gateway.admin_socket, "--json")
    expect(done.code == 0 and json.loads(done.out)["id"] == session["id"], f"kill: {done.err}")
    _, err = client.communicate(timeout=30)
    expect("57P01" in err and "an operator ended this session" in err, f"its client was told: {err}")
    return session["id"]


def run(context) -> None:
    cluster = Cluster(context)
    cluster.psql("CREATE TABLE ledger AS SELECT generate_series(1, 10) AS n", database="shop")
    for mode in ("session", "transaction"):
        gateway = PostgresGateway(context, cluster, name=mode, mode=mode, policies=POLICIES).start()
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
        slept = kill(gateway, "busy", begin(gateway, "SELECT pg_sleep(600)"))
        wait_until(lambda: cluster.psql(running).strip() == "0", "the target to stop what ran")
        held = kill(gateway, "held", begin(gateway, "DELETE FROM ledger"))
        expect(cluster.psql("SELECT count(*) FROM ledger", database="shop").strip() == "10", "it ran")
        expect(gateway.psql("SELECT 1").strip() == "1", "others go on")
        records = gateway.expect_complete()
        for session in (slept, held):
            called = [one for one in records if one.get("event") == "api-called"
                      and one["resource"] == f"/v1/sessions/{session}/kill"]
            expect(len(called) == 1 and called[0]["reason"] == "runaway" and called[0]["peer"], f"{called}")
            own = [one for one in records if one["phase"] == "session" and one["session"] == int(session.split("-")[1])]
            expect(own[-1].get("event") == "closed" and "an operator" in own[-1]["detail"], f"{own[-1]}")
        gateway.stop()
