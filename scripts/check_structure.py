"""Holds the tree to docs/architecture.md.

- Each room's ROOMS list is its row of the table there, and every row is a room.
- A room includes headers of the rooms in its row only, also where the compiler
  would find more because a room in the row needs them.
- Libraries that cost seconds to compile, or that must not spread, stay where
  CONFINED says.
"""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import rooms

# What an #include may name → the only files (or folders) that may name it.
CONFINED = {
    r"CLI/.*": ["cli/arguments/"],
    r"nlohmann/(?!json_fwd).*": [".cc"],
    r"mimalloc.*": ["cli/main.cc", "tests/"],
    r"hs/hs\.h|hs\.h": ["matcher/", "tests/"],
    r"liburing\.h": ["dataplane/", "bench/"],
    r"yaml\.h": ["config/load/"],
    r"zip\.h": ["evidence/archive.cc", "tests/"],
    r"zstd\.h": ["audit/compressed_segment.cc", "tests/"],
    r"seccomp\.h": ["audit/signer_sandbox.cc", "saml/reader_sandbox.cc"],
    r"(libxml|xmlsec)/.*": ["saml/response_shape.cc", "saml/signature.cc", "saml/xml_document.cc",
                                "tests/saml/"],
    r"curl/.*": ["control/https_get.cc", "exports/http_client.cc"],
    r"librdkafka/.*": ["exports/kafka_destination.cc", "tests/"],
    r"pg_query\.h": ["sql/", "tests/"],
    r"openssl/.*": ["audit/", "dataplane/tls/", "exports/stream.cc", "identity/", "load/", "matcher/", "saml/", "tests/"],
    r"zlib\.h": ["load/", "tests/"],
    r"thread|mutex|condition_variable": ["base/", "audit/", "dataplane/", "control/", "exports/", "load/", "cli/",
                                         "recordings/", "saml/sign_in.h",
                                         "matcher/", "tests/", "bench/"],
}


def documented() -> dict[str, list[str]]:
    """The rooms table of docs/architecture.md."""
    table = {}
    for line in (rooms.ROOT / "docs/architecture.md").read_text().splitlines():
        row = re.match(r"\|\s*`(\w+)/`\s*\|.*\|([^|]*)\|\s*$", line)
        if row:
            table[row.group(1)] = [name for name in re.findall(r"\w+", row.group(2)) if name != "std"]
    return table


def check_rooms() -> list[str]:
    faults = []
    built, written = rooms.rooms(), documented()
    for room in sorted(built.keys() | written.keys()):
        if room not in built:
            faults.append(f"docs/architecture.md names the room {room}, which is not built")
        elif room not in written:
            faults.append(f"the room {room} has no row in docs/architecture.md")
        elif sorted(built[room]) != sorted(written[room]):
            faults.append(f"{room}: CMake says {sorted(built[room])}, "
                          f"docs/architecture.md says {sorted(written[room])}")
    return faults


def room_fault(built: dict[str, list[str]], path: str, include: str) -> str:
    """Why a room's file may not include another room's header; empty when it may."""
    here, there = path.split("/")[0], include.split("/")[0]
    if here not in built or there not in built or there in (here, "base", *built[here]):
        return ""
    return f"{there} is not in the row of {here} in docs/architecture.md"


def is_allowed(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(place) or
               (place.startswith(".") and path.endswith(place)) for place in places)


def check_includes() -> list[str]:
    faults, built = [], rooms.rooms()
    files = subprocess.run(["git", "ls-files", "*.h", "*.cc"], cwd=rooms.ROOT, capture_output=True,
                           text=True, check=True).stdout.split()
    for path in files:
        for number, line in enumerate((rooms.ROOT / path).read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not include:
                continue
            for pattern, places in CONFINED.items():
                if re.fullmatch(pattern, include.group(1)) and not is_allowed(path, places):
                    faults.append(f"{path}:{number}: {include.group(1)} belongs only in "
                                  f"{', '.join(places)}")
            if fault := room_fault(built, path, include.group(1)):
                faults.append(f"{path}:{number}: {fault}")
            if "../" in include.group(1):
                faults.append(f"{path}:{number}: includes climb out of the room")
    return faults


def check_readmes() -> list[str]:
    return [f"{room}/ has no README.md" for room in rooms.rooms()
            if not (rooms.ROOT / room / "README.md").is_file()]


def main() -> int:
    faults = check_rooms() + check_includes() + check_readmes()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
