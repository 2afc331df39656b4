"""Runs end-to-end scenarios and writes their rows.

The figure to trust is CPU time per request of the proxy's own processes, and of
that the ratio to the contender measured in the same second.
"""
import argparse
import pathlib

import growth
import holds
import host
import latency
import results
import scenarios
from rounds import run_scenario

CASES = {"proxy": scenarios.PROXY, "growth": growth.SCENARIOS, "latency": {}, "holds": {}}
OTHERS = {"proxy": [], "growth": ["idle"], "latency": [latency.NAME], "holds": [holds.NAME]}


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=CASES)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", metavar="SCENARIO",
                        help="with --json: what else the file has of the same commit is kept")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--beside", metavar="BINARY", help="another build's sluice, as contender sluice-beside")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    names = [*CASES[options.verb], *OTHERS[options.verb]]
    if options.only and options.only not in names:
        parser.error(f"no scenario {options.only}; there are {', '.join(names)}")
    congestion_control = host.set_up_network()
    rows, idle = [], []
    for name in [options.only] if options.only else names:
        if name == "idle":
            idle = growth.idle_memory(build)
        elif name == latency.NAME:
            rows += latency.run(build, options.rounds, options.seconds)
        elif name == holds.NAME:
            rows += holds.run(build, options.rounds, options.seconds)
        else:
            scenario = CASES[options.verb][name]
            if options.beside:
                scenario = scenarios.beside(scenario, options.beside)
            rows += run_scenario(scenario, build, options.rounds, options.seconds)
    results.show(rows, idle)
    print(f"congestion control {congestion_control}; medians of {options.rounds} rounds of {options.seconds} s "
          f"({scenarios.LARGE_SECONDS} s for 1 MiB and more); CPU of the proxy's processes only")
    if options.json:
        results.write(options.json, rows, idle, congestion_control)


if __name__ == "__main__":
    main()
