"""bench/postgres: what is compared byte by byte is what the server would send, masked where masks hold."""
import unittest

import pg_scenarios
import wire

CUSTOMER = [b"1", b"Ada", b"ada@example.com", b"4111111111110001", b"street", None]


class Wire(unittest.TestCase):
    def test_rows_come_back_as_they_were(self):
        answer = wire.message("T", b"\0\0") + wire.row(CUSTOMER) + wire.row([]) + wire.message("Z", b"I")
        self.assertEqual(wire.with_rows(answer, lambda values: values), answer)
        self.assertEqual(next(wire.messages(wire.row([b"x", None])))[1], b"\0\2\0\0\0\1x\xff\xff\xff\xff")

    def test_only_rows_change(self):
        answer = wire.message("C", b"SELECT 1\0") + wire.row([b"a"])
        self.assertEqual(wire.with_rows(answer, lambda _: [b"longer"]),
                         wire.message("C", b"SELECT 1\0") + wire.row([b"longer"]))

    def test_questions_end_with_what_the_server_answers(self):
        for request, tags in ((wire.simple("SELECT 1"), "Q"), (wire.extended("SELECT $1", b"1"), "PBDES"),
                              (wire.prepared("SELECT $1", b"1"), "PSBDESBDESCS")):
            self.assertEqual("".join(tag for tag, _ in wire.messages(request)), tags)


class Masks(unittest.TestCase):
    def test_two_columns_are_hidden_and_no_other(self):
        self.assertEqual(pg_scenarios.hidden(CUSTOMER),
                         [b"1", b"Ada", b"[redacted]", b"411111******0001", b"street", None])

    def test_hold_where_the_columns_are_read_through_sluice(self):
        answer = wire.row(CUSTOMER)
        changed = {(name, case.contender.name) for name, scenario in pg_scenarios.POSTGRES.items()
                   for case in scenario.cases if case.shown(answer) != answer}
        self.assertEqual(changed, {("pg-select-10k", "sluice"), ("pg-select-10k", "sluice-transaction")})


class Scenarios(unittest.TestCase):
    def test_have_the_contenders_that_the_page_speaks_of(self):
        everybody = {"sluice", "sluice-transaction", "sluice-plain", "pgbouncer-session", "pgbouncer-transaction",
                     "haproxy-tcp", "direct"}
        for name, scenario in pg_scenarios.POSTGRES.items():
            missing = {"pgbouncer-transaction"} if name == "pg-prepared" else set()
            self.assertEqual({case.contender.name for case in scenario.cases}, everybody - missing)

    def test_every_case_but_the_base_and_the_server_itself_has_a_ratio(self):
        for scenario in pg_scenarios.POSTGRES.values():
            for case in scenario.cases:
                over, under = scenario.compared(case)
                self.assertEqual(over is under, case.contender.name in ("sluice", "direct"))
                self.assertIs(under, case)


if __name__ == "__main__":
    unittest.main()
