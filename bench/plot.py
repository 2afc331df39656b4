"""Draws docs/plots/*.svg from a JSON of scripts/bench.sh.

Usage: plot.py RESULTS.json [FOLDER]
"""
import html
import json
import math
import pathlib
import sys

COLOURS = {"sluice": "#c0392b", "sluice-plain": "#e59866", "haproxy-http-log": "#2471a3", "nginx-http-log": "#1e8449",
           "bare-relay": "#7f8c8d", "nginx-sub-filter": "#52be80", "nginx-lua-mask": "#8e44ad", "nginx-js-mask": "#b7950b",
           "sluice-unmasked": "#d35400", "haproxy-jwt": "#5dade2", "direct": "#7f8c8d"}
PERCENTILES = [("50", "p50_us"), ("99", "p99_us"), ("99.9", "p999_us"), ("max", "max_us")]


def _svg(width: int, height: int, title: str, content: list) -> str:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'font-family="sans-serif" font-size="12">\n<rect width="{width}" height="{height}" fill="#fff"/>\n'
            f'<text x="10" y="20" font-size="14">{html.escape(title)}</text>\n' + "\n".join(content) + "\n</svg>\n")


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def bars(scenario: str, rows: list) -> str:
    """CPU time per request by contender."""
    most = max(row["cpu_us_per_op"] for row in rows)
    content = []
    for i, row in enumerate(rows):
        y, width = 36 + 24 * i, 420 * row["cpu_us_per_op"] / most
        content += [_text(140, y + 13, row["contender"], "end"),
                    f'<rect x="148" y="{y}" width="{width:.1f}" height="17" fill="{COLOURS.get(row["contender"], "#555")}"/>',
                    _text(154 + width, y + 13, f"{row['cpu_us_per_op']:.1f}")]
    return _svg(640, 44 + 24 * len(rows), f"{scenario}: CPU µs per request", content)


def percentiles(title: str, rows: list) -> str:
    """Latency by percentile, both on scales of their logarithm."""
    left, top, width, height = 100, 40, 420, 220
    values = [row[key] for row in rows for _, key in PERCENTILES]
    low, high = math.floor(math.log10(max(1, min(values)))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def at(index: int, value: float) -> tuple:
        share = (math.log10(max(1, value)) - low) / (high - low)
        return left + width * index / (len(PERCENTILES) - 1), top + height * (1 - share)

    content = []
    for power in range(low, high + 1):
        _, y = at(0, 10**power)
        content += [f'<line x1="{left}" y1="{y:.0f}" x2="{left + width}" y2="{y:.0f}" stroke="#ddd"/>',
                    _text(left - 6, y + 4, f"{10**power:,} µs", "end")]
    for index, (name, _) in enumerate(PERCENTILES):
        content.append(_text(at(index, 1)[0], top + height + 18, name if name == "max" else f"p{name}", "middle"))
    for i, row in enumerate(rows):
        colour = COLOURS.get(row["contender"], "#555")
        points = " ".join("{:.1f},{:.1f}".format(*at(index, row[key])) for index, (_, key) in enumerate(PERCENTILES))
        content += [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
                    f'<rect x="{left + width + 20}" y="{top + 20 * i}" width="12" height="12" fill="{colour}"/>',
                    _text(left + width + 38, top + 11 + 20 * i, row["contender"])]
    return _svg(710, top + height + 34, title, content)


def plots(document: dict) -> dict:
    """File name → SVG."""
    drawn, scenarios = {}, {}
    for row in document["rows"]:
        scenarios.setdefault(row["scenario"], []).append(row)
    for name, rows in scenarios.items():
        if name.startswith(("http-", "tls-")):
            drawn[f"cpu-{name}.svg"] = bars(name, rows)
    if rows := scenarios.get("http-small"):
        drawn["latency-saturated.svg"] = percentiles("http-small, closed loop with 64 connections: latency", rows)
    if rows := scenarios.get("latency"):
        rates = sorted({row["at"] for row in rows})
        middle = rates[len(rates) // 2]
        drawn["latency-open-loop.svg"] = percentiles(f"200 B, open loop at {middle} requests/s: latency",
                                                     [row for row in rows if row["at"] == middle])
    return drawn


def main() -> None:
    document = json.loads(pathlib.Path(sys.argv[1]).read_text())
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parents[1] / "docs/plots")
    folder.mkdir(exist_ok=True)
    for name, svg in plots(document).items():
        (folder / name).write_text(svg)


if __name__ == "__main__":
    main()
