"""Client libraries work through the gateway as they do without it, and get to see
refusals and masked values: libpq's pipeline mode, psycopg 3, JDBC, and Node's `pg`
and `postgres`. They are in clients/."""
import os
import pathlib
import shutil
import subprocess

from harness.context import expect
from harness.postgres import ALLOW_ALL, PASSWORD, Cluster, PostgresGateway, environment

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
JDBC = "/usr/share/java/postgresql.jar"
SSN, SSN_SHOWN = "078-05-1120", "***-**-1120"
CARD, CARD_SHOWN = "4111111111111111", "411111******1111"
SETUP = f"""
CREATE TABLE people (id int PRIMARY KEY, name text, ssn text, card text, photo bytea, balance numeric);
INSERT INTO people SELECT i, 'name ' || i, '{SSN}', '{CARD}', '\\x00'::bytea || set_byte('\\x00', 0, i) || '\\xff', i / 8.0
  FROM generate_series(1, 100) i;
"""
DENY_DELETES = """
  - name: nothing is deleted
    operations: {sql: {classes: [delete]}}
    ruling: deny
"""
MASKS = """
  - {name: ssn, find: {columns: [people.ssn]}, show: {partial: {first: 0, last: 4}}}
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
"""


def run_once(name: str, command: list, *, cwd: pathlib.Path, more: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=os.environ | (more or {}),
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    expect(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}")


def prepare(context) -> dict[str, list]:
    """The command of each client, with what it needs built."""
    folder = context.folder / "clients"
    shutil.copytree(CLIENTS, folder)
    flags = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True, check=True).stdout.strip()
    run_once("cc", ["cc", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{flags}", "libpq_pipeline.c", "-lpq", "-o",
                    "libpq_pipeline"], cwd=folder)
    run_once("javac", ["javac", "-cp", JDBC, "Jdbc.java"], cwd=folder)
    run_once("npm", ["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return {"libpq": [folder / "libpq_pipeline"],
            "psycopg": ["/usr/bin/python3", folder / "psycopg3.py"],
            "jdbc": ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JDBC}:{folder}", "Jdbc"],
            "pg": ["node", folder / "node_pg.mjs"],
            "postgres": ["node", folder / "node_postgres.mjs"]}


def run(context) -> None:
    commands = prepare(context)
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    gateway = PostgresGateway(context, cluster, policies=ALLOW_ALL + DENY_DELETES, masks=MASKS).start()
    direct = environment(cluster.port, "app", PASSWORD) | {"SSN": SSN, "CARD": CARD}
    through = gateway.environment | {"SSN": SSN_SHOWN, "CARD": CARD_SHOWN, "REFUSES": "1"}
    for name, command in commands.items():
        run_once(f"{name} without the gateway", command, cwd=context.folder, more=direct)
        run_once(name, command, cwd=context.folder, more=through)
    gateway.stop()
    records = gateway.expect_complete()
    denied = sum(record["phase"] == "intent" and record["ruling"] == "deny" for record in records)
    expect(denied >= 15, f"only {denied} refusals were recorded")
