#!/usr/bin/env python3
"""Runs scenarios by name: run.py [--full] [--list] [NAME…]"""
import argparse
import importlib
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness.context import Context  # noqa: E402


def names() -> list[str]:
    return sorted(path.stem.removeprefix("scenario_") for path in HERE.glob("scenario_*.py"))


def run(name: str, full: bool) -> bool:
    began = time.monotonic()
    module = importlib.import_module(f"scenario_{name}")
    with Context(name, full) as context:
        try:
            module.run(context)
            context.finish()
        except Exception:  # a scenario fails by raising, whatever it raises
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
    results = [run(name, options.full) for name in options.names or names()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
