"""bench/proxy/results.py: what is written keeps to bench/results.schema.json."""
import sys
import unittest

try:
    import jsonschema
except ImportError:
    print("jsonschema is not installed (Debian: python3-jsonschema)")
    sys.exit(77)

import figures
import results
from figures_test import a_sample


def a_document(**changes):
    samples = [a_sample(1), a_sample(2), a_sample(3)]
    row = {"scenario": "http-small", "contender": "haproxy-http-log", "connections": 64,
           **figures.median_row(samples),
           "ratio": {"of": "sluice", "to": "haproxy-http-log", **figures.paired_ratios(samples, samples)}}
    row.update(changes)
    return {"machine": "m", "kernel": "k", "commit": "c", "command": "scripts/bench.sh proxy", "rows": [row]}


class Schema(unittest.TestCase):
    def test_takes_what_the_runner_makes(self):
        results.check(a_document())
        results.check(a_document(at=10000))
        results.check(a_document(at="durable"))

    def test_refuses_a_row_without_a_figure(self):
        for name in ("cpu_us_per_op", "ops_per_s", "p50_us", "p99_us", "p999_us", "max_us", "runs", "scenario"):
            document = a_document()
            del document["rows"][0][name]
            with self.assertRaises(jsonschema.ValidationError, msg=name):
                results.check(document)

    def test_refuses_figures_that_are_none(self):
        for value in (-1, "1", None):
            with self.assertRaises(jsonschema.ValidationError):
                results.check(a_document(cpu_us_per_op=value))


class Command(unittest.TestCase):
    def test_is_what_somebody_types(self):
        self.assertEqual(results.command(["proxy", "--build", "build/perf", "--only", "http-small"]),
                         "scripts/bench.sh proxy --only http-small")


if __name__ == "__main__":
    unittest.main()
