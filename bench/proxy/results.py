"""Results as JSON (bench/results.schema.json) and as tables."""
import json
import pathlib
import subprocess
import sys

import jsonschema

import figures
import host

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "bench/results.schema.json"
MACHINERY = {"--build"}  # options that scripts/bench.sh adds


def commit() -> str:
    """The commit that was measured; `+changes` where the tree is not that commit's."""
    def git(*words):
        return subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, *words], capture_output=True,
                              text=True, check=True).stdout.strip()
    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def command(arguments: list) -> str:
    """What somebody types to get this."""
    words, skip = ["scripts/bench.sh"], False
    for word in arguments:
        if not skip and word not in MACHINERY:
            words.append(word)
        skip = not skip and word in MACHINERY
    return " ".join(words)


def check(document: dict) -> None:
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))


def write(file: pathlib.Path, rows: list, idle: list, congestion_control: str) -> None:
    """Writes what was measured; what else the file has of the same commit is kept."""
    document = {**host.description(), "commit": commit(), "congestion_control": congestion_control,
                "command": command(sys.argv[1:]), "rows": rows, "idle": idle}
    if file.exists():
        old = json.loads(file.read_text())
        if all(old.get(key) == document[key] for key in ("machine", "kernel", "commit")):
            document["rows"] = figures.merged(old["rows"], rows)
            document["idle"] = idle or old["idle"]
    check(document)
    file.write_text(json.dumps(document, indent=1) + "\n")


def show(rows: list, idle: list) -> None:
    if rows:
        print(f"{'scenario':14} {'contender':18} {'at':>9} {'CPU µs/op':>10} {'ratio (least–largest)':>23} {'of':>13} "
              f"{'ops/s':>8} {'p50 µs':>8} {'p99 µs':>8} {'p99.9 µs':>8} {'max µs':>8} {'switches/op':>11} {'MiB':>5}")
    for row in rows:
        print(line(row))
    for row in idle:
        print(f"{row['contender']}: {row['connections']} idle connections cost {row['bytes_per_connection']:.0f} B "
              f"of its memory each ({row['memory_kib_before']} KiB before, {row['memory_kib_after']} KiB with them)")


def line(row: dict) -> str:
    ratio, spread = "", ""
    if "ratio" in row:
        cpu = row["ratio"]["cpu_us_per_op"]
        spread = f"{cpu['median']:.2f} ({cpu['min']:.2f}–{cpu['max']:.2f})"
        compares = row["ratio"]["to"] == row["contender"]
        ratio = row["ratio"]["of"] if compares else f"at {row['ratio']['to']}"
    if "added_us" in row:
        spread = " / ".join(f"{row['added_us'][key]['median']:+.0f}" for key in ("p50_us", "p99_us"))
        ratio = "µs to direct"
    return (f"{row['scenario']:14} {row['contender']:18} {row.get('at', ''):>9} {row['cpu_us_per_op']:10.2f} "
            f"{spread:>23} {ratio:>13} {row['ops_per_s']:8.0f} {row['p50_us']:8.0f} {row['p99_us']:8.0f} "
            f"{row['p999_us']:8.0f} {row['max_us']:8.0f} {row['context_switches_per_op']:11.2f} "
            f"{row['memory_kib'] / 1024:5.0f}")
