"""Writes what a JSON of scripts/bench.sh holds into docs/performance.md, between its markers.

The scenarios of PostgreSQL and of TLS have places of their own there.

Usage: report.py RESULTS.json [PAGE]
"""
import json
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).parents[1] / "docs/performance.md"
GROWTH = {"rules": "rules", "masks": "masks", "connections": "connections", "body": "bytes of body",
          "workers": "workers", "audit": "release"}


def spread(figures: dict, form: str = "{:.2f}") -> str:
    return f"{form} ({form}–{form})".format(figures["median"], figures["min"], figures["max"])


def table(head: list, rows: list) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def beside(name: str, rows: list) -> str:
    """One end-to-end scenario."""
    base = next(row["contender"] for row in rows if "ratio" not in row)
    body = []
    for row in rows:
        ratio = row.get("ratio", {})
        body.append([f"`{row['contender']}`", f"{row['cpu_us_per_op']:.1f}",
                     spread(ratio["cpu_us_per_op"]) if ratio else "",
                     f"{row['ops_per_s']:.0f}", spread(ratio["ops_per_s"]) if ratio else "",
                     *(f"{row[key]:.0f}" for key in ("p50_us", "p99_us", "p999_us", "max_us")),
                     f"{row['context_switches_per_op']:.2f}", f"{row['memory_kib'] / 1024:.0f}"])
    head = ["contender", "CPU µs/request", f"{base}'s CPU ÷ this", "requests/s", f"{base}'s rate ÷ this", "p50 µs",
            "p99 µs", "p99.9 µs", "max µs", "switches/request", "MiB"]
    return (f"### {name}\n\n{rows[0]['connections']} connections, {rows[0]['runs']} rounds.\n\n"
            + table(head, body) + f"\n![{name}](plots/cpu-{name}.svg)\n")


def postgres(name: str, rows: list) -> str:
    """One scenario of PostgreSQL; those with large answers show rows and bytes too."""
    base = next(row["contender"] for row in rows if "ratio" not in row)
    is_large = "rows_per_s" in rows[0]
    body = []
    for row in rows:
        has_proxy = row["cpu_us_per_op"] > 0
        line = [f"`{row['contender']}`", f"{row['cpu_us_per_op']:.1f}" if has_proxy else "",
                spread(row["ratio"]["cpu_us_per_op"]) if "ratio" in row else ""]
        if is_large:
            line += [f"{row['rows_per_s']:.0f}", f"{row['bytes_per_cpu_s'] / 1e6:.0f}" if has_proxy else ""]
        body.append([*line, f"{row['ops_per_s']:.0f}", *(f"{row[key]:.0f}" for key in ("p50_us", "p99_us")),
                     f"{row['context_switches_per_op']:.2f}" if has_proxy else "",
                     f"{row['memory_kib'] / 1024:.0f}" if has_proxy else ""])
    head = ["contender", "CPU µs/query", f"{base}'s CPU ÷ this", *(["rows/s", "MB per CPU s"] if is_large else []),
            "queries/s", "p50 µs", "p99 µs", "switches/query", "MiB"]
    return f"### {name}\n\n{rows[0]['connections']} connections, {rows[0]['runs']} rounds.\n\n" + table(head, body)


def growth(name: str, rows: list) -> str:
    body = []
    for row in rows:
        ratio = row.get("ratio", {})
        body.append([f"{row['at']:,}" if isinstance(row["at"], int) else row["at"], f"`{row['contender']}`",
                     f"{row['cpu_us_per_op']:.1f}",
                     f"{spread(ratio['cpu_us_per_op'])} of {ratio['of']} ÷ {ratio['to']}" if ratio else "",
                     f"{row['ops_per_s']:.0f}", f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}",
                     f"{row['memory_kib'] / 1024:.0f}"])
    return f"### By {GROWTH[name]}\n\n{rows[0]['runs']} rounds.\n\n" + table(
        [GROWTH[name], "contender", "CPU µs/request", "ratio", "requests/s", "p50 µs", "p99 µs", "MiB"], body)


def latency(rows: list) -> str:
    body = []
    for row in rows:
        added = row.get("added_us", {})
        body.append([row["at"], f"`{row['contender']}`", f"{row['ops_per_s']:.0f}", f"{row['p50_us']:.0f}",
                     f"{row['p99_us']:.0f}", f"{row['p999_us']:.0f}",
                     *(spread(added[key], "{:.0f}") if added else "" for key in ("p50_us", "p99_us")),
                     f"{row['cpu_us_per_op']:.1f}"])
    return (f"### Added latency\n\n{rows[0]['connections']} connections, {rows[0]['runs']} rounds.\n\n" + table(
        ["requests/s due", "contender", "answered/s", "p50 µs", "p99 µs", "p99.9 µs", "added at p50", "added at p99",
         "CPU µs/request"], body) + "\n![latency](plots/latency-open-loop.svg)\n")


def idle(rows: list) -> str:
    return "### Idle connections\n\n" + table(
        ["contender", "connections", "bytes of its memory each", "KiB before", "KiB with them"],
        [[f"`{row['contender']}`", f"{row['connections']:,}", f"{row['bytes_per_connection']:.0f}",
          f"{row['memory_kib_before']:.0f}", f"{row['memory_kib_after']:.0f}"] for row in rows])


def is_postgres(scenario: str) -> bool:
    return scenario.startswith("pg-")


def measured(document: dict) -> str:
    scenarios = {}
    for row in document["rows"]:
        scenarios.setdefault(row["scenario"], []).append(row)
    parts = [f"{document['machine']}; Linux {document['kernel']}; TCP with {document['congestion_control']}; "
             f"commit `{document['commit']}`.\n"]
    for name, rows in scenarios.items():
        parts.append(growth(name, rows) if name in GROWTH else latency(rows) if name == "latency" else
                     postgres(name, rows) if is_postgres(name) else beside(name, rows))
        if name == "http-small":
            parts.append("![latency by percentile](plots/latency-saturated.svg)\n")
    if document.get("idle"):
        parts.append(idle(document["idle"]))
    return "\n".join(parts)


def place_of(scenario: str) -> str:
    return "postgres" if is_postgres(scenario) else "tls" if scenario.startswith("tls-") else "measured"


def place(document: dict) -> str:
    """The name of the markers between which it belongs."""
    places = {place_of(row["scenario"]) for row in document["rows"]}
    if len(places) > 1:
        raise ValueError(f"the scenarios of {' and '.join(sorted(places))} belong into files of their own")
    return places.pop() if places else "measured"


def filled(page: str, words: str, name: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError("the page has not one pair of markers")
    return re.sub(re.escape(begin) + ".*" + re.escape(end), lambda _: begin + "\n" + words + "\n" + end, page,
                  flags=re.DOTALL)


def main() -> None:
    page = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else PAGE
    document = json.loads(pathlib.Path(sys.argv[1]).read_text())
    page.write_text(filled(page.read_text(), measured(document), place(document)))


if __name__ == "__main__":
    main()
