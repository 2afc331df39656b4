"""Runs the scenarios of TLS end to end and writes their rows.

The figure to trust is CPU time per request of the proxy's own processes, and of
that the ratio to the contender measured in the same second.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "proxy"))
sys.dont_write_bytecode = True

import host  # noqa: E402
import results  # noqa: E402
import scenarios  # noqa: E402
from rounds import run_scenario  # noqa: E402
from tls_scenarios import TLS  # noqa: E402
from tls_site import prepare  # noqa: E402


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["tls"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", metavar="SCENARIO", choices=TLS,
                        help="with --json: what else the file has of the same commit is kept")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--beside", metavar="BINARY", help="another build's sluice, as contender sluice-beside")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    congestion_control = host.set_up_network()
    rows = []
    for name in [options.only] if options.only else TLS:
        scenario = TLS[name]
        if options.beside:
            scenario = scenarios.beside(scenario, options.beside)
        rows += run_scenario(scenario, options.build.resolve(), options.rounds, options.seconds, prepare)
    results.show(rows, [])
    print(f"congestion control {congestion_control}; medians of {options.rounds} rounds of {options.seconds} s "
          f"({scenarios.LARGE_SECONDS} s for 1 MiB); CPU of the proxy's processes only")
    if options.json:
        results.write(options.json, rows, [], congestion_control)


if __name__ == "__main__":
    main()
