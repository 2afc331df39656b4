"""A private PostgreSQL 15, and a gateway before it."""
import os
import pathlib
import pwd
import signal
import subprocess

from harness.context import Context, expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
OWNER = "postgres"  # The server refuses to run as root.
PASSWORD = "of-the-target"
ALLOW_ALL = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
"""
SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = 32MB
max_connections = 60
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
jit = off
log_min_messages = fatal
"""
# `app` is whom the gateway logs in as; `direct` is for a raw socket that does without it.
HBA = """
host all direct 127.0.0.1/32 password
host all,replication all 127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """Runs from here to the scenario's end, on a port and in a folder of its own."""

    def __init__(self, context: Context, settings: str = ""):
        self.context = context
        self.port = free_port()
        self.folder = context.folder / "postgres"
        self.folder.mkdir()
        self._user = OWNER if os.geteuid() == 0 else None
        if self._user:
            context.folder.chmod(0o711)
            owner = pwd.getpwnam(OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.data = self.folder / "data"
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        made = subprocess.run([BIN / "initdb", "-D", self.data, "-U", "app", "--pwfile", password_file,
                               "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
                              capture_output=True, text=True, user=self._user, cwd=self.folder, timeout=120)
        expect(made.returncode == 0, f"initdb: {made.stdout}{made.stderr}")
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as file:
            file.write(f"{SETTINGS}{settings}\nport = {self.port}\nunix_socket_directories = '{self.folder}'\n")
        (self.data / "pg_hba.conf").write_text(HBA)
        self.start()
        self.psql(f"CREATE ROLE direct SUPERUSER LOGIN PASSWORD '{PASSWORD}'",
                  "CREATE DATABASE shop")

    def start(self) -> None:
        # SIGQUIT: it ends at once and leaves no shared memory.
        self.process = self.context.start([BIN / "postgres", "-D", self.data], user=self._user,
                                          ends_by=signal.SIGQUIT)
        wait_until(lambda: subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                          timeout=30).returncode == 0, "PostgreSQL to be ready", 30)

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.port, "app", PASSWORD)

    def psql(self, *statements: str, database: str = "postgres") -> str:
        """Past the gateway."""
        return psql(self.environment, *statements, database=database)


class PostgresGateway(Gateway):
    """With a PostgreSQL listener; `tester` may log in."""

    def __init__(self, context: Context, cluster: Cluster, *, policies=ALLOW_ALL, mode="session",
                 pool="", listener="",
                 **options):
        """pool: more lines of the target."""
        secret = context.folder / f"{options.get('name', 'gw')}-target"
        secret.write_text(PASSWORD)
        super().__init__(context, cluster.port, protocol="postgres", policies=policies,
                         listener=listener or f"postgres: {{passwords_from_loopback: true, mode: {mode}}}",
                         target=f"credential: {{user: app, password: file:{secret}}}\n    {pool}",
                         **options)

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.port, "tester", self.key)

    def psql(self, *statements: str, database: str = "shop") -> str:
        return psql(self.environment, *statements, database=database)

    def reload(self) -> None:
        status, text = self.admin("POST", "/v1/reload")
        expect(status == 200, f"reload: {status} {text}")

    def expect_complete(self) -> list[dict]:
        """Each allowed intent has its one outcome, and the log verifies."""
        self.expect_verified()
        records = self.records()
        operation = lambda record: (record["session"], record["operation"])
        begun = [operation(r) for r in records if r["phase"] == "intent" and r["ruling"] == "allow"]
        ended = [operation(r) for r in records if r["phase"] == "outcome"]
        expect(len(set(begun)) == len(begun), "an operation began twice")
        expect(sorted(begun) == sorted(ended), f"{len(begun)} operations began, {len(ended)} ended")
        return records


def environment(port: int, user: str, password: str) -> dict[str, str]:
    """For programs that use libpq."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": password,
                   "PGDATABASE": "shop", "PGSSLMODE": "disable", "PSQLRC": "/dev/null",
                   "PSQL_HISTORY": "/dev/null", "PSQL_PAGER": "cat", "LC_ALL": "C.UTF-8"}


def program(environment: dict[str, str], name: str, *arguments, check: bool = True,
            stdin: str | None = None) -> subprocess.CompletedProcess:
    """Runs one of PostgreSQL's programs to its end."""
    done = subprocess.run([str(BIN / name), *map(str, arguments)], env=environment, capture_output=True,
                          text=True, timeout=120, **({"input": stdin} if stdin is not None
                                                     else {"stdin": subprocess.DEVNULL}))
    if check:
        expect(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def psql(environment: dict[str, str], *statements: str, database: str) -> str:
    words = [word for statement in statements for word in ("-c", statement)]
    return program(environment, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database,
                   *words).stdout.rstrip("\n")
