#!/usr/bin/env python3
"""Runs scenarios by name: run.py [--full] [--list] [NAME…]"""
import argparse
import importlib
import pathlib
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness.context import Context  # noqa: E402

# Far more than a scenario takes on a busy machine: a gateway that hangs or spins
# fails its scenario, whatever that waits for.
SECONDS_MAX = 240
FULL_SECONDS_MAX = 6 * 3600


def out_of_time(*_) -> None:
    raise TimeoutError("the scenario's time is up")


def names() -> list[str]:
    return sorted(path.stem.removeprefix("scenario_") for path in HERE.glob("scenario_*.py"))


def run(name: str, full: bool) -> bool:
    began = time.monotonic()
    module = importlib.import_module(f"scenario_{name}")
    with Context(name, full) as context:
        try:
            signal.alarm(FULL_SECONDS_MAX if full else SECONDS_MAX)
            module.run(context)
            context.finish()
            signal.alarm(0)
        except Exception:  # a scenario fails by raising, whatever it raises
            signal.alarm(0)
            traceback.print_exc()
            context.explain()
            print(f"{name}: FAILED after {time.monotonic() - began:.1f} s")
            return False
    print(f"{name}: passed in {time.monotonic() - began:.1f} s")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs scenarios by name.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--full", action="store_true", help="full size, for hours")
    options = parser.parse_args()
    if options.list:
        print("\n".join(names()))
        return 0
    unknown = set(options.names) - set(names())
    if unknown:
        print(f"no scenario named {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGALRM, out_of_time)
    results = [run(name, options.full) for name in options.names or names()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
