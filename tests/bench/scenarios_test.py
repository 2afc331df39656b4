"""bench/proxy/scenarios.py: bodies are what they are said to be, and every case has one to be compared with."""
import json
import unittest

import scenarios


class Bodies(unittest.TestCase):
    def test_have_the_size_they_are_asked_for(self):
        for size in (1024, 16 * 1024, 2**20):
            self.assertEqual(len(scenarios.payments(size).target), size)
        for size in (0, 1, 200, 1024, 2**20):
            self.assertEqual(len(scenarios.clean(size).target), size)

    def test_each_payment_has_three_values_to_mask(self):
        body = scenarios.payments(16 * 1024)
        for plain, masked in zip(json.loads(body.target), json.loads(body.sluice)):
            differs = [key for key in plain if plain[key] != masked[key]]
            self.assertEqual(differs, ["card", "payer"])
            self.assertEqual(masked["card"]["cvc"], "[redacted]")
            self.assertEqual(masked["payer"]["email"], "[redacted]")
            self.assertRegex(masked["card"]["number"], r"^\d{6}\*{6}\d{4}$")

    def test_every_masking_peer_has_something_to_do_in_each(self):
        for size in (1024, 16 * 1024, 2**20):
            body = scenarios.payments(size)
            self.assertNotEqual(body.cards, body.target)
            self.assertNotEqual(body.literal, body.target)
            self.assertEqual(len(body.cards), len(body.target))

    def test_clean_ones_are_the_same_to_all(self):
        body = scenarios.clean(200)
        self.assertEqual({body.sluice, body.cards, body.literal}, {body.target})


class Scenarios(unittest.TestCase):
    def test_the_small_one_has_the_contenders_that_others_ask_for_by_name(self):
        self.assertEqual([case.contender.name for case in scenarios.PROXY["http-small"].cases],
                         ["sluice", "sluice-plain", "haproxy-http-log", "nginx-http-log", "bare-relay"])

    def test_every_case_has_one_to_be_compared_with(self):
        for scenario in scenarios.PROXY.values():
            for case in scenario.cases:
                self.assertIn(case, scenario.compared(case))

    def test_another_build_joins_wherever_sluice_is(self):
        names = [case.contender.name for case in scenarios.beside(scenarios.PROXY["http-small"], "x").cases]
        self.assertEqual(names[:4], ["sluice", "sluice-beside", "sluice-plain", "sluice-plain-beside"])


if __name__ == "__main__":
    unittest.main()
