"""bench/proxy/figures.py: from what wrk prints to medians and ratios."""
import re
import unittest

import figures

OUTPUT = """Running 1s test @ http://127.0.0.1:7001/v1/clean-200
  803 requests in 1.00s, 512.85KB read
wrk-figures {"requests":800,"bytes":524000,"duration_us":2000000,"p50_us":40,"p99_us":170,"p999_us":340,"max_us":900,"errors":0}
"""


def a_sample(cpu, ops=100.0, p99=10.0, worst=50.0, memory=7):
    return {"cpu_us_per_op": cpu, "cpu_stat_us_per_op": cpu, "ops_per_s": ops, "p50_us": 5.0, "p99_us": p99,
            "p999_us": 20.0, "max_us": worst, "context_switches_per_op": 0.5, "memory_kib": memory}


class WrkFigures(unittest.TestCase):
    def test_the_line_is_found_among_wrks_own(self):
        self.assertEqual(figures.wrk_figures(OUTPUT)["p999_us"], 340)

    def test_output_without_the_line_is_an_error(self):
        with self.assertRaises(ValueError):
            figures.wrk_figures("unable to connect to 127.0.0.1:7001 Connection refused\n")


class Sample(unittest.TestCase):
    def test_use_is_divided_by_requests_and_requests_by_time(self):
        got = figures.sample(figures.wrk_figures(OUTPUT), cpu_us=8000, cpu_stat_us=10000, context_switches=400,
                             memory_kib=5)
        self.assertEqual((got["cpu_us_per_op"], got["cpu_stat_us_per_op"], got["ops_per_s"]), (10.0, 12.5, 400.0))
        self.assertEqual((got["context_switches_per_op"], got["memory_kib"], got["max_us"]), (0.5, 5, 900))


class PgbenchLog(unittest.TestCase):
    def test_has_the_end_and_the_length_of_each_transaction(self):
        self.assertEqual(figures.pgbench_log("3 1 6010 0 1795300757 821928\n4 2 35 0 1795300758 5\n"),
                         [(1795300757.821928, 6010.0), (1795300758.000005, 35.0)])


class LogSample(unittest.TestCase):
    def sample(self, rows, took=(10, 30, 20, 40), cpu_us=8):
        return figures.log_sample(list(took), seconds=2, rows=rows, answer_bytes=1000, cpu_us=cpu_us, cpu_stat_us=0,
                                  context_switches=2, memory_kib=5)

    def test_is_of_the_answers_that_came_in_time(self):
        got = self.sample(rows=1)
        self.assertEqual((got["cpu_us_per_op"], got["ops_per_s"], got["p50_us"], got["p99_us"], got["max_us"],
                          got["context_switches_per_op"]), (2, 2, 30, 40, 40, 0.5))
        self.assertNotIn("rows_per_s", got)

    def test_counts_rows_and_bytes_of_large_answers(self):
        got = self.sample(rows=100)
        self.assertEqual((got["rows_per_s"], got["bytes_per_cpu_s"]), (200, 5e8))
        row = figures.median_row([got, got, self.sample(rows=300)])
        self.assertEqual((row["rows_per_s"], row["bytes_per_cpu_s"]), (200, 5e8))

    def test_without_a_proxy_there_is_no_cpu_time_to_divide_by(self):
        self.assertEqual(self.sample(rows=100, cpu_us=0)["bytes_per_cpu_s"], 0)

    def test_without_answers_is_an_error(self):
        with self.assertRaises(ValueError):
            self.sample(rows=1, took=())


def a_report(**changes):
    return {"requests_per_s": 99.5, "statuses": {"200": 200}, "read_errors": 0, "failed_checks": {"request: status": 0},
            "latency_us": {"p50": 1, "p99": 2, "p99.9": 3, "max": 4}, **changes}


class OpenLoopSample(unittest.TestCase):
    def sample(self, report):
        return figures.open_loop_sample(report, due=200, cpu_us=1000, cpu_stat_us=2000, context_switches=20,
                                        memory_kib=5)

    def test_spreads_use_over_what_was_due(self):
        got = self.sample(a_report())
        self.assertEqual((got["cpu_us_per_op"], got["ops_per_s"], got["p999_us"], got["max_us"]), (5, 99.5, 3, 4))

    def test_refuses_answers_that_are_not_clean(self):
        for changes in ({"statuses": {"200": 1, "503": 1}}, {"statuses": {}}, {"read_errors": 1},
                        {"failed_checks": {"request: status": 1}}):
            with self.assertRaises(ValueError):
                self.sample(a_report(**changes))


class PairedDifferences(unittest.TestCase):
    def test_are_taken_within_a_round(self):
        got = figures.paired_differences([a_sample(1, p99=30.0), a_sample(1, p99=130.0)],
                                         [a_sample(1, p99=10.0), a_sample(1, p99=100.0)])["p99_us"]
        self.assertEqual(got, {"median": 25.0, "min": 20.0, "max": 30.0})


class MedianRow(unittest.TestCase):
    def test_is_of_medians_but_for_the_worst_of_latency_and_memory(self):
        row = figures.median_row([a_sample(9, worst=60, memory=8), a_sample(1, worst=90), a_sample(2, memory=12)])
        self.assertEqual((row["cpu_us_per_op"], row["max_us"], row["memory_kib"], row["runs"]), (2, 90, 12, 3))
        self.assertEqual([each["cpu_us_per_op"] for each in row["samples"]], [9, 1, 2])


class PairedRatios(unittest.TestCase):
    def test_a_machine_that_slows_for_everyone_leaves_the_ratio_alone(self):
        over = [a_sample(cpu) for cpu in (8, 16, 8)]
        under = [a_sample(cpu) for cpu in (10, 20, 10)]
        self.assertEqual(figures.paired_ratios(over, under)["cpu_us_per_op"],
                         {"median": 0.8, "min": 0.8, "max": 0.8})

    def test_spread_is_that_of_the_rounds(self):
        got = figures.paired_ratios([a_sample(1), a_sample(2), a_sample(6)], [a_sample(2)] * 3)["cpu_us_per_op"]
        self.assertEqual(got, {"median": 1.0, "min": 0.5, "max": 3.0})

    def test_rounds_must_pair(self):
        with self.assertRaises(ValueError):
            figures.paired_ratios([a_sample(1)], [a_sample(1)] * 2)


class MedianAndInterval(unittest.TestCase):
    def test_values_that_agree_leave_no_doubt(self):
        self.assertEqual(figures.median_and_interval([1.0] * 9), "1.00 (1.00–1.00)")

    def test_one_outlier_among_many_is_no_news_and_scatter_is_doubt(self):
        self.assertEqual(figures.median_and_interval([1.0] * 30 + [9.0]), "1.00 (1.00–1.00)")
        self.assertEqual(figures.median_and_interval([0.5, 1.0, 2.0]), "1.00 (0.50–2.00)")

    def test_confidence_is_that_of_the_quantiles_of_order(self):
        # Of 101 values the 41st to the 61st hold the median with 95 %.
        low, high = re.search(r"\((.*)–(.*)\)", figures.median_and_interval([float(i) for i in range(101)])).groups()
        self.assertTrue(39 <= float(low) <= 42 and 58 <= float(high) <= 61, (low, high))


class TurnRatios(unittest.TestCase):
    def test_what_drifts_in_a_turn_leaves_no_trace(self):
        # Each measurement is 1.2 times the one before: with, without, without, with; then the other way.
        over = [a_sample(1), a_sample(1.2 ** 3), a_sample(1.2), a_sample(1.2 ** 2)]
        under = [a_sample(1.2), a_sample(1.2 ** 2), a_sample(1), a_sample(1.2 ** 3)]
        for ratio in figures.turn_ratios(over, under, "cpu_us_per_op"):
            self.assertAlmostEqual(ratio, 1)

    def test_one_for_each_turn(self):
        ratios = figures.turn_ratios([a_sample(2), a_sample(8)] * 2, [a_sample(1), a_sample(4)] * 2, "cpu_us_per_op")
        self.assertEqual(ratios, [2, 2])

    def test_turns_are_whole(self):
        with self.assertRaises(ValueError):
            figures.turn_ratios([a_sample(1)] * 2, [a_sample(1)] * 4, "cpu_us_per_op")


class Merged(unittest.TestCase):
    def test_a_scenario_measured_again_replaces_all_its_rows(self):
        old = [{"scenario": "a", "contender": "x"}, {"scenario": "a", "contender": "y"}, {"scenario": "b"}]
        new = [{"scenario": "a", "contender": "z"}]
        self.assertEqual(figures.merged(old, new), [{"scenario": "b"}, {"scenario": "a", "contender": "z"}])


if __name__ == "__main__":
    unittest.main()
