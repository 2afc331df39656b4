"""What a thousand requests that wait for people cost those that do not.

One gateway, asked four times in each turn: with a thousand that wait, twice with nobody, and with a thousand again, in
the next turn the other way. So what slows the machine steadily is in both, and neither is always first. The load is an
open loop, as in latency.py.
"""
import contextlib
import dataclasses
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import figures
from contenders import FIRST_PORT, Proxy, Site, Target
from latency import open_loop
from rounds import check_answers, load
from scenarios import CONNECTIONS, SLUICE, Case, clean

NAME = "holds"
WAITING = 1000
SETTLING_SECONDS = 1  # what a thousand arrivals, or as many that left, leave to be written is no part of it
SHARES = (0.05, 0.25)  # of the rate at which it is saturated
TURNS = ((WAITING, 0, 0, WAITING), (0, WAITING, WAITING, 0))
_BODY = clean(200)
_RULE = """policies:
  - name: people decide
    operations: {http: {paths: ["/v1/held"]}}
    ruling: hold
    approval: {by_groups: [people], expires: 1h}
approvals: {held: 2000, held_per_principal: 2000}
"""
HOLDING = dataclasses.replace(SLUICE, extra=(("holds.yaml", _RULE),))


def _waiting(folder: pathlib.Path) -> int:
    page = subprocess.run(["curl", "-s", "--unix-socket", folder / "admin.sock", "http://admin/metrics"],
                          check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[1]) for line in page.splitlines() if line.startswith("sluice_holds "))


def _await(folder: pathlib.Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while _waiting(folder) != count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{_waiting(folder)} wait, not {count}")
        time.sleep(0.05)


@contextlib.contextmanager
def _held(proxy: Proxy, folder: pathlib.Path, headers: dict, count: int):
    """So many wait within."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with contextlib.ExitStack() as clients:
        for _ in range(count):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", proxy.port)))
            client.sendall(f"GET /v1/held HTTP/1.1\r\nHost: bench\r\n{fields}\r\n".encode())
        _await(folder, count)
        time.sleep(SETTLING_SECONDS)
        yield
        _await(folder, count)
    _await(folder, 0)


def run(build: pathlib.Path, rounds: int, seconds: int) -> list:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        started = [Target(folder, FIRST_PORT, [_BODY])]
        try:
            site = Site.prepare(folder, build, FIRST_PORT)
            proxy = Proxy(HOLDING, site, folder / "1", FIRST_PORT + 1)
            started.append(proxy)
            case = Case(HOLDING, _BODY)
            check_answers(proxy, case, site.headers)
            saturated = max(load(proxy, case, site.headers, seconds)["ops_per_s"] for _ in range(3))
            rates = [round(share * saturated / 100) * 100 for share in SHARES]
            measured = {rate: {count: [] for count in (WAITING, 0)} for rate in rates}
            for turn in range(rounds):
                for count in TURNS[turn % 2]:
                    with _held(proxy, folder / "1", site.headers, count):
                        for rate in rates:
                            measured[rate][count].append(
                                open_loop(build / "cli/sluice", proxy, rate, site.headers, seconds))
                print(f"{NAME}: turn {turn + 1} of {rounds}", file=sys.stderr)
        finally:
            for process in reversed(started):
                process.stop()
    rows = []
    for rate, by_count in measured.items():
        for count, samples in by_count.items():
            rows.append({"scenario": NAME, "contender": f"{count} wait", "at": rate, "connections": CONNECTIONS,
                         **figures.median_row(samples)})
        for key in ("p50_us", "p99_us", "cpu_us_per_op"):
            ratios = figures.turn_ratios(by_count[WAITING], by_count[0], key)
            print(f"{rate} requests/s, {key}: {WAITING} that wait ÷ nobody {figures.median_and_interval(ratios)}")
    return rows
