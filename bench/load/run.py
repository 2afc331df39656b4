"""What one request costs the load generator itself, beside wrk.

One thread and 64 connections each, closed loop, the same nginx with 200 bytes of
JSON behind both; they alternate, and medians are compared. CPU time is what the
kernel counted for the generator's process (utime + stime), start and end
included.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "proxy"))
sys.dont_write_bytecode = True

import host  # noqa: E402

CONNECTIONS = 64
PORT = 8080  # in a network of our own
BODY = json.dumps({"id": "pay_1", "amount": 1299, "currency": "EUR", "note": "x" * 138})
TARGET = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/json;
  server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 200 '{body}'; }} }}
}}
"""
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def in_us(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * UNITS[unit]


def timed(command) -> tuple[str, float]:
    """The program's output and its CPU time in µs."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{text}")
    return text, (usage.ru_utime + usage.ru_stime) * 1e6


def wrk(url, seconds, _build) -> dict:
    out, cpu = timed(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", url])
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"wrk was not answered cleanly:\n{out}")
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    latency = {p: in_us(re.search(rf"\s{p}%\s+(\S+)", out).group(1)) for p in ("50", "99")}
    return {"cpu_us_per_op": cpu / requests, "p50_us": latency["50"], "p99_us": latency["99"],
            "ops_per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))}


def sluice_load(url, seconds, build) -> dict:
    out, cpu = timed([build / "cli/sluice", "load", url, "-t", "1", "-c", CONNECTIONS,
                      "-d", f"{seconds}s", "--json"])
    report = json.loads(out)
    if list(report["statuses"]) != ["200"]:
        raise RuntimeError(f"sluice load was not answered cleanly:\n{out}")
    return {"cpu_us_per_op": cpu / report["requests"], "p50_us": report["latency_us"]["p50"],
            "p99_us": report["latency_us"]["p99"], "ops_per_s": report["requests_per_s"]}


CONTENDERS = {"wrk": wrk, "sluice load": sluice_load}


def measure(build: pathlib.Path, rounds: int, seconds: int) -> dict:
    runs = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder_name:
        folder = pathlib.Path(folder_name)
        folder.chmod(0o755)
        (folder / "nginx.conf").write_text(TARGET.format(folder=folder, port=PORT, body=BODY))
        target = host.start(["nginx", "-p", folder, "-c", folder / "nginx.conf"], folder / "nginx.out")
        try:
            host.await_port(PORT, 15)
            if host.fetch(PORT, "/", {})[0].decode() != BODY:
                raise RuntimeError("nginx does not answer what it was told to")
            url = f"http://127.0.0.1:{PORT}/"
            for run in CONTENDERS.values():
                run(url, 1, build)  # warm-up
            for _ in range(rounds):
                for name, run in CONTENDERS.items():
                    runs[name].append(run(url, seconds, build))
        finally:
            host.stop(target)
    return runs


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    congestion_control = host.set_up_network()
    runs = measure(options.build.resolve(), options.rounds, options.seconds)
    rows = []
    print(f"{'generator':12} {'CPU µs/req':>10} {'min':>7} {'max':>7} {'req/s':>9} {'p50 µs':>8} {'p99 µs':>8}")
    for name, each in runs.items():
        row = {key: statistics.median(run[key] for run in each) for key in each[0]}
        cpu = [run["cpu_us_per_op"] for run in each]
        rows.append({"scenario": "load-generator", "contender": name, "runs": each, **row})
        print(f"{name:12} {row['cpu_us_per_op']:10.2f} {min(cpu):7.2f} {max(cpu):7.2f} "
              f"{row['ops_per_s']:9.0f} {row['p50_us']:8.0f} {row['p99_us']:8.0f}")
    by_name = {row["contender"]: row for row in rows}
    for key, word in (("cpu_us_per_op", "CPU time"), ("ops_per_s", "throughput"), ("p50_us", "p50")):
        print(f"sluice load / wrk, {word}: {by_name['sluice load'][key] / by_name['wrk'][key]:.2f}")
    print(f"congestion control {congestion_control}; {CONNECTIONS} connections, one thread each; medians of "
          f"{options.rounds} rounds of {options.seconds} s")
    if options.json:
        options.json.write_text(json.dumps({**host.description(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
