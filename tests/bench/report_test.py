"""bench/report.py: tables go between the markers they belong to."""
import unittest

import report
from figures_test import a_sample

PAGE = """<!-- measured: begin -->
old
<!-- measured: end -->
kept
<!-- postgres: begin -->
<!-- postgres: end -->
"""


def a_row(contender, **more):
    return {"scenario": "pg-select-10k", "contender": contender, "connections": 4, "runs": 3, **a_sample(10),
            "rows_per_s": 5e5, "bytes_per_cpu_s": 1.5e9, **more}


RATIO = {"of": "sluice", "to": "b", "cpu_us_per_op": {"median": 0.5, "min": 0.4, "max": 0.6}}


class Report(unittest.TestCase):
    def test_postgresql_has_a_place_of_its_own(self):
        document = {"rows": [a_row("sluice"), a_row("b", ratio=RATIO)], "machine": "m", "kernel": "k", "commit": "c",
                    "congestion_control": "cubic"}
        page = report.filled(PAGE, report.measured(document), report.place(document))
        self.assertIn("old", page)
        self.assertIn("kept", page)
        self.assertIn("| `b` | 10.0 | 0.50 (0.40–0.60) | 500000 | 1500 |", page)

    def test_a_server_without_a_proxy_has_no_cpu_time_to_show(self):
        table = report.postgres("pg-select-10k", [a_row("sluice"), a_row("direct", cpu_us_per_op=0)])
        self.assertIn("| `direct` |  |  | 500000 |  |", table)

    def test_scenarios_of_both_kinds_do_not_mix(self):
        with self.assertRaises(ValueError):
            report.place({"rows": [a_row("sluice"), {"scenario": "http-1k"}]})


if __name__ == "__main__":
    unittest.main()
