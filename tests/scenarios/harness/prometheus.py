"""A strict reader of the Prometheus text format, version 0.0.4."""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"^({NAME})(?:\{{(.*)\}})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')


def parse(text: str) -> dict[str, dict]:
    """Family name to {type, help, samples: {(name, labels): value}}; raises on any fault."""
    if not text.endswith("\n"):
        raise ValueError("the last line has no end")
    families: dict[str, dict] = {}
    current = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, help_text = line[7:].partition(" ")
            if name in families:
                raise ValueError(f"a second HELP of {name}")
            if not help_text:
                raise ValueError(f"{name} has no help")
            current = families[name] = {"help": help_text, "type": None, "samples": {}}
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if families.get(name) is not current or current["type"] is not None:
                raise ValueError(f"TYPE of {name} is out of place")
            if kind not in ("counter", "gauge", "histogram"):
                raise ValueError(f"unknown type {kind}")
            current["type"] = kind
        else:
            _add_sample(families, current, line)
    for name, family in families.items():
        if family["type"] == "histogram":
            _check_histogram(name, family["samples"])
        if family["type"] == "counter" and not name.endswith("_total"):
            raise ValueError(f"the counter {name} does not end in _total")
    return families


def _add_sample(families, current, line: str) -> None:
    match = SAMPLE.match(line)
    if not match or current is None:
        raise ValueError(f"not a sample: {line!r}")
    name, labels, value = match.groups()
    family = next(key for key, entry in families.items() if entry is current)
    allowed = {family} if current["type"] != "histogram" else {
        family + suffix for suffix in ("_bucket", "_sum", "_count")}
    if name not in allowed:
        raise ValueError(f"{name} stands under {family}")
    key = (name, tuple(_labels(labels or "")))
    if key in current["samples"]:
        raise ValueError(f"a second sample of {key}")
    number = float(value)
    if math.isnan(number) or (current["type"] == "counter" and number < 0):
        raise ValueError(f"{name} is {value}")
    current["samples"][key] = number


def _labels(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text):
        match = LABEL.match(text, position)
        if not match:
            raise ValueError(f"bad labels: {text!r}")
        found.append((match.group(1), match.group(2)))
        position = match.end()
    if len({name for name, _ in found}) != len(found):
        raise ValueError(f"a label twice: {text!r}")
    return found


def _check_histogram(name: str, samples) -> None:
    series: dict[tuple, list[tuple[float, float]]] = {}
    for (sample, labels), value in samples.items():
        if sample == name + "_bucket":
            rest = tuple(label for label in labels if label[0] != "le")
            series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
    for rest, buckets in series.items():
        bounds = [bound for bound, _ in buckets]
        counts = [count for _, count in buckets]
        if bounds != sorted(bounds) or bounds[-1] != math.inf:
            raise ValueError(f"{name}: bounds {bounds}")
        if counts != sorted(counts):
            raise ValueError(f"{name}: buckets are not cumulative: {counts}")
        if samples[(name + "_count", rest)] != counts[-1]:
            raise ValueError(f"{name}: count differs from the last bucket")
        if (name + "_sum", rest) not in samples:
            raise ValueError(f"{name}: no sum")
