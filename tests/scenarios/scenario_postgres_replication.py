"""Replication connections are refused unless a rule allows them and no mask applies; then
pg_basebackup, pg_receivewal and pg_recvlogical work, and their commands are recorded."""
import filecmp
import signal
import subprocess

from harness.context import expect, wait_until
from harness.postgres import ALLOW_ALL, BIN, Cluster, PostgresGateway, program
from harness.processes import die_with_harness

SETTINGS = """
wal_level = logical
max_wal_senders = 8
max_replication_slots = 8
"""
ALLOW_SQL = """
  - name: testers may use SQL
    principals: {groups: [testers]}
    operations: {sql: {relations: ["*"], functions: ["*"]}}
    ruling: allow
"""
REPLICATION_ONLY = """
  - name: testers may replicate
    principals: {groups: [testers]}
    operations: {sql: {classes: [replication]}}
    ruling: allow
"""
ALLOW_REPLICATION = ALLOW_SQL + REPLICATION_ONLY
DENY_DELETES = """
  - name: nothing is deleted
    operations: {sql: {classes: [delete]}}
    ruling: deny
"""
MASKS = """
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}, except_groups: [replicators]}
"""


def refusal(environment: dict[str, str], name: str, *arguments) -> str:
    done = program(environment, name, "-w", *arguments, check=False)
    expect(done.returncode != 0, f"{name} was let in: {done.stdout}")
    return done.stderr


def check_refused(context, rule: str, environment: dict[str, str]) -> None:
    nowhere = context.folder / "nowhere"
    for name, arguments in (("pg_receivewal", ["--no-loop", "-D", context.folder]),
                            ("pg_basebackup", ["-D", nowhere]),
                            ("pg_recvlogical", ["-d", "shop", "--slot", "s", "--create-slot", "-P", "test_decoding"]),
                            ("psql", ["-X", "-d", "dbname=shop replication=database", "-c", "SELECT 1"])):
        said = refusal(environment, name, *arguments)
        expect(f"refused replication by rule {rule}" in said, f"{name}: {said}")
    expect(not nowhere.exists() or not list(nowhere.iterdir()), "a refused backup left files")


def check_backup(context, gateway) -> None:
    for wal in ("stream", "fetch"):
        folder = context.folder / f"backup-{wal}"
        program(gateway.environment, "pg_basebackup", "-w", "-D", folder, "-X", wal, "-c", "fast")
        program(gateway.environment, "pg_verifybackup", folder)


def check_wal(context, gateway, cluster) -> None:
    """What is received is what the server has."""
    folder = context.folder / "wal"
    folder.mkdir()
    program(gateway.environment, "pg_receivewal", "-w", "-D", folder, "--create-slot", "--slot", "wal")
    receiver = context.start([BIN / "pg_receivewal", "-w", "-D", folder, "--no-loop", "--slot", "wal", "--synchronous"],
                             env=gateway.environment)
    cluster.psql("CREATE TABLE moved (n int)", database="shop")  # Not at a segment's border.
    first = cluster.psql("SELECT pg_walfile_name(pg_current_wal_lsn())")
    cluster.psql("INSERT INTO moved SELECT generate_series(1, 100000)",
                 "SELECT pg_switch_wal()", database="shop")
    wait_until(lambda: (folder / first).exists(), "a segment of the log", 30)
    expect(filecmp.cmp(folder / first, cluster.data / "pg_wal" / first, shallow=False), "the segment differs")
    receiver.signal(signal.SIGINT)
    expect(receiver.wait(20) == 0, f"pg_receivewal: {receiver.output()}")


def check_changes(context, gateway, cluster) -> None:
    logical = ["pg_recvlogical", "-w", "-d", "shop", "--slot", "changes"]
    program(gateway.environment, *logical, "--create-slot", "-P", "test_decoding")
    cluster.psql("INSERT INTO people VALUES (1, 'Ada')", database="shop")
    end = cluster.psql("SELECT pg_current_wal_lsn()")
    changes = program(gateway.environment, *logical, "--start", "-f", "-", "--endpos", end, "--no-loop").stdout
    expect("table public.people: INSERT: id[integer]:1 name[text]:'Ada'" in changes, changes)
    # SQL on such a connection is judged as SQL.
    arguments = ["-X", "-A", "-t", "-d", "dbname=shop replication=database"]
    got = program(gateway.environment, "psql", *arguments, "-c", "IDENTIFY_SYSTEM", "-c", "SELECT name FROM people",
                  "-c", "SHOW work_mem").stdout
    expect("Ada" in got and "|shop" in got and "4MB" in got, got)
    # Who may replicate may not use SQL by that, whatever a text begins with.
    gateway.write(REPLICATION_ONLY)
    gateway.reload()
    program(gateway.environment, "psql", *arguments, "-c", "IDENTIFY_SYSTEM")
    for text in ("SELECT name FROM people", "show work_mem; DELETE FROM people", "SHOW work_mem; DELETE FROM people",
                 "identify_system; DELETE FROM people", "IDENTIFY_SYSTEM; DELETE FROM people",
                 "/* */ DELETE FROM people", ";DELETE FROM people", "BASE_BACKUPS; DELETE FROM people"):
        refusal(gateway.environment, "psql", *arguments, "-c", text)
    expect(cluster.psql("SELECT count(*) FROM people", database="shop") == "1", "SQL came through as a command")
    gateway.write(ALLOW_REPLICATION)
    gateway.reload()
    program(gateway.environment, *logical, "--drop-slot")


def check_end(context, gateway) -> None:
    """A stream does not outlive the rule that let it in."""
    folder = context.folder / "ended"
    folder.mkdir()
    with subprocess.Popen([BIN / "pg_receivewal", "-w", "-D", folder, "--no-loop"], env=gateway.environment,
                          stderr=subprocess.PIPE, text=True, preexec_fn=die_with_harness) as receiver:
        wait_until(lambda: list(folder.glob("*.partial")), "the stream to begin", 20)
        gateway.write(ALLOW_SQL)
        gateway.reload()
        said = receiver.communicate(timeout=20)[1]
    expect(receiver.returncode != 0 and "no longer allowed" in said, f"the stream ended with {said}")


def run(context) -> None:
    cluster = Cluster(context, SETTINGS)
    cluster.psql("CREATE TABLE people (id int, name text)", database="shop")
    gateway = PostgresGateway(context, cluster, policies=ALLOW_SQL).start()
    check_refused(context, "default-deny", gateway.environment)
    # A deny rule about statements is about what a stream may hold, too.
    gateway.write(ALLOW_REPLICATION + DENY_DELETES)
    gateway.reload()
    check_refused(context, "nothing is deleted", gateway.environment)
    gateway.write(ALLOW_REPLICATION)
    gateway.reload()
    check_backup(context, gateway)
    check_wal(context, gateway, cluster)
    check_changes(context, gateway, cluster)
    check_end(context, gateway)
    gateway.stop()
    records = gateway.expect_complete()
    texts = {record.get("resource", "").split(" ")[0].lower() for record in records if record.get("verb") == "replication"}
    expect({"identify_system", "base_backup", "start_replication", "create_replication_slot", "drop_replication_slot",
            "show"} <= {text.split("(")[0] for text in texts}, f"recorded: {texts}")
    expect(sum(record.get("detail") == "replication" for record in records) >= 8, "refusals were not recorded")

    masked = PostgresGateway(context, cluster, name="masked", policies=ALLOW_ALL, masks=MASKS).start()
    check_refused(context, "pan", masked.environment)
    masked.stop()
