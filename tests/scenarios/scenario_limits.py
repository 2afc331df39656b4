"""Everything has a limit, and a slow reader of a huge body costs no memory."""
import concurrent.futures
import contextlib
import time

from harness import wire
from harness.context import expect
from harness.gateway import ALLOW_ALL, Gateway
from harness.target import Target, plain

BLOCK = b"{\"filler\":\"" + b"x" * (1 << 20) + b"\"}"


def check_refusals(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, name="small", listener="""limits: {head: 4KiB, target: 256, fields: 20, body: 64KiB, requests_per_connection: 3}
    timeouts: {request_head: 500ms, idle: 1s, stall: 1s}""").start()
    port, auth = gateway.port, gateway.auth
    for expected, arguments in (
            (431, ("GET", "/", [auth, ("X-Long", "a" * 5000)])),
            (431, ("GET", "/", [auth] + [(f"X-{i}", "a") for i in range(30)])),
            (414, ("GET", "/" + "a" * 300, [auth])),
            (413, ("POST", "/", [auth], b"a" * 70_000))):
        reply = wire.request(port, *arguments)
        expect(reply.status == expected, f"expected {expected}, got {reply.status}")
    # Chunked: the limit strikes when it is crossed, not at the end.
    with wire.Client(port) as client:
        client.send(wire.encode("POST", "/", [auth, ("Transfer-Encoding", "chunked")]))
        chunk = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
        try:
            for _ in range(6):
                client.send(chunk)
        except OSError:
            pass
        answered = client.read_all()
        expect(answered.startswith(b"HTTP/1.1 413") or answered == b"", f"{answered[:100]!r}")
    # A head that dribbles in, and a connection that says nothing.
    with wire.Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost:")
        began = time.monotonic()
        answered = client.read_all()
        expect(answered == b"" or answered.startswith(b"HTTP/1.1 408"), f"{answered[:100]!r}")
        expect(time.monotonic() - began < 5, "a dribbling head was awaited too long")
    with wire.Client(port) as client:
        expect(client.read_all() == b"", "an idle connection got bytes")
    # A connection takes so many requests and says goodbye with the last.
    with wire.Client(port) as client:
        replies = [client.request("GET", "/", [auth]) for _ in range(3)]
        expect([reply.status for reply in replies] == [200, 200, 200], f"{replies}")
        expect((replies[2].header("Connection") or "").lower() == "close", f"{replies[2].headers}")
        expect(client.read_all() == b"", "the connection stayed open")
    gateway.stop()
    gateway.expect_verified()


def check_long_heads(context) -> None:
    """A head as long as the limit may allow is judged to its last field, and goes on whole."""
    target = Target(context)
    gateway = Gateway(context, target.port, name="long", listener="limits: {head: 24KiB}", policies=ALLOW_ALL + """
  - name: nothing from the test field
    ruling: deny
    operations: {http: {headers: [{name: X-Last, pattern: "^refuse$"}]}}
""").start()
    passed_on = [(f"X-{i}", "a" * 2500) for i in range(9)]
    dropped = [("X-Forwarded-For", "a" * 11_000), ("X-Forwarded-Host", "a" * 11_000)]
    for long in (dropped, passed_on):
        for value, expected in (("refuse", 403), ("pass", 200)):
            reply = wire.request(gateway.port, "GET", "/", [gateway.auth, *long, ("X-Last", value)])
            expect(reply.status == expected, f"{value}: expected {expected}, got {reply.status}")
    expect(target.count() == 2, f"{target.count()} requests reached the target")
    expect(target.last().header("X-8") == "a" * 2500, "a field was cut")
    gateway.stop()
    gateway.expect_verified()


def check_more_requests_than_buffers(context) -> None:
    """Requests that wait for their answers leave the buffers that the answers need."""
    def answer(_request):
        time.sleep(0.5)  # Until all are under way.
        yield from plain()

    target = Target(context, answer)
    gateway = Gateway(context, target.port, name="scarce", buffers="1MiB").start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire.Client(gateway.port, timeout=20)) for _ in range(200)]
        for client in clients:
            client.send(wire.encode("GET", "/", [gateway.auth]))
        statuses = [client.read_reply().status for client in clients]
    expect(statuses == [200] * len(clients), f"{statuses}")
    gateway.stop()
    gateway.expect_verified()


def check_more_masked_bytes_than_buffers(context) -> None:
    """Bodies that masks rewrite wait for buffers; none is cut off for want of one."""
    card = b"4111111111111111"
    body = b"[" + b",".join([b'{"card":"%s","note":"%s"}' % (card, b"n" * 400)] * 2500) + b"]"

    def answer(_request):
        yield (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n" % len(body))
        yield body

    target = Target(context, answer)
    gateway = Gateway(context, target.port, name="scarce-masked", buffers="2MiB", masks="""
  - {name: pan, find: builtin:payment-card, show: redact}
""").start()
    expected = body.replace(card, b"[redacted]")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire.Client(gateway.port, timeout=60)) for _ in range(200)]
        for client in clients:
            client.send(wire.encode("GET", "/", [gateway.auth]))
        time.sleep(0.5)  # All are under way, and nobody reads.
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as readers:
            bodies = list(readers.map(lambda client: client.read_reply().body, clients))
    expect(all(body == expected for body in bodies), "a masked body is not whole")
    gateway.stop()
    gateway.expect_verified()


def check_memory(context, total: int, masked: bool) -> None:
    def answer(request):
        head = ("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                f"Content-Length: {total}\r\n\r\n")
        yield head.encode()
        sent = 0
        while sent < total:
            piece = BLOCK[:total - sent]
            sent += len(piece)
            yield piece

    target = Target(context, answer, keeps_bytes=False)
    gateway = Gateway(context, target.port, name=f"huge-{masked}", masks="""
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
""" if masked else "").start()
    before = gateway.process.resident_bytes()
    with wire.Client(gateway.port, timeout=60, receive_buffer=64 * 1024) as client:
        client.send(wire.encode("GET", "/huge", [gateway.auth]))
        status, _ = client.read_head()
        expect(status == 200, f"status {status}")
        # Read nothing: the target must be stopped from sending, long before the end.
        sent = -1
        while target.bytes_sent != sent:
            sent = target.bytes_sent
            time.sleep(1.0)
        expect(sent < 256 << 20, f"{sent} bytes piled up before a client that reads nothing")
        stalled = gateway.process.resident_bytes()
        expect(stalled - before < 96 << 20, f"stalled: {before} → {stalled} bytes resident")
        peak, received = stalled, 0
        while received < total:
            got = len(client.read_exactly(min(1 << 20, total - received)))
            received += got
            if received % (64 << 20) < (1 << 20):
                peak = max(peak, gateway.process.resident_bytes())
        print(f"{total >> 20} MiB, masked {masked}: resident {before >> 20} → {stalled >> 20} MiB "
              f"stalled, {peak >> 20} MiB at most")
        expect(peak - before < 96 << 20, f"running: {before} → {peak} bytes resident")
    gateway.stop()
    gateway.expect_verified()


def run(context) -> None:
    check_refusals(context)
    check_long_heads(context)
    check_more_requests_than_buffers(context)
    check_more_masked_bytes_than_buffers(context)
    total = (4 << 30) if context.full else (1 << 30)
    check_memory(context, total, False)
    check_memory(context, total // 4, True)
