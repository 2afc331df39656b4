"""bench/tls: every contender speaks TLS, those that check a token say so, and figures are of what was answered."""
import base64
import json
import pathlib
import tempfile
import unittest

import contenders
import handshakes
import tls_scenarios
import tls_site


class Scenarios(unittest.TestCase):
    def test_have_the_contenders_that_the_page_speaks_of(self):
        for scenario in tls_scenarios.TLS.values():
            self.assertEqual([case.contender.name for case in scenario.cases],
                             ["sluice", "sluice-unmasked", "sluice-plain", "haproxy-jwt", "haproxy-http-log",
                              "nginx-http-log"])

    def test_each_listens_with_the_certificate_and_is_asked_over_tls(self):
        for scenario in tls_scenarios.TLS.values():
            for case in scenario.cases:
                self.assertEqual(case.contender.scheme, "https")
                self.assertIn("tls/gateway.", configuration(case.contender))

    def test_a_token_is_checked_where_the_page_says_so(self):
        checking = {case.contender.name for case in tls_scenarios.TLS["tls-1k"].cases
                    if "jwks.json" in configuration(case.contender) or "jwt_verify" in configuration(case.contender)}
        self.assertEqual(checking, {"sluice", "sluice-unmasked", "sluice-plain", "haproxy-jwt"})


class Site(unittest.TestCase):
    def test_the_token_is_for_the_configured_issuer_and_signed(self):
        with tempfile.TemporaryDirectory() as folder:
            token = tls_site.make_token(pathlib.Path(folder))
            key = json.loads((pathlib.Path(folder) / "jwks.json").read_text())["keys"][0]
        header, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
        self.assertEqual(json.loads(header)["kid"], key["kid"])
        self.assertEqual(json.loads(claims)["iss"], tls_site.ISSUER)
        self.assertEqual(len(signature), len(base64.urlsafe_b64decode(key["n"] + "==")))


class Handshakes(unittest.TestCase):
    def test_figures_are_of_all_clients(self):
        figures = handshakes.figures_of([([10.0, 30.0], 400, 0), ([20.0], 200, 1)], 1e6)
        self.assertEqual((figures["requests"], figures["bytes"], figures["errors"]), (3, 600, 1))
        self.assertEqual((figures["p50_us"], figures["max_us"]), (20.0, 30.0))

    def test_nothing_answered_has_no_latency(self):
        self.assertEqual(handshakes.figures_of([([], 0, 4)], 1e6)["max_us"], 0)


def configuration(contender: contenders.Contender) -> str:
    text = (contenders.PEERS / contender.file).read_text()
    for old, new in contender.changes:
        assert old in text, f"{contender.name}: nothing to change at {old!r}"
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    unittest.main()
