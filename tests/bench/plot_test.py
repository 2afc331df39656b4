"""bench/plot.py: a drawing for each scenario, and sound XML whatever the figures."""
import unittest
import xml.dom.minidom

import plot


def a_row(scenario, contender, cpu=10.0, **more):
    return {"scenario": scenario, "contender": contender, "cpu_us_per_op": cpu, "p50_us": 40, "p99_us": 200,
            "p999_us": 900, "max_us": 20000, **more}


class Plots(unittest.TestCase):
    def test_are_of_the_scenarios_that_are_there(self):
        rows = [a_row("http-small", "sluice"), a_row("http-small", "bare-relay"), a_row("http-1k", "sluice"),
                a_row("rules", "sluice", at=10), a_row("latency", "direct", at=100), a_row("latency", "sluice", at=100)]
        drawn = plot.plots({"rows": rows})
        self.assertEqual(sorted(drawn), ["cpu-http-1k.svg", "cpu-http-small.svg", "latency-open-loop.svg",
                                         "latency-saturated.svg"])
        for svg in drawn.values():
            xml.dom.minidom.parseString(svg)

    def test_the_longest_bar_is_the_dearest_contender(self):
        svg = xml.dom.minidom.parseString(plot.bars("x", [a_row("x", "a", cpu=5), a_row("x", "b", cpu=20)]))
        widths = [float(box.getAttribute("width")) for box in svg.getElementsByTagName("rect")[1:]]
        self.assertEqual(widths[1] / widths[0], 4)


if __name__ == "__main__":
    unittest.main()
