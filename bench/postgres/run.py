"""Runs the scenarios of PostgreSQL end to end and writes their rows.

The figure to trust is CPU time per query of the proxy's own processes, and of that
the ratio to the contender measured in the same seconds.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "proxy"))
sys.dont_write_bytecode = True

import host  # noqa: E402
import results  # noqa: E402
import scenarios  # noqa: E402
from pg_rounds import run_scenario  # noqa: E402
from pg_scenarios import POSTGRES  # noqa: E402


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["postgres"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", metavar="SCENARIO", choices=POSTGRES,
                        help="with --json: what else the file has of the same commit is kept")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--beside", metavar="BINARY", help="another build's sluice, as contender sluice-beside")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    congestion_control = host.set_up_network()
    rows = []
    for name in [options.only] if options.only else POSTGRES:
        scenario = POSTGRES[name]
        if options.beside:
            scenario = scenarios.beside(scenario, options.beside)
        rows += run_scenario(scenario, options.build.resolve(), options.rounds, options.seconds)
    results.show(rows, [])
    print(f"congestion control {congestion_control}; medians of {options.rounds} rounds of {options.seconds} s; "
          f"CPU of the proxy's processes only")
    if options.json:
        results.write(options.json, rows, [], congestion_control)


if __name__ == "__main__":
    main()
