"""What is asked for, of whom, and what must be answered."""
import dataclasses
import json

from contenders import Contender

CONNECTIONS = 64
LARGE_CONNECTIONS, LARGE_SECONDS = 16, 2  # for bodies of 1 MiB and more: all of them get through a round
CARDS = ["4111111111111111", "5500005555555559", "6011000990139424", "3530111333300000"]


@dataclasses.dataclass(frozen=True)
class Body:
    """An answer: what the target says, and what is left of it by those who mask."""
    path: str
    target: bytes
    sluice: bytes   # ten masks
    cards: bytes    # card numbers only
    literal: bytes  # the first of CARDS only

    def shown_by(self, masks: str) -> bytes:
        return getattr(self, masks)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One contender under one load: a row of the results."""
    contender: Contender
    body: Body
    at: object = None  # where this row is on the scale of what grows: rules, connections, …
    connections: int = CONNECTIONS
    seconds: int = 0   # of a round; 0: as the command says
    ask: object = None  # who asks, where it is not wrk: rounds.ask_by_wrk is the example


@dataclasses.dataclass(frozen=True)
class Scenario:
    """Cases that are measured in turns, and what each is compared with."""
    name: str
    cases: list
    base: object         # a contender's name; where `grows`, a value of `at`
    grows: bool = False

    def compared(self, case: Case) -> tuple:
        """(over, under): the two cases whose ratio is the row's; equal where there is none.

        "the base costs X of this contender", or "this costs X of the same contender at the base".
        """
        if self.grows:
            return case, next(other for other in self.cases
                              if other.contender.name == case.contender.name and other.at == self.base)
        return next(other for other in self.cases
                    if other.contender.name == self.base and other.at == case.at), case


def payment(number: int, note: int, mask) -> str:
    """A payment with a card number, a CVC and an e-mail address, its note `note` bytes long."""
    return json.dumps({
        "id": f"pay_{number:012}", "amount": 12990, "currency": "EUR", "status": "settled",
        "card": {"number": mask("card", CARDS[number % len(CARDS)]), "cvc": mask("cvc", "123"),
                 "expires": "12/29"},
        "payer": {"name": "Ada Example", "email": mask("email", "ada@example.com")},
        "note": ("settled by batch " * (note // 17 + 1))[:note]})


def _unmasked(_kind, value):
    return value


def _masked_by_sluice(kind, value):
    return f"{value[:6]}******{value[-4:]}" if kind == "card" else "[redacted]"


def _masked_cards(kind, value):
    return _masked_by_sluice(kind, value) if kind == "card" else value


def _masked_literal(_kind, value):
    return _masked_cards("card", value) if value == CARDS[0] else value


def payments(size: int) -> Body:
    """`size` bytes of payments, each of about 1 KiB, each with three values to mask."""
    count = max(1, size // 1024)
    frame = "" if count == 1 else "[]"
    fixed = sum(len(payment(i, 0, _unmasked)) for i in range(count)) + len(frame) + 2 * (count - 1)
    notes = [(size - fixed) // count + (1 if i < (size - fixed) % count else 0) for i in range(count)]

    def written(mask):
        text = ", ".join(payment(i, notes[i], mask) for i in range(count))
        return (f"[{text}]" if frame else text).encode()

    return Body(f"/v1/payments-{size}", written(_unmasked), written(_masked_by_sluice),
                written(_masked_cards), written(_masked_literal))


def clean(size: int) -> Body:
    """`size` bytes with nothing to mask; JSON where there is room for it."""
    document = {"id": "pay_000000000001", "amount": 12990, "currency": "EUR", "status": "settled", "note": ""}
    room = size - len(json.dumps(document))
    text = json.dumps(dict(document, note="settled by batch " * (room // 17) + "n" * (room % 17))) \
        if room >= 0 else "n" * size
    return Body(f"/v1/clean-{size}", *[text.encode()] * 4)


SLUICE = Contender("sluice", "sluice.yaml", masks="sluice")
SLUICE_PLAIN = Contender("sluice-plain", "sluice-plain.yaml")
HAPROXY = Contender("haproxy-http-log", "haproxy-http-log.cfg")
NGINX = Contender("nginx-http-log", "nginx-http-log.conf")
BARE_RELAY = Contender("bare-relay", "")
SUB_FILTER = Contender("nginx-sub-filter", "nginx-sub-filter.conf", masks="literal")
LUA_MASK = Contender("nginx-lua-mask", "nginx-lua-mask.conf", masks="cards")
JS_MASK = Contender("nginx-js-mask", "nginx-js-mask.conf", masks="cards")

_ALL = [SLUICE, SLUICE_PLAIN, HAPROXY, NGINX, BARE_RELAY]
_MASKING = [SUB_FILTER, LUA_MASK, JS_MASK]


def case_of(contender: Contender, body: Body, at=None) -> Case:
    if len(body.target) < 2**20:
        return Case(contender, body, at)
    if contender.file == HAPROXY.file:
        wide = ("tune.bufsize 16384", "tune.bufsize 65536")
        contender = dataclasses.replace(contender, changes=(*contender.changes, wide))
    # 16 at 1 MiB, fewer above: what is under way at once stays the same.
    return Case(contender, body, at, max(2, LARGE_CONNECTIONS * 2**20 // len(body.target)), LARGE_SECONDS)


def _beside(name, body, contenders):
    return Scenario(name, [case_of(contender, body) for contender in contenders], base=contenders[0].name)


PROXY = {scenario.name: scenario for scenario in [
    _beside("http-small", clean(200), _ALL),
    _beside("http-1k", payments(1024), _ALL + _MASKING),
    _beside("http-16k", payments(16 * 1024), _ALL + _MASKING),
    _beside("http-1m", payments(1024 * 1024), _ALL + _MASKING),
    _beside("http-1m-plain", clean(1024 * 1024), [SLUICE_PLAIN, HAPROXY, NGINX, BARE_RELAY]),
]}


def beside(scenario: Scenario, binary: str) -> Scenario:
    """The scenario with another build of Sluice in it, wherever this build is."""
    cases = []
    for case in scenario.cases:
        cases.append(case)
        if case.contender.file.startswith("sluice"):
            other = dataclasses.replace(case.contender, name=f"{case.contender.name}-beside", binary=binary)
            cases.append(dataclasses.replace(case, contender=other))
    return dataclasses.replace(scenario, cases=cases)
