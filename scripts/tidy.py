"""Runs clang-tidy over the rooms' sources, two at a time, skipping what has not changed.

usage: tidy.py BUILD_FOLDER [FILE…]

A source is checked again when it, a header of ours that it reaches, .clang-tidy
or clang-tidy itself changed since it last passed.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

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


def check(source: pathlib.Path, build: pathlib.Path, stamp: pathlib.Path) -> tuple[str, str]:
    if stamp.is_file():
        return "", source.name
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(source)],
                          capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return "", source.name
    return done.stdout + done.stderr, source.name


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    only = {pathlib.Path(name).resolve() for name in sys.argv[2:]}
    CACHE.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    jobs = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        room = source.relative_to(rooms.ROOT).parts[0]
        if room not in rooms.rooms() or (only and source not in only):
            continue
        jobs.append((source, build, CACHE / fingerprint(source, entry["command"], version)))
    faults = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for output, _ in pool.map(lambda job: check(*job), jobs):
            if output:
                faults += 1
                print(output)
    print(f"{len(jobs)} sources, {faults} with findings")
    return 1 if faults or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
