"""Compiles every header of every room alone, seeing only the rooms it may see.

usage: check_headers.py BUILD_FOLDER
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import rooms

# The libraries whose headers a room's public header may show; the rest are
# confined to source files, so their include paths are left out here.
PACKAGES = ["libhs", "liburing"]


def compile_header(compiler: list[str], header: pathlib.Path) -> str:
    done = subprocess.run(
        [*compiler, "-x", "c++", "-fsyntax-only", "-"],
        input=f'#include "{header.as_posix()}"\n', capture_output=True, text=True)
    return done.stderr if done.returncode != 0 else ""


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    table = rooms.rooms()
    pkg = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True,
                         check=True).stdout.split()
    jobs = []
    for room in table:
        views = [f"-I{build / 'rooms' / name}" for name in sorted(rooms.closure(room, table))]
        compiler = ["g++", "-std=c++20", "-march=x86-64-v3", "-Wall", "-Wextra", "-Wpedantic",
                    "-Werror", *views, *pkg]
        for header in sorted((rooms.ROOT / room).rglob("*.h")):
            jobs.append((compiler, header.relative_to(rooms.ROOT)))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        faults = [fault for fault in pool.map(lambda job: compile_header(*job), jobs) if fault]
    for fault in faults:
        print(fault)
    print(f"{len(jobs)} headers, {len(faults)} do not compile alone")
    return 1 if faults or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
