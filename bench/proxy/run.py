"""Runs end-to-end scenarios: contenders in turns, answers checked first, medians and paired ratios.

The figure to trust is CPU time per request of the proxy's own processes, and of
that the ratio to the contender measured in the same second.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import figures
import growth
import host
import results
import scenarios
from contenders import PEERS, Proxy, Site, Target

FIRST_PORT = 7000
INTERRUPTIONS_MAX = 5  # rounds that a suspended machine may spoil in a row


def load(proxy: Proxy, case: scenarios.Case, headers: dict, seconds: int) -> dict:
    """One round with wrk; every answer must be whole, and a 200."""
    seconds = case.seconds or seconds
    fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}", "--timeout", "30",
               "-s", str(PEERS / "figures.lua"), *fields, f"http://127.0.0.1:{proxy.port}{case.body.path}"]
    for _ in range(INTERRUPTIONS_MAX):
        before = host.usage(proxy.process.pid)
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        used = host.usage(proxy.process.pid) - before
        wrk = figures.wrk_figures(output)
        if wrk["duration_us"] < 2e6 * seconds + 1e6:
            break  # else the machine stood still: once more
    shown = len(case.body.shown_by(case.contender.masks))
    if wrk["errors"] or wrk["requests"] == 0 or wrk["bytes"] < wrk["requests"] * shown:
        raise RuntimeError(f"{proxy.name} did not answer cleanly:\n{output}")
    return figures.sample(wrk, **vars(used))


def check_answers(proxy: Proxy, case: scenarios.Case, headers: dict) -> None:
    expected = case.body.shown_by(case.contender.masks)
    for got in host.fetch(proxy.port, case.body.path, headers, times=3):
        if got != expected:
            at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
            raise RuntimeError(f"{proxy.name} answers {len(got)} bytes instead of {len(expected)}; from byte {at} on\n"
                               f"{got[at:at + 80]!r}\ninstead of\n{expected[at:at + 80]!r}")


def row_of(case: scenarios.Case, scenario: scenarios.Scenario, measured: dict) -> dict:
    row = {"scenario": scenario.name, "contender": case.contender.name, "connections": case.connections}
    if case.at is not None:
        row["at"] = case.at
    row.update(figures.median_row(measured[case]))
    over, under = scenario.compared(case)
    if over is not under:
        row["ratio"] = {"of": over.at if scenario.grows else over.contender.name,
                        "to": under.at if scenario.grows else under.contender.name,
                        **figures.paired_ratios(measured[over], measured[under])}
    return row


def run_scenario(scenario: scenarios.Scenario, build: pathlib.Path, rounds: int, seconds: int) -> list:
    """Starts what the scenario needs, checks every case's answers, then measures all of them in turns."""
    started = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        try:
            target = Target(folder, FIRST_PORT, {case.body for case in scenario.cases})
            started.append(target)
            site = Site.prepare(folder, build, target.port)
            proxies = {}
            for case in scenario.cases:
                if case.contender not in proxies:
                    number = len(proxies) + 1
                    proxies[case.contender] = Proxy(case.contender, site, folder / str(number), FIRST_PORT + number)
                    started.append(proxies[case.contender])
                check_answers(proxies[case.contender], case, site.headers)
            for case in scenario.cases:
                load(proxies[case.contender], case, site.headers, 1)  # warm-up
            measured = {case: [] for case in scenario.cases}
            for turn in range(rounds):
                for case in scenario.cases:
                    measured[case].append(load(proxies[case.contender], case, site.headers, seconds))
                print(f"{scenario.name}: round {turn + 1} of {rounds}", file=sys.stderr)
            for case in scenario.cases:
                check_answers(proxies[case.contender], case, site.headers)
        finally:
            for process in reversed(started):
                process.stop()
    return [row_of(case, scenario, measured) for case in scenario.cases]


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["proxy", "growth"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", metavar="SCENARIO", help="with --json: what else the file has of the same commit is kept")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--beside", metavar="BINARY", help="another build's sluice, as contender sluice-beside")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    scenarios_of = {"proxy": scenarios.PROXY, "growth": growth.SCENARIOS}[options.verb]
    names = [*scenarios_of, *(["idle"] if options.verb == "growth" else [])]
    if options.only and options.only not in names:
        parser.error(f"no scenario {options.only}; there are {', '.join(names)}")
    congestion_control = host.set_up_network()
    rows, idle = [], []
    for name in [options.only] if options.only else names:
        if name == "idle":
            idle = growth.idle_memory(build, FIRST_PORT)
            continue
        scenario = scenarios_of[name]
        if options.beside:
            scenario = scenarios.beside(scenario, options.beside)
        rows += run_scenario(scenario, build, options.rounds, options.seconds)
    results.show(rows, idle)
    print(f"congestion control {congestion_control}; one wrk thread; medians of {options.rounds} rounds of "
          f"{options.seconds} s; CPU of the proxy's processes only")
    if options.json:
        results.write(options.json, rows, idle, congestion_control)


if __name__ == "__main__":
    main()
