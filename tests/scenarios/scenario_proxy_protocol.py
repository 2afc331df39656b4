"""Proxies in front of the gateway: HAProxy, which says by the PROXY protocol for whom it speaks, and peers
that say it wrongly, late, or have no right to say it."""
import socket
import ssl
import struct

from harness import wire
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target

REFUSED = "sluice_introductions_refused_total"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def packet(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


def for_v4(host: str, port: int) -> bytes:
    return packet(0x21, 0x11, socket.inet_aton(host) + socket.inet_aton("198.51.100.1")
                  + struct.pack(">HH", port, 443))


def start_haproxy(context, gateway: Gateway, option: str) -> int:
    port = free_port()
    configuration = gateway.folder / f"{option}.cfg"
    configuration.write_text(f"""defaults
  mode tcp
  timeout client 30s
  timeout server 30s
  timeout connect 3s
frontend in
  bind 127.0.0.1:{port}
  default_backend gateway
backend gateway
  server one 127.0.0.1:{gateway.port} {option} check check-send-proxy inter 100ms
""")
    context.start(["haproxy", "-db", "-f", configuration])

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    wait_until(listens, "HAProxy")
    return port


def through_haproxy(context, gateway: Gateway, target: Target, option: str) -> None:
    port = start_haproxy(context, gateway, option)
    # All of 127/8 is this host, and this address is neither HAProxy's nor ours.
    with wire.Client(port, source="127.0.0.7") as client:
        name = "{}:{}".format(*client.socket.getsockname())
        for number in range(3):
            reply = client.request("GET", f"/{option}/{number}", [gateway.auth])
            expect(reply.status == 200, f"HAProxy brought {reply}")
            expect(target.last().header("X-Forwarded-For") == "127.0.0.7", f"{target.last()}")
    def peers() -> set:
        return {record["peer"] for record in gateway.intents() if f"/{option}/" in record["resource"]}
    wait_until(lambda: peers(), "the records")
    expect(peers() == {name}, f"records name {peers()} instead of {name}")


def towards_target(context, version: str) -> None:
    """HAProxy is the target, and tells the real one whom it heard of."""
    target = Target(context)
    port = free_port()
    folder = context.folder / f"target-{version}"
    folder.mkdir()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(f"""defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 3s
frontend in
  bind 127.0.0.1:{port} accept-proxy
  http-request set-header X-Heard-Of %[src]:%[src_port]
  default_backend target
backend target
  server one 127.0.0.1:{target.port}
""")
    context.start(["haproxy", "-db", "-f", configuration], name=f"haproxy-{version}")
    gateway = Gateway(context, port, name=f"to-{version}", target=f"""proxy_protocol: {version}
    health: {{path: /health, interval: 200ms, timeout: 200ms}}""").start()
    wait_until(lambda: "/health" in target.seen(), "a health check that HAProxy let pass")

    def heard_of(client: wire.Client) -> str:
        reply = client.request("GET", "/whose", [gateway.auth])
        expect(reply.status == 200, f"{reply}")
        return next(request for request in reversed(target.requests)
                    if request.target == "/whose").header("X-Heard-Of")

    with wire.Client(gateway.port, source="127.0.0.3") as one, wire.Client(gateway.port, source="127.0.0.4") as two:
        for _ in range(3):  # in turns: each finds its own connection again
            for client in (one, two):
                name = "{}:{}".format(*client.socket.getsockname())
                expect(heard_of(client) == name, f"{name} is told as {target.last()}")

    def open_upstreams() -> int:
        lines = gateway.admin("GET", "/metrics")[1].splitlines()
        return sum(int(line.split()[-1]) for line in lines if line.startswith("sluice_upstream_connections{"))
    wait_until(lambda: open_upstreams() == 0, "connections of clients that left to be closed")
    gateway.stop()


def tls_behind(context, target: Target) -> None:
    """The header comes in clear, before TLS: by HAProxy, and cut at every byte of it and of the ClientHello."""
    authority = Authority(context.folder)
    certificate, key = authority.issue("gw", "DNS:gw.test")
    gateway = Gateway(context, target.port, name="tls", listener=f"""proxy_protocol: {{from: [127.0.0.0/8]}}
    tls: {{certificate: file:{certificate}, key: file:{key}}}""").start()
    trust = ssl.create_default_context(cafile=authority.ca)

    def ask_once(secured: ssl.SSLSocket, forwarded: str) -> None:
        secured.sendall(wire.encode("GET", "/tls", [gateway.auth]))
        expect(secured.recv(65536).startswith(b"HTTP/1.1 200 "), "no answer over TLS")
        expect(target.last().header("X-Forwarded-For") == forwarded, f"{target.last()}")

    port = start_haproxy(context, gateway, "send-proxy-v2")
    with socket.socket() as client:
        client.bind(("127.0.0.9", 0))
        client.settimeout(20)
        client.connect(("127.0.0.1", port))
        with trust.wrap_socket(client, server_hostname="gw.test") as secured:
            ask_once(secured, "127.0.0.9")

    header = for_v4("203.0.113.11", 4713)
    for step in (0, 1, 5):  # in one piece, and in small ones
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trust.wrap_bio(incoming, outgoing, server_hostname="gw.test")
        with wire.Client(gateway.port, timeout=20) as client:
            pending = header

            def exchange() -> None:
                nonlocal pending
                data = pending + outgoing.read()
                pending = b""
                size = step or max(1, len(data))
                for start in range(0, len(data), size):
                    client.send(data[start:start + size])
                incoming.write(client.socket.recv(65536))
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    exchange()
            tls.write(wire.encode("GET", "/tls", [gateway.auth]))
            answer = b""
            while not answer:
                exchange()
                try:
                    answer = tls.read(65536)
                except ssl.SSLWantReadError:
                    pass
            expect(answer.startswith(b"HTTP/1.1 200 "), f"over TLS in steps of {step}: {answer!r}")
            expect(target.last().header("X-Forwarded-For") == "203.0.113.11", f"{target.last()}")
    check_refused(gateway, "TLS without a header", b"\x16\x03\x01\x00\x05hello")
    gateway.stop()


def ask(gateway: Gateway, header: bytes, *, step: int = 0) -> wire.Reply:
    """One request behind `header`; both in pieces of `step` bytes, if any."""
    with wire.Client(gateway.port, timeout=5) as client:
        data = header + wire.encode("GET", "/raw", [gateway.auth])
        for start in range(0, len(data), step or len(data)):
            client.send(data[start:start + (step or len(data))])
        return client.read_reply()


def refused(gateway: Gateway) -> int:
    lines = gateway.admin("GET", "/metrics")[1].splitlines()
    return sum(int(line.split()[-1]) for line in lines if line.startswith(REFUSED))


def check_refused(gateway: Gateway, what: str, data: bytes) -> None:
    before = refused(gateway)
    with wire.Client(gateway.port, timeout=5) as client:
        client.send(data)
        expect(client.read_all() == b"", f"{what} was answered")
    wait_until(lambda: refused(gateway) == before + 1, f"{what} to be counted")


def run(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port,
                      listener='proxy_protocol: {from: [127.0.0.0/8], wait: 500ms}').start()
    through_haproxy(context, gateway, target, "send-proxy")
    through_haproxy(context, gateway, target, "send-proxy-v2")

    for header, forwarded in [(b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n", "203.0.113.9"),
                              (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 443\r\n", "2001:db8::9"),
                              (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
                              (for_v4("203.0.113.10", 4712), "203.0.113.10"),
                              (packet(0x20, 0, b""), "127.0.0.1")]:
        for step in (0, 1, 7):
            reply = ask(gateway, header, step=step)
            expect(reply.status == 200, f"{header!r}: {reply}")
            expect(target.last().header("X-Forwarded-For") == forwarded, f"{header!r}: {target.last()}")

    seen = target.count()
    request = wire.encode("GET", "/raw", [gateway.auth])
    check_refused(gateway, "a request without a header", request)
    check_refused(gateway, "a malformed line", b"PROXY TCP4 203.0.113.9\r\n" + request)
    check_refused(gateway, "a broken packet", packet(0x21, 0x21, b"short") + request)
    check_refused(gateway, "half a header", SIGNATURE[:5])  # and then nothing, for longer than `wait`
    expect(target.count() == seen, "a refused peer reached the target")
    reply = ask(gateway, 2 * b"PROXY UNKNOWN\r\n")
    expect(reply.status == 400, f"a second header is the client's: {reply}")
    gateway.stop()
    gateway.expect_verified()

    tls_behind(context, target)
    for version in ("v1", "v2"):
        towards_target(context, version)

    stranger = Gateway(context, target.port, name="stranger",
                       listener='proxy_protocol: {from: [192.0.2.0/24]}').start()
    expect(ask(stranger, b"").status == 200, "a client that comes by itself")
    expect(ask(stranger, b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n").status == 400,
           "who is not on the list was believed")
    stranger.stop()
