"""Mixed requests, masked and not, chunked and not, split anywhere, come out of
the gateway byte for byte as the naive reference masker says."""
import concurrent.futures
import subprocess
import time
from random import Random

from harness import wire
from harness.context import ROOT, expect
from harness.gateway import Gateway
from harness.processes import die_with_harness
from harness.target import Target

FULL_REQUESTS = 100_000
REQUESTS = 1_500     # At most, and
SECONDS_MAX = 50     # no longer than this on a busy machine,
REQUESTS_MIN = 200   # but never so few that it proves nothing.
LANES = 8            # Clients at a time; each has its share of the requests.
PATIENCE_S = 240     # More than a scenario's time: that is what ends one that hangs.

MASKS = r"""
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
  - {name: iban, find: builtin:iban, show: {partial: {first: 4, last: 2}}}
  - {name: mail, find: builtin:email, show: hash}
  - {name: ssn, find: builtin:us-ssn, show: redact}
  - {name: phone, find: builtin:phone, show: {partial: {last: 2}}}
  - {name: jwt, find: builtin:jwt, show: redact}
  - {name: aws, find: builtin:aws-key, show: hash}
  - {name: ip, find: builtin:ip, show: redact}
  - {name: cvc, find: {json: ["$..cvc", "$.card.number", "$.items[*].pan"]}, show: redact}
  - {name: password, find: {form: [password]}, show: redact}
"""
TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "text": "text/plain"}


class Reference:
    """The program that makes bodies and masks them naively."""

    def __init__(self, context, configuration):
        program = ROOT / "build/release/tests/scenarios/masking_reference"
        self._child = subprocess.Popen([program, configuration], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, preexec_fn=die_with_harness)
        context.on_exit(self.close)

    def ask(self, kind: str, size: int, seed: int, masked: bool) -> None:
        """Begins a body; answer() waits for it."""
        self._child.stdin.write(f"{kind} {size} {seed} {masked:d}\n".encode())
        self._child.stdin.flush()

    def answer(self) -> tuple[bytes, bytes]:
        line = self._child.stdout.readline().split()
        expect(len(line) == 2, f"the reference ended with {self._child.poll()}")
        return self._child.stdout.read(int(line[0])), self._child.stdout.read(int(line[1]))

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()


def pieces_of(random, data: bytes) -> list[bytes]:
    """The data cut at random places: sometimes into single bytes, mostly coarser."""
    if not data:
        return []
    size = random.choice([1, 7, 100, 1460, 16384, len(data)])
    size = max(size, len(data) // 200)
    pieces, start = [], 0
    while start < len(data):
        end = start + random.randint(1, 2 * size)
        pieces.append(data[start:end])
        start = end
    return pieces


def chunked(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def size_of(random) -> int:
    """Mostly small; one in a thousand is 10 MiB."""
    draw = random.random()
    if draw < 0.05:
        return 0
    if draw < 0.80:
        return random.randint(1, 2_000)
    if draw < 0.985:
        return random.randint(2_000, 100_000)
    if draw < 0.999:
        return random.randint(100_000, 1 << 20)
    return 10 << 20


class Case:
    """One request and what must come back. The reference works on it from the
    start; complete() takes the result."""

    def __init__(self, random, full: bool, reference, number: str):
        self.number = number
        self.seed = random.getrandbits(32)
        self.kind = random.choice(["json", "json", "form", "text"])
        self.size = size_of(random) if full else min(size_of(random), 1 << 20)
        self.masked = random.random() < 0.75
        reference.ask(self.kind, self.size, self.seed, self.masked)

    def complete(self, random, reference) -> None:
        body, masked = reference.answer()
        self.expected = masked if self.masked else body
        pieces = pieces_of(random, body)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {TYPES[self.kind]}\r\n"
        framing = random.choice(["length", "chunked", "close"])
        if framing == "chunked":
            head, body = head + "Transfer-Encoding: chunked\r\n", chunked(pieces)
        elif framing == "length":
            head += f"Content-Length: {len(body)}\r\n"
        self.reply = pieces_of(random, head.encode() + b"\r\n" + body) + ([b""] if framing == "close" else [])
        # The request has a body of its own, which no mask touches.
        self.sent = random.randbytes(random.choice([0, 0, 10, 5_000, 200_000]))
        headers = [("X-Case", self.number)]
        if random.random() < 0.5 and self.sent:
            headers.append(("Transfer-Encoding", "chunked"))
            self.request_body = chunked(pieces_of(random, self.sent))
        else:
            self.request_body = self.sent
        self.headers = headers
        self.splits = random.random() < 0.3

    def describe(self) -> str:
        return f"case {self.number}: {self.kind} {self.size} seed {self.seed} masked {self.masked}"


def call(client: wire.Client, gateway, keys, case: Case, random) -> None:
    headers = case.headers + [("Authorization", f"Bearer {keys[case.masked]}")]
    data = wire.encode("POST", f"/case/{case.number}", headers, case.request_body)
    for piece in pieces_of(random, data) if case.splits else [data]:
        client.send(piece)
    reply = client.read_reply("POST")
    expect(reply.status == 200, f"{case.describe()}: status {reply.status} {reply.body[:200]!r}")
    if reply.body != case.expected:
        at = next((i for i, (a, b) in enumerate(zip(reply.body, case.expected)) if a != b),
                  min(len(reply.body), len(case.expected)))
        raise AssertionError(f"{case.describe()}: differs at byte {at} of {len(case.expected)}:\n"
                             f"  got      {reply.body[max(0, at - 40):at + 40]!r}\n"
                             f"  expected {case.expected[max(0, at - 40):at + 40]!r}")


class Exchange:
    """What the clients' lanes and the target share."""

    def __init__(self):
        self._cases: dict[str, Case] = {}
        self._received: dict[str, bytes] = {}
        self.is_broken = False

    def answer(self, request) -> list[bytes]:
        self._received[request.header("X-Case")] = request.body
        return self._cases[request.header("X-Case")].reply

    def begin(self, case: Case) -> None:
        self._cases[case.number] = case

    def end(self, case: Case) -> bytes:
        """The body that the target got."""
        del self._cases[case.number]
        return self._received.pop(case.number)


def drive(context, gateway, keys, exchange, lane: int) -> tuple[int, int]:
    """One client's requests, one after the other: how many, bytes of answers."""
    random = Random(f"{context.seed} {lane}")
    reference = Reference(context, gateway.configuration)
    bytes_out, client, number = 0, None, 0
    began = time.monotonic()

    def is_enough() -> bool:
        if exchange.is_broken:
            return True
        if context.full:
            return number == FULL_REQUESTS // LANES
        late = time.monotonic() - began > SECONDS_MAX
        return number == REQUESTS // LANES or (late and number >= REQUESTS_MIN // LANES)

    try:
        coming = Case(random, context.full, reference, f"{lane}.{number}")
        while not is_enough():
            case = coming
            case.complete(random, reference)
            exchange.begin(case)
            number += 1
            # Made by the reference while this one is under way.
            coming = Case(random, context.full, reference, f"{lane}.{number}")
            if client is None or random.random() < 0.05:
                if client is not None:
                    client.close()
                client = wire.Client(gateway.port, timeout=PATIENCE_S)
            call(client, gateway, keys, case, random)
            expect(exchange.end(case) == case.sent, f"{case.describe()}: the target got another body")
            bytes_out += len(case.expected)
        if client is not None:
            client.close()
    except BaseException:
        exchange.is_broken = True
        raise
    return number, bytes_out


def run(context) -> None:
    exchange = Exchange()
    target = Target(context, exchange.answer, keeps_bytes=False, keeps_requests=False)
    masks = MASKS.replace(", show:", ", except_groups: [whole], show:")
    # Patient enough for a machine that has other things to do.
    gateway = Gateway(context, target.port, masks=masks,
                      listener="timeouts: {idle: 1h, stall: 10m, request_head: 10m}",
                      target="timeouts: {connect: 5m, response: 10m}", policies="""
  - name: all
    principals: {groups: [testers, whole]}
    ruling: allow
""")
    keys = {True: gateway.key, False: gateway.new_key("sees all", "whole")}
    gateway.start()
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        lanes = [pool.submit(drive, context, gateway, keys, exchange, lane) for lane in range(LANES)]
        try:
            done = [lane.result() for lane in lanes]
        except BaseException:
            exchange.is_broken = True
            raise
    requests = sum(number for number, _ in done)
    bytes_out = sum(size for _, size in done)
    print(f"{requests} requests, {bytes_out >> 20} MiB of responses identical; seed {context.seed}")
    gateway.stop()
    gateway.expect_verified()
