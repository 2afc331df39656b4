"""Every malformed or ambiguous request of the codec's corpus, over sockets, in
one piece and byte by byte: refused or handled as its table says, and nothing
that is refused reaches the target."""
import dataclasses
import socket

from harness import wire
from harness.context import ROOT, expect
from harness.gateway import Gateway
from harness.target import Target, plain

CORPUS = ROOT / "tests/parsers/http1/malformed"


@dataclasses.dataclass
class Expected:
    """What the table's steps mean on the wire."""
    targets: list[str]        # normalised targets of whole requests, in order
    methods: list[str]
    refusal: int | None       # status of the refusal that ends the connection
    in_body: bool             # the refusal may come after the head was sent on


def parse(outcome: str) -> Expected:
    expected = Expected([], [], None, False)
    for step in outcome.split(" ; "):
        kind, *words = step.split()
        if kind == "accept":
            expected.methods.append(words[0])
            expected.targets.append(words[1])
        elif kind in ("refuse", "refuse_in_body"):
            expected.refusal, expected.in_body = int(words[0]), kind == "refuse_in_body"
    return expected


def statuses(answers: bytes) -> list[int]:
    """Final statuses in a run of responses; the target's body never looks like one."""
    found = []
    for line in answers.split(b"\r\n"):
        # A body has no line end of its own, so a status line may stand behind one.
        position = line.rfind(b"HTTP/1.1 ")
        if position >= 0:
            status = int(line[position + 9:position + 12])
            if status >= 200:
                found.append(status)
    return found


def send(port: int, data: bytes, split: bool, answers_due: int) -> bytes:
    """Sends the bytes, waits for as many final answers as are due, then says
    goodbye and takes what still comes."""
    with wire.Client(port, timeout=5) as client:
        answers = b""
        try:
            if split:
                for index in range(len(data)):
                    client.send(data[index:index + 1])
            else:
                client.send(data)
            client.socket.settimeout(1.5)
            while len(statuses(answers)) < answers_due:
                piece = client.socket.recv(65536)
                if not piece:
                    return answers
                answers += piece
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused and closed before all was sent, or fewer answers came
        client.socket.settimeout(5)
        return answers + client.read_all()


def check(gateway, target, name: str, expected: Expected, data: bytes, split: bool) -> str:
    before = target.count()
    bytes_before = len(target.received)
    due = len(expected.targets) + (expected.refusal is not None)
    answers = send(gateway.port, data, split, due)
    got = statuses(answers)
    whole = [request.target for request in target.requests[before:]]
    if whole != expected.targets[:len(whole)] or len(whole) > len(expected.targets):
        return f"the target saw {whole}, expected {expected.targets}"
    if len(whole) < len(expected.targets):
        return f"the target saw only {whole} of {expected.targets}; answers {got}"
    if expected.refusal is not None:
        if not got and expected.in_body:
            return ""  # closed after the head had been sent on: nothing can be answered
        if not got or got[-1] != expected.refusal:
            # In a body the target's own failure may be answered first.
            if not (expected.in_body and got and got[-1] in (expected.refusal, 502)):
                return f"expected a refusal with {expected.refusal}, got {got}: {answers[:120]!r}"
        if not expected.targets and not expected.in_body and len(target.received) != bytes_before:
            return f"bytes of a refused request reached the target: {bytes(target.received[bytes_before:])!r}"
    return ""


def run(context) -> None:
    target = Target(context, lambda request: plain(b"ok"))
    gateway = Gateway(context, target.port, identity="anonymous: true", policies="""
  - name: anyone may everything
    principals: {anonymous: true}
    ruling: allow
""", listener="timeouts: {request_head: 500ms, idle: 1s, stall: 1s}").start()
    rows = [line.split("\t") for line in (CORPUS / "expected.tsv").read_text().splitlines()
            if line and not line.startswith("#")]
    expect(len(rows) >= 150, f"only {len(rows)} cases")
    faults, refused = [], 0
    for name, outcome, *_ in rows:
        expected = parse(outcome)
        refused += expected.refusal is not None
        data = (CORPUS / name).read_bytes()
        splits = (False, True) if len(data) <= 400 or context.full else (False,)
        for split in splits:
            fault = check(gateway, target, name, expected, data, split)
            if fault:
                faults.append(f"{name}{' (byte by byte)' if split else ''}: {outcome}: {fault}")
    print(f"{len(rows)} cases, {refused} refused, {len(faults)} not as documented")
    expect(not faults, "\n".join(faults))

    # Each refusal left a record, and the gateway still serves.
    expect(wire.request(gateway.port, "GET", "/after").status == 200, "the gateway no longer serves")
    gateway.stop()
    gateway.expect_verified()
    denied = sum(record["ruling"] == "deny" for record in gateway.intents())
    expect(denied >= refused * 0.8, f"{refused} refusals, but only {denied} records of them")
