"""Runs clang-tidy over the rooms' sources, two at a time, skipping what has not changed.

usage: tidy.py [--seconds N] BUILD_FOLDER [FILE…]

A source is checked again when it, a header of ours that it reaches, .clang-tidy
or clang-tidy itself changed since it last passed. With --seconds no source is
begun after that time; the sources that changed last come first, and the summary
says how many were not reached. 0 means no limit.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import rooms

CACHE = rooms.ROOT / "build/tidy-cache"


def reached(path: pathlib.Path, seen: dict[pathlib.Path, bytes]) -> None:
    """Adds `path` and every file of ours that it includes, directly or not."""
    if path in seen or not path.is_file():
        return
    seen[path] = path.read_bytes()
    for name in re.findall(rb'^\s*#\s*include\s*"([^"]+)"', seen[path], re.MULTILINE):
        reached(rooms.ROOT / name.decode(), seen)


def fingerprint(source: pathlib.Path, command: str, version: bytes) -> str:
    files: dict[pathlib.Path, bytes] = {}
    reached(source, files)
    digest = hashlib.sha256(version + (rooms.ROOT / ".clang-tidy").read_bytes() + command.encode())
    for path in sorted(files):
        digest.update(path.as_posix().encode() + b"\0" + files[path] + b"\0")
    return digest.hexdigest()


def check(source: pathlib.Path, build: pathlib.Path, stamp: pathlib.Path, deadline: float) -> str | None:
    """What clang-tidy says against a source; None when there was no time to ask."""
    if stamp.is_file():
        return ""
    if time.monotonic() > deadline:
        return None
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(source)],
                          capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout + done.stderr


def last_changed_first(sources: list[pathlib.Path]) -> list[pathlib.Path]:
    log = subprocess.run(["git", "log", "--name-only", "--format=", "--", "*.cc"], cwd=rooms.ROOT,
                         capture_output=True, text=True).stdout.split()
    age: dict[pathlib.Path, int] = {}
    for position, name in enumerate(log):
        age.setdefault(rooms.ROOT / name, position)
    return sorted(sources, key=lambda source: age.get(source, -1))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build.resolve()
    only = {path.resolve() for path in options.files}
    CACHE.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        room = source.relative_to(rooms.ROOT).parts[0]
        if room in rooms.rooms() and (not only or source in only):
            commands[source] = entry["command"]
    deadline = time.monotonic() + options.seconds if options.seconds else float("inf")

    def judge(source: pathlib.Path) -> str | None:
        stamp = CACHE / fingerprint(source, commands[source], version)
        return check(source, build, stamp, deadline)

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(judge, last_changed_first(list(commands))))
    findings = [result for result in results if result]
    print("\n".join(findings))
    print(f"{len(results)} sources, {len(findings)} with findings, "
          f"{results.count(None)} not reached in time")
    return 1 if findings or results.count(None) == len(results) else 0


if __name__ == "__main__":
    sys.exit(main())
