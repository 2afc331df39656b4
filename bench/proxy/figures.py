"""From samples to rows: what is pure in the benchmark, and tested (tests/bench)."""
import json
import math
import random
import re
import statistics

MEDIANS = ["cpu_us_per_op", "cpu_stat_us_per_op", "ops_per_s", "p50_us", "p99_us", "p999_us",
           "context_switches_per_op"]
LARGE = ["rows_per_s", "bytes_per_cpu_s"]  # where an answer has many rows
RATIOS = ["cpu_us_per_op", "ops_per_s", "p99_us"]


def wrk_figures(output: str) -> dict:
    """The line that peers/figures.lua prints."""
    line = re.search(r"^wrk-figures (\{.*\})$", output, re.MULTILINE)
    if not line:
        raise ValueError(f"wrk printed no figures:\n{output}")
    return json.loads(line.group(1))


def sample(wrk: dict, cpu_us: float, cpu_stat_us: float, context_switches: int, memory_kib: int) -> dict:
    """One round of one contender."""
    ops = wrk["requests"]
    return {"cpu_us_per_op": cpu_us / ops, "cpu_stat_us_per_op": cpu_stat_us / ops,
            "ops_per_s": ops * 1e6 / wrk["duration_us"],
            **{key: wrk[key] for key in ("p50_us", "p99_us", "p999_us", "max_us")},
            "context_switches_per_op": context_switches / ops, "memory_kib": memory_kib}


def open_loop_sample(report: dict, due: int, cpu_us: float, cpu_stat_us: float, context_switches: int,
                     memory_kib: int) -> dict:
    """One round of `sluice load --rate --json`; `due` are the requests that the CPU time was spent on."""
    latency = report["latency_us"]
    if any(report["failed_checks"].values()) or set(report["statuses"]) != {"200"} or report["read_errors"]:
        raise ValueError(f"not answered cleanly: {report['statuses']}, {report['failed_checks']}")
    return {"cpu_us_per_op": cpu_us / due, "cpu_stat_us_per_op": cpu_stat_us / due,
            "ops_per_s": report["requests_per_s"], "p50_us": latency["p50"], "p99_us": latency["p99"],
            "p999_us": latency["p99.9"], "max_us": latency["max"],
            "context_switches_per_op": context_switches / due, "memory_kib": memory_kib}


def pgbench_log(text: str) -> list:
    """(when it ended, in seconds; µs it took) of each transaction, from `pgbench -l`."""
    fields = (line.split() for line in text.splitlines())
    return [(int(each[4]) + int(each[5]) / 1e6, float(each[2])) for each in fields]


def log_sample(took_us: list, seconds: float, rows: int, answer_bytes: int, cpu_us: float, cpu_stat_us: float,
               context_switches: int, memory_kib: int) -> dict:
    """One round, of which each answer's latency is known."""
    if not took_us:
        raise ValueError("nothing was answered")
    ops, in_order = len(took_us), sorted(took_us)

    def percentile(share: float) -> float:
        return in_order[min(ops - 1, int(ops * share))]

    large = {"rows_per_s": ops * rows / seconds,
             "bytes_per_cpu_s": ops * answer_bytes * 1e6 / cpu_us if cpu_us else 0}
    return {"cpu_us_per_op": cpu_us / ops, "cpu_stat_us_per_op": cpu_stat_us / ops, "ops_per_s": ops / seconds,
            "p50_us": percentile(0.5), "p99_us": percentile(0.99), "p999_us": percentile(0.999),
            "max_us": in_order[-1], "context_switches_per_op": context_switches / ops, "memory_kib": memory_kib,
            **(large if rows > 1 else {})}


def median_row(samples: list) -> dict:
    """Medians over the rounds; of the maximum and the memory the worst."""
    medians = MEDIANS + [key for key in LARGE if key in samples[0]]
    row = {key: statistics.median(each[key] for each in samples) for key in medians}
    row.update({key: max(each[key] for each in samples) for key in ("max_us", "memory_kib")})
    return {**row, "runs": len(samples), "samples": samples}


def paired_ratios(over: list, under: list) -> dict:
    """Per figure the ratio of two contenders round by round: its median, least and largest.

    Rounds of one turn are seconds apart, so what slows the machine for minutes slows both.
    """
    ratios = {}
    for key in RATIOS:
        each = [a[key] / b[key] for a, b in zip(over, under, strict=True) if b[key] > 0]
        if each:
            ratios[key] = {"median": statistics.median(each), "min": min(each), "max": max(each)}
    return ratios


def turn_ratios(over: list, under: list, key: str) -> list:
    """Of each turn, in which both were measured twice: the ratio of their geometric means."""
    pairs = zip(over[::2], over[1::2], under[::2], under[1::2], strict=True)
    return [math.sqrt(a[key] * b[key] / (c[key] * d[key])) for a, b, c, d in pairs]


def median_and_interval(values: list) -> str:
    """"1.02 (0.97–1.08)": the median, and where it lies with 95 % confidence, by the bootstrap.

    The draws are always the same, so the same values give the same interval.
    """
    draw, draws = random.Random(1), 4000
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(draws))
    low, high = medians[draws // 40], medians[-draws // 40 - 1]
    return f"{statistics.median(values):.2f} ({low:.2f}–{high:.2f})"


def paired_differences(over: list, under: list) -> dict:
    """Per percentile what one contender adds to another, round by round: median, least and largest."""
    differences = {}
    for key in ("p50_us", "p99_us", "p999_us"):
        each = [a[key] - b[key] for a, b in zip(over, under, strict=True)]
        differences[key] = {"median": statistics.median(each), "min": min(each), "max": max(each)}
    return differences


def merged(old: list, new: list) -> list:
    """Old rows but those of scenarios that were measured again."""
    again = {row["scenario"] for row in new}
    return [row for row in old if row["scenario"] not in again] + new
