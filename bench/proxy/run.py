"""Runs the end-to-end scenarios: contenders alternated, outputs checked first, medians.

The figure to trust is CPU time per request of the proxy's own processes; on a
shared machine trust its ratios, not its absolute value.
"""
import argparse
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

import contenders
import scenarios
from namespace import Namespace, free_ports

CONNECTIONS = 64
TARGET = """
worker_processes 1; daemon off; pid {folder}/target.pid; error_log {folder}/target-error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 200 '{body}'; }} }}
}}
"""
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def cpu_us(pid: int) -> float:
    """CPU time of a process, its threads and its children, in µs."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
        for child in (task / "children").read_text().split():
            total += cpu_us(int(child)) * 1e3
    return total / 1e3


def in_us(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * UNITS[unit]


def load(namespace, contender, seconds: int) -> dict:
    """One round with wrk; every response must be a 2xx."""
    headers = [word for name, value in contender.headers.items() for word in ("-H", f"{name}: {value}")]
    before = cpu_us(contender.process.pid)
    out = namespace.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", *headers,
                         f"http://127.0.0.1:{contender.port}/v1/payment"],
                        check=True, capture_output=True, text=True).stdout
    used = cpu_us(contender.process.pid) - before
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"{contender.name} did not answer cleanly:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    latency = {p: in_us(re.search(rf"\s{p}%\s+(\S+)", out).group(1)) for p in ("50", "99")}
    worst = in_us(re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", out).group(1))
    return {"cpu_us_per_op": used / requests,
            "ops_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p50_us": latency["50"], "p99_us": latency["99"], "max_us": worst}


def check_output(namespace, contender, plain: str, masked: str) -> None:
    expected = masked if contender.name == "sluice" else plain
    got = namespace.fetch(contender.port, contender.headers).decode()
    if got != expected:
        raise RuntimeError(f"{contender.name} answered\n{got}\ninstead of\n{expected}")


def run_scenario(name: str, namespace, build: pathlib.Path, rounds: int, seconds: int) -> list:
    plain, masked = scenarios.SCENARIOS[name]
    rows, started = [], []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder_name:
        folder = pathlib.Path(folder_name)
        folder.chmod(0o755)
        target_port, *ports = free_ports(1 + len(contenders.ALL))
        (folder / "target.conf").write_text(TARGET.format(folder=folder, port=target_port, body=plain))
        target = namespace.popen(["nginx", "-p", folder, "-c", folder / "target.conf"], stdout=subprocess.DEVNULL)
        try:
            namespace.await_port(target_port)
            for port, (label, start) in zip(ports, contenders.ALL.items()):
                started.append(start(folder / label, namespace, port, target_port, build))
            for contender in started:
                check_output(namespace, contender, plain, masked)
                load(namespace, contender, 1)  # warm-up
            measured = {contender.name: [] for contender in started}
            for turn in range(rounds):
                for contender in started:
                    measured[contender.name].append(load(namespace, contender, seconds))
                print(f"{name}: round {turn + 1} of {rounds}", file=sys.stderr)
        finally:
            for contender in started:
                contender.stop()
            target.terminate()
            target.wait(timeout=30)
    for label, runs in measured.items():
        row = {"scenario": name, "contender": label, "runs": runs}
        row.update({key: statistics.median(run[key] for run in runs) for key in runs[0]})
        rows.append(row)
    return rows


def show(rows: list) -> None:
    floor = {row["scenario"]: row["cpu_us_per_op"] for row in rows if row["contender"] == "sluice"}
    print(f"{'scenario':12} {'contender':18} {'CPU µs/op':>10} {'min':>7} {'max':>7} {'sluice is':>10} "
          f"{'ops/s':>9} {'p50 µs':>8} {'p99 µs':>8}")
    for row in rows:
        each = [run["cpu_us_per_op"] for run in row["runs"]]
        ratio = floor[row["scenario"]] / row["cpu_us_per_op"]
        print(f"{row['scenario']:12} {row['contender']:18} {row['cpu_us_per_op']:10.2f} {min(each):7.2f} "
              f"{max(each):7.2f} {ratio:9.2f}x {row['ops_per_s']:9.0f} {row['p50_us']:8.0f} {row['p99_us']:8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", choices=scenarios.SCENARIOS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    names = [options.only] if options.only else list(scenarios.SCENARIOS)
    build = options.build.resolve()
    with Namespace() as namespace:
        rows = [row for name in names
                for row in run_scenario(name, namespace, build, options.rounds, options.seconds)]
    show(rows)
    print(f"congestion control: {namespace.congestion_control}; {CONNECTIONS} connections, one worker each")
    if options.json:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
        cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
        options.json.write_text(json.dumps(
            {"machine": cpu, "kernel": platform.release(), "commit": commit,
             "command": " ".join(sys.argv), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
