"""What a proxy adds to the latency of its target, at rates that it can sustain.

The load is an open loop (sluice load --rate): requests are due by a schedule
whatever has become of those before, and latency counts from when one was due.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import figures
import host
from contenders import FIRST_PORT, Proxy, Site, Target
from rounds import check_answers, load
from scenarios import CONNECTIONS, HAPROXY, NGINX, SLUICE, Case, clean

NAME = "latency"
SHARES = (0.25, 0.5, 0.75)  # of the rate at which Sluice is saturated
WARMUP_SECONDS = 1
_BODY = clean(200)


def open_loop(generator: pathlib.Path, running, rate: int, headers: dict, seconds: int) -> dict:
    """One round. CPU is that of the warm-up too, over the requests that were due in both."""
    fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    before = host.usage(running.process.pid)
    output = subprocess.run([generator, "load", f"http://127.0.0.1:{running.port}{_BODY.path}", "--rate", str(rate),
                             "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--warmup", f"{WARMUP_SECONDS}s",
                             "--json", *fields], check=True, capture_output=True, text=True).stdout
    used = host.usage(running.process.pid) - before
    return figures.open_loop_sample(json.loads(output), rate * (seconds + WARMUP_SECONDS), **vars(used))


def run(build: pathlib.Path, rounds: int, seconds: int) -> list:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        started = [Target(folder, FIRST_PORT, [_BODY])]
        try:
            site = Site.prepare(folder, build, FIRST_PORT)
            running = {"direct": started[0]}
            for number, contender in enumerate((SLUICE, HAPROXY, NGINX), 1):
                proxy = Proxy(contender, site, folder / str(number), FIRST_PORT + number)
                started.append(proxy)
                check_answers(proxy, Case(contender, _BODY), site.headers)
                running[contender.name] = proxy
            saturated = max(load(running[SLUICE.name], Case(SLUICE, _BODY), site.headers, seconds)["ops_per_s"]
                            for _ in range(3))
            rates = [round(share * saturated / 100) * 100 for share in SHARES]
            measured = {(rate, label): [] for rate in rates for label in running}
            for turn in range(rounds):
                for (rate, label), samples in measured.items():
                    samples.append(open_loop(build / "cli/sluice", running[label], rate, site.headers, seconds))
                print(f"{NAME}: round {turn + 1} of {rounds}", file=sys.stderr)
        finally:
            for process in reversed(started):
                process.stop()
    rows = []
    for (rate, label), samples in measured.items():
        row = {"scenario": NAME, "contender": label, "at": rate, "connections": CONNECTIONS,
               **figures.median_row(samples)}
        if label != "direct":
            row["added_us"] = figures.paired_differences(samples, measured[rate, "direct"])
        rows.append(row)
    return rows
