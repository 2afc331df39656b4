"""What stands between client and server, how it is configured and started; and the server itself."""
import dataclasses
import os
import pathlib
import pwd
import subprocess
import time

import contenders
import host

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
OWNER = "postgres"  # neither the server nor PgBouncer runs as root
USER, DATABASE = "bench", "shop"
PASSWORD = "of-the-target"
FIRST_PORT = contenders.FIRST_PORT
# `app` is whom gateways and poolers log in as; `bench` comes through those that pass on what the client says.
HBA = """
host all bench 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256
"""
SETTINGS = """
listen_addresses = '127.0.0.1'
shared_buffers = 256MB
max_connections = 400
fsync = off
autovacuum = off
jit = off
log_min_messages = fatal
"""
# Twelve columns of what a shop knows of its customers; two of them are masked.
TABLES = """
CREATE TABLE customers (id int PRIMARY KEY, name text, email text, card text, street text, city text,
                        country char(2), phone text, created timestamptz, orders int, balance numeric(12,2), note text);
INSERT INTO customers SELECT i, 'Ada Example ' || i, 'ada' || i || '@example.com',
  '411111111111' || lpad((i % 10000)::text, 4, '0'), (i % 200) || ' Long Meadow Lane', 'Springfield', 'US',
  '+1 555 ' || lpad(i::text, 7, '0'), '2026-01-01'::timestamptz + i * interval '1 minute', i % 40, i * 1.25,
  'prefers deliveries in the morning; customer since the shop opened' FROM generate_series(1, 10000) i;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench;
"""


class Server:
    """A PostgreSQL 15 of the benchmark's own, with pgbench's tables and ours."""

    def __init__(self, folder: pathlib.Path, port: int, secret: str):
        self.port = port
        self._user = OWNER if os.geteuid() == 0 else None
        data = folder / "postgres"
        data.mkdir()
        if self._user:
            owner = pwd.getpwnam(OWNER)
            os.chown(data, owner.pw_uid, owner.pw_gid)
        password = folder / "target-password"
        password.write_text(PASSWORD)
        subprocess.run([BIN / "initdb", "-D", data, "-U", "app", "--pwfile", password, "-A", "scram-sha-256",
                        "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"], check=True, capture_output=True,
                       user=self._user, cwd=data)
        with open(data / "postgresql.conf", "a", encoding="ascii") as settings:
            settings.write(f"{SETTINGS}port = {port}\nunix_socket_directories = '{data}'\n")
        (data / "pg_hba.conf").write_text(HBA)
        self.process = host.start([BIN / "postgres", "-D", data], folder / "postgres.log", user=self._user)
        host.await_port(port, 30)
        while subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode == 1:
            time.sleep(0.05)  # it listens before it lets anybody in
        self._ask("postgres", f"CREATE ROLE {USER} LOGIN PASSWORD '{secret}'", f"CREATE DATABASE {DATABASE}")
        subprocess.run([BIN / "pgbench", "-i", "-q", "-s", "1"], check=True, capture_output=True,
                       env=environment(port, "app", PASSWORD))
        self._ask(DATABASE, TABLES, "VACUUM ANALYZE")

    def _ask(self, database: str, *statements: str) -> None:
        words = [word for statement in statements for word in ("-c", statement)]
        subprocess.run([BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, *words], check=True,
                       env=environment(self.port, "app", PASSWORD), capture_output=True)

    def stop(self) -> None:
        host.stop(self.process)


def environment(port: int, user: str, password: str) -> dict:
    """For programs that use libpq."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": password,
                   "PGDATABASE": DATABASE, "PGSSLMODE": "disable", "LC_ALL": "C.UTF-8"}


@dataclasses.dataclass(frozen=True)
class Site:
    """Where contenders run: a build, a server's port, and the key with which all callers log in."""
    folder: pathlib.Path
    build: pathlib.Path
    target_port: int
    keys: pathlib.Path
    key: str

    @staticmethod
    def prepare(folder: pathlib.Path, build: pathlib.Path, target_port: int) -> "Site":
        http = contenders.Site.prepare(folder, build, target_port)
        return Site(folder, build, target_port, http.keys, http.headers["Authorization"].removeprefix("Bearer "))


class Direct:
    """No proxy: the server itself, to see what the load can do."""

    def __init__(self, site: Site):
        self.name, self.port, self.process = "direct", site.target_port, None

    def stop(self) -> None:
        pass


class Proxy:
    """A contender that runs."""

    def __init__(self, contender: contenders.Contender, site: Site, folder: pathlib.Path, port: int):
        self.name, self.port = contender.name, port
        folder.mkdir(mode=0o755)
        config, user = folder / contender.file, None
        contenders.fill(PEERS / contender.file, config, contender.changes, port=port, target=site.target_port,
                        folder=folder, keys=site.keys, secret=site.folder / "target-password", password=PASSWORD)
        if contender.file.endswith(".yaml"):
            binary = contender.binary or site.build / "cli/sluice"
            contenders.make_signing_key(binary, folder)
            command = [binary, "run", "-c", config]
        elif contender.file.endswith(".cfg"):
            command = ["haproxy", "-db", "-f", config]
        else:
            (folder / "users.txt").write_text(f'"{USER}" "{site.key}"\n')
            command = ["pgbouncer", config]
            user = OWNER if os.geteuid() == 0 else None
        self.log = folder / "output.log"
        self.process = host.start([*contender.wrapper, *command], self.log, user=user)
        try:
            host.await_port(port, contender.start_seconds)
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"{self.name} does not start:\n{self.log.read_text()}") from None

    def stop(self) -> None:
        host.stop(self.process)
