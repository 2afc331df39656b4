"""What a thousand requests that wait for people cost those that do not.

Two gateways alike, the one with nobody waiting; the load is an open loop, as in latency.py.
"""
import dataclasses
import pathlib
import socket
import statistics
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
SHARES = (0.25, 0.5)  # of the rate at which it is saturated
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


def _hold(proxy: Proxy, folder: pathlib.Path, headers: dict) -> list[socket.socket]:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    clients = []
    for _ in range(WAITING):
        clients.append(socket.create_connection(("127.0.0.1", proxy.port)))
        clients[-1].sendall(f"GET /v1/held HTTP/1.1\r\nHost: bench\r\n{fields}\r\n".encode())
    deadline = time.monotonic() + 30
    while _waiting(folder) < WAITING:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{_waiting(folder)} wait, not {WAITING}")
        time.sleep(0.05)
    return clients


def run(build: pathlib.Path, rounds: int, seconds: int) -> list:
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        started, clients = [Target(folder, FIRST_PORT, [_BODY])], []
        try:
            site = Site.prepare(folder, build, FIRST_PORT)
            running = {}
            for number, label in enumerate(("0 wait", f"{WAITING} wait"), 1):
                proxy = Proxy(HOLDING, site, folder / str(number), FIRST_PORT + number)
                started.append(proxy)
                check_answers(proxy, Case(HOLDING, _BODY), site.headers)
                running[label] = proxy
            clients = _hold(proxy, folder / "2", site.headers)
            saturated = max(load(running["0 wait"], Case(HOLDING, _BODY), site.headers, seconds)["ops_per_s"]
                            for _ in range(3))
            rates = [round(share * saturated / 100) * 100 for share in SHARES]
            measured = {(rate, label): [] for rate in rates for label in running}
            for turn in range(rounds):
                for (rate, label), samples in measured.items():
                    samples.append(open_loop(build / "cli/sluice", running[label], rate, site.headers, seconds))
                print(f"{NAME}: round {turn + 1} of {rounds}", file=sys.stderr)
            if _waiting(folder / "2") != WAITING:
                raise RuntimeError("some do not wait any more")
        finally:
            for client in clients:
                client.close()
            for process in reversed(started):
                process.stop()
    rows = []
    for (rate, label), samples in measured.items():
        rows.append({"scenario": NAME, "contender": label, "at": rate, "connections": CONNECTIONS,
                     **figures.median_row(samples)})
        if label == "0 wait":
            continue
        ratios = [one["p99_us"] / other["p99_us"] for one, other in zip(samples, measured[rate, "0 wait"])]
        print(f"{rate} requests/s, p99 with {WAITING} that wait ÷ without: {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f}–{max(ratios):.2f})")
    return rows
