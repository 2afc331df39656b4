"""What is asked, through whom, and what must be answered."""
import dataclasses

import scenarios
import wire
from contenders import Contender

POINT_CLIENTS, BULK_CLIENTS = 16, 4
ROWS = 10_000
POINT = "SELECT abalance FROM pgbench_accounts WHERE aid = "
SELECT = "SELECT * FROM customers"
# Without the masked columns: to copy those out is refused (docs/decisions/0011).
COPY = ("COPY (SELECT id, name, street, city, country, phone, created, orders, balance, note FROM customers)"
        " TO STDOUT")


@dataclasses.dataclass(frozen=True)
class Question:
    """Asked once to compare the answer, and by the load over and over."""
    check: bytes
    rows: int
    pgbench: str = ""  # its mode; else the load asks `check` itself


def hidden(values: list) -> list:
    """A row of customers as the masks leave it."""
    id_, name, _, card, *rest = values
    return [id_, name, b"[redacted]", card[:6] + b"*" * (len(card) - 10) + card[-4:], *rest]


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One contender under one load: a row of the results."""
    contender: Contender
    question: Question
    at: object = None
    connections: int = POINT_CLIENTS

    def shown(self, answer: bytes) -> bytes:
        """What the client gets where the server answers this."""
        is_masked = self.contender.masks == "sluice" and self.question.check == wire.simple(SELECT)
        return wire.with_rows(answer, hidden) if is_masked else answer


# Large messages in fewer pieces, as its documentation says.
_LARGE = {"haproxy-tcp": (("tune.bufsize 16384", "tune.bufsize 65536"),),
          "pgbouncer-session": (("pkt_buf = 4096", "pkt_buf = 65536"),),
          "pgbouncer-transaction": (("pkt_buf = 4096", "pkt_buf = 65536"),)}

SLUICE = Contender("sluice", "sluice.yaml", masks="sluice")
SLUICE_TRANSACTION = Contender("sluice-transaction", "sluice.yaml", masks="sluice", changes=(
    ("passwords_from_loopback: true}", "passwords_from_loopback: true, mode: transaction}"),))
SLUICE_PLAIN = Contender("sluice-plain", "sluice-plain.yaml")
PGBOUNCER_SESSION = Contender("pgbouncer-session", "pgbouncer.ini")
PGBOUNCER_TRANSACTION = Contender("pgbouncer-transaction", "pgbouncer.ini",
                                  changes=(("pool_mode = session", "pool_mode = transaction"),))
HAPROXY = Contender("haproxy-tcp", "haproxy-tcp.cfg")
DIRECT = Contender("direct", "")

_ALL = [SLUICE, SLUICE_TRANSACTION, SLUICE_PLAIN, PGBOUNCER_SESSION, PGBOUNCER_TRANSACTION, HAPROXY, DIRECT]


class Scenario(scenarios.Scenario):
    def compared(self, case: Case) -> tuple:
        """Nobody's CPU time can be compared with none."""
        return (case, case) if case.contender.name == DIRECT.name else super().compared(case)


def _point(name: str, mode: str, check: bytes, contenders: list) -> Scenario:
    question = Question(check, 1, pgbench=mode)
    return Scenario(name, [Case(contender, question) for contender in contenders], base=SLUICE.name)


def _bulk(name: str, statement: str) -> Scenario:
    question = Question(wire.simple(statement), ROWS)
    cases = [Case(dataclasses.replace(each, changes=each.changes + _LARGE.get(each.name, ())), question,
                  connections=BULK_CLIENTS) for each in _ALL]
    return Scenario(name, cases, base=SLUICE.name)


# PgBouncer 1.18 loses prepared statements between transactions, so one of them has nobody to show there.
POSTGRES = {scenario.name: scenario for scenario in [
    _point("pg-simple", "simple", wire.simple(POINT + "4711"), _ALL),
    _point("pg-extended", "extended", wire.extended(POINT + "$1", b"4711"), _ALL),
    _point("pg-prepared", "prepared", wire.prepared(POINT + "$1", b"4711"),
           [each for each in _ALL if each != PGBOUNCER_TRANSACTION]),
    _bulk("pg-select-10k", SELECT),
    _bulk("pg-copy-out", COPY),
]}
