"""A database of 64 MB (of 1 GB with --full) is dumped and restored through the gateway:
byte for byte what a direct dump is, large objects too, in memory that does not grow with it."""
import hashlib
import pathlib
import re
import subprocess
import time

from harness.context import expect
from harness.postgres import BIN, Cluster, PostgresGateway

# Far below the smaller database.
GROWTH_BYTES_MAX = 24 << 20
SETUP = """
CREATE TABLE wide (id int PRIMARY KEY, a text, b bytea, c numeric, d timestamptz, e jsonb);
CREATE TABLE tall (id bigint, parent int REFERENCES wide);
CREATE SEQUENCE numbers START 42;
CREATE VIEW some_rows AS SELECT id, a FROM wide WHERE id % 7 = 0;
CREATE INDEX by_time ON wide (d);
"""
FILL = """
INSERT INTO wide SELECT i, repeat(md5(i::text), 20), decode(repeat(md5((-i)::text), 5), 'hex'), i / 7.0,
  to_timestamp(i), jsonb_build_object('key', i, 'text', md5(i::text)) FROM generate_series({first}, {last}) i;
INSERT INTO tall SELECT i, i FROM generate_series({first}, {last}) i;
"""
LARGE_OBJECTS = """
SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 1000 * i), 'hex')) FROM generate_series(1, 20) i
"""
ROWS_AT_ONCE = 100_000
ROW_BYTES = 950  # In the dump, of both tables.


def memory(gateway, name: str) -> int:
    status = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) << 10


def digest_of_dump(environment: dict[str, str]) -> tuple[str, int]:
    """Of all lines but those that hold a random word."""
    digest, size = hashlib.sha256(), 0
    with subprocess.Popen([BIN / "pg_dump", "shop"], env=environment, stdout=subprocess.PIPE) as dump:
        for line in dump.stdout:
            if not line.startswith((b"\\restrict ", b"\\unrestrict ")):
                digest.update(line)
                size += len(line)
    expect(dump.returncode == 0, f"pg_dump ended with {dump.returncode}")
    return digest.hexdigest(), size


def restore(environment: dict[str, str], database: str) -> None:
    with subprocess.Popen([BIN / "pg_dump", "-Fc", "-Z", "0", "shop"], env=environment,
                          stdout=subprocess.PIPE) as dump:
        done = subprocess.run([BIN / "pg_restore", "-d", database, "--exit-on-error"], env=environment,
                              stdin=dump.stdout, capture_output=True, text=True)
    expect((dump.returncode, done.returncode) == (0, 0), f"{dump.returncode}, {done.returncode}: {done.stderr}")


def run(context) -> None:
    rows = (1 << 30 if context.full else 64 << 20) // ROW_BYTES
    cluster = Cluster(context)
    cluster.psql(SETUP, database="shop")
    for first in range(1, rows + 1, ROWS_AT_ONCE):
        cluster.psql(FILL.format(first=first, last=min(rows, first + ROWS_AT_ONCE - 1)), database="shop")
    cluster.psql(LARGE_OBJECTS, database="shop")
    cluster.psql("CREATE DATABASE copy")
    gateway = PostgresGateway(context, cluster).start()
    gateway.psql("SELECT 1")
    before = memory(gateway, "VmRSS")
    began = time.monotonic()
    direct, size = digest_of_dump(cluster.environment)
    dumped = time.monotonic()
    through, _ = digest_of_dump(gateway.environment)
    through_done = time.monotonic()
    expect(size > rows * ROW_BYTES * 0.9, f"the dump has only {size} bytes")
    expect(through == direct, "the dump through the gateway is another")
    restore(gateway.environment, "copy")
    restored = time.monotonic()
    growth = memory(gateway, "VmHWM") - before
    expect(growth < GROWTH_BYTES_MAX, f"the gateway grew from {before >> 10} KiB by {growth >> 10} KiB")
    for table in ("wide", "tall", "pg_largeobject"):
        count = f"SELECT count(*), sum(hashtext(t::text)) FROM {table} t"
        expect(cluster.psql(count, database="copy") == cluster.psql(count, database="shop"), f"{table} differs")
    gateway.stop()
    gateway.expect_complete()
    print(f"   {size >> 20} MiB: direct dump {dumped - began:.1f} s, through the gateway {through_done - dumped:.1f} s, "
          f"dump and restore through it {restored - through_done:.1f} s; "
          f"the gateway's memory grew from {before >> 20} MiB by {growth / (1 << 20):.1f} MiB")
