"""Runs a scenario: answers checked first, contenders in turns, medians and paired ratios."""
import pathlib
import subprocess
import sys
import tempfile

import figures
import host
import scenarios
from contenders import FIRST_PORT, PEERS, Proxy, Site, Target

INTERRUPTIONS_MAX = 5  # rounds that a suspended machine may spoil in a row


def ask_by_wrk(proxy: Proxy, case: scenarios.Case, headers: dict, seconds: int) -> dict:
    fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    url = f"{case.contender.scheme}://127.0.0.1:{proxy.port}{case.body.path}"
    command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}", "--timeout", "30",
               "-s", str(PEERS / "figures.lua"), *fields, url]
    return figures.wrk_figures(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def load(proxy: Proxy, case: scenarios.Case, headers: dict, seconds: int) -> dict:
    """One round; every answer must be whole, and a 200.

    It begins when the proxy answers: after thousands of connections it may still be closing some.
    """
    seconds = case.seconds or seconds
    ask = case.ask or ask_by_wrk
    for _ in range(INTERRUPTIONS_MAX):
        host.fetch(proxy.port, case.body.path, headers, scheme=case.contender.scheme)
        before = host.usage(proxy.process.pid)
        asked = ask(proxy, case, headers, seconds)
        used = host.usage(proxy.process.pid) - before
        if asked["duration_us"] < 2e6 * seconds + 1e6:
            break  # else the machine stood still: once more
    shown = len(case.body.shown_by(case.contender.masks))
    if asked["errors"] or asked["requests"] == 0 or asked["bytes"] < asked["requests"] * shown:
        raise RuntimeError(f"{proxy.name} did not answer cleanly:\n{asked}")
    return figures.sample(asked, **vars(used))


def check_answers(proxy: Proxy, case: scenarios.Case, headers: dict) -> None:
    expected = case.body.shown_by(case.contender.masks)
    for got in host.fetch(proxy.port, case.body.path, headers, 3, case.contender.scheme):
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


def in_turns(scenario: scenarios.Scenario, rounds: int, measure) -> dict:
    """The samples of each case; every round asks all of them, one after the other."""
    measured = {case: [] for case in scenario.cases}
    for turn in range(rounds):
        for case in scenario.cases:
            measured[case].append(measure(case))
        print(f"{scenario.name}: round {turn + 1} of {rounds}", file=sys.stderr)
    return measured


def run_scenario(scenario: scenarios.Scenario, build: pathlib.Path, rounds: int, seconds: int,
                 prepare=Site.prepare) -> list:
    """Starts what the scenario needs, checks every case's answers, then measures all of them in turns."""
    started = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        try:
            target = Target(folder, FIRST_PORT, {case.body for case in scenario.cases})
            started.append(target)
            site = prepare(folder, build, target.port)
            proxies = {}
            for case in scenario.cases:
                if case.contender not in proxies:
                    number = len(proxies) + 1
                    proxies[case.contender] = Proxy(case.contender, site, folder / str(number), FIRST_PORT + number)
                    started.append(proxies[case.contender])
                check_answers(proxies[case.contender], case, site.headers)
            for case in scenario.cases:
                load(proxies[case.contender], case, site.headers, 1)  # warm-up
            measured = in_turns(scenario, rounds,
                                lambda case: load(proxies[case.contender], case, site.headers, seconds))
            for case in scenario.cases:
                check_answers(proxies[case.contender], case, site.headers)
        finally:
            for process in reversed(started):
                process.stop()
    return [row_of(case, scenario, measured) for case in scenario.cases]
