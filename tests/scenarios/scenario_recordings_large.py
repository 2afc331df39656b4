"""A session of 64 MB (of 2 GB with --full) is recorded in memory that does not grow with it, verified, and
replayed from its middle at once, where it lies and from afar."""
import json
import pathlib
import re
import subprocess
import time

from harness.auditor import Auditor, recordings_of, section
from harness.context import expect, wait_until
from harness.postgres import BIN, Cluster, PostgresGateway
from harness.remote import Remote

# What is on its way to the recorder (`backlog`) and a chunk, several times over; far below the session.
GROWTH_BYTES_MAX = 40 << 20
REPLAY_SECONDS_MAX = 1.0
ROW_BYTES = 1000
RECORDED = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
    record: full
"""


def memory_peak(gateway) -> int:
    status = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) << 10


def copy_out(gateway, size: int) -> None:
    query = f"COPY (SELECT n, repeat(md5(n::text), 31) FROM generate_series(1, {size // ROW_BYTES}) n) TO STDOUT"
    done = subprocess.run([BIN / "psql", "-X", "-q", "-c", query], env=gateway.environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    expect(done.returncode == 0, done.stderr)


def seconds_to_first_event(replay: list, at: str, environment=None) -> float:
    """How long replay takes to show what happened from there on."""
    begin = time.monotonic()
    with subprocess.Popen([*replay, "--at", at, "--json"], stdout=subprocess.PIPE, text=True, env=environment) as running:
        event = json.loads(running.stdout.readline())
        took = time.monotonic() - begin
        running.kill()
    expect(event.get("time", at) >= at[:19], f"not from the middle: {event}")
    expect(took < REPLAY_SECONDS_MAX, f"replay from the middle took {took:.2f} s")
    return took


def run(context) -> None:
    size = 2 << 30 if context.full else 64 << 20
    auditor = Auditor(context)
    folder = context.folder / "recordings"
    cluster = Cluster(context)
    remote = Remote(context)
    gateway = PostgresGateway(context, cluster, policies=RECORDED, more=section(auditor, folder), admin=remote.admin)
    remote.admit(gateway)
    gateway.start()
    copy_out(gateway, max(32 << 20, size >> 3))  # until the recorder has been behind as far as it may be
    before = memory_peak(gateway)
    copy_out(gateway, size)
    grown = memory_peak(gateway) - before
    expect(grown < GROWTH_BYTES_MAX, f"memory grew by {grown / 2**20:.1f} MiB over a session of {size / 2**20:.0f} MiB")
    wait_until(lambda: sum(r.get("event") == "recording-closed" for r in gateway.records()) == 2, "both to be closed")

    recording = recordings_of(gateway.records())[1]
    chunks = sorted((folder / recording).glob("*.age"))
    expect(sum(path.stat().st_size for path in chunks) > 0.9 * size and len(chunks) > size >> 21, f"{len(chunks)} chunks")
    middle = int(chunks[len(chunks) // 2].name.split("-")[1])
    at = subprocess.run(["date", "-u", "-d", f"@{middle // 10**9}.{middle % 10**9:09}", "+%FT%T.%NZ"],
                        capture_output=True, text=True, check=True).stdout.strip()
    replay = ["replay", recording, "--identity", auditor.identity]
    here = seconds_to_first_event([context.sluice, *replay, "-c", gateway.configuration], at)
    afar = seconds_to_first_event(remote.command(*replay), at, remote.environment("auditor"))
    gateway.stop()
    verified = gateway.sluice("verify", gateway.audit, "--key", gateway.verifier, "--recordings", folder, "--json")
    expect(verified.code == 0 and verified.json()["recordings"]["chunks"] >= len(chunks), verified.out)
    print(f"recorded {size / 2**20:.0f} MiB in {len(chunks)} chunks; memory grew by {grown / 2**20:.1f} MiB; "
          f"replay from the middle began after {here:.2f} s, from afar after {afar:.2f} s")
