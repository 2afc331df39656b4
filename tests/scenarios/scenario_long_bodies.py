"""Long bodies that no rule looks at come through as they are, around the size from which
they are spliced, and whoever breaks off, reads slowly or sends slowly costs only itself."""
import os
import socket
import struct
import time

from harness import prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target

NGINX = """
daemon off;
master_process off;  # A worker would outlive a master that is killed.
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/www/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  sendfile {sendfile};
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    default_type application/octet-stream;
    location /put {{ dav_methods PUT; }}
  }}
}}
"""
SPLICED_MIN = 128 * 1024
SIZES = [0, 1, 1023, 1024, 1025, 27_000, SPLICED_MIN - 1, SPLICED_MIN, SPLICED_MIN + 1,
         SPLICED_MIN + 26_000, SPLICED_MIN + 27_000, 200_000, 1 << 20, (5 << 20) + 7]


def start_nginx(context, sendfile: str) -> int:
    port = free_port()
    folder = context.folder / f"nginx-{sendfile}"
    (folder / "www/put").mkdir(parents=True)
    for size in SIZES:
        (folder / f"www/{size}").write_bytes(body_of(context, size))
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(
        folder=folder, port=port, sendfile=sendfile,
        # As root nginx would give up rights that reading a private folder needs.
        user="user root;" if os.geteuid() == 0 else ""))
    context.start(["/usr/sbin/nginx", "-c", configuration, "-p", folder], name="nginx")

    def answers() -> bool:
        try:
            return wire.request(port, "GET", "/1").status == 200
        except OSError:
            return False
    wait_until(answers, "nginx to answer")
    return port


def body_of(context, size: int) -> bytes:
    block = context.random.randbytes(65_521)  # prime, so that no buffer of the way has its period
    return (block * (size // len(block) + 1))[:size]


def spliced_bytes(gateway) -> float:
    families = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    return sum(families["sluice_spliced_bytes_total"]["samples"].values())


def downloads(context, gateway, folder) -> None:
    for size in SIZES * 3:
        expected = (folder / f"www/{size}").read_bytes()
        reply = wire.request(gateway.port, "GET", f"/{size}", [gateway.auth])
        expect(reply.status == 200 and reply.body == expected, f"GET of {size} bytes: {reply.status}")
    with wire.Client(gateway.port) as client:
        for size in context.random.sample(SIZES * 3, len(SIZES) * 3):
            expected = (folder / f"www/{size}").read_bytes()
            expect(client.request("GET", f"/{size}", [gateway.auth]).body == expected,
                   f"{size} bytes on a connection that was kept")
            head = client.request("HEAD", f"/{size}", [gateway.auth])
            expect(size == 0 or head.header("Content-Length") == str(size), "HEAD tells the length")
        etag = head.header("ETag")
        expect(client.request("GET", f"/{size}", [gateway.auth, ("If-None-Match", etag)]).status == 304, "304")
        part = client.request("GET", f"/{5 * 2**20 + 7}", [gateway.auth, ("Range", "bytes=1000-1500000")])
        expected = (folder / f"www/{5 * 2**20 + 7}").read_bytes()[1000:1500001]
        expect(part.status == 206 and part.body == expected, "a range")


def old_clients(gateway, folder) -> None:
    """HTTP/1.0 without and with keep-alive."""
    for size in (SPLICED_MIN + 1, 1 << 20):
        expected = (folder / f"www/{size}").read_bytes()
        for connection in ("close", "keep-alive"):
            with wire.Client(gateway.port) as client:
                client.send(f"GET /{size} HTTP/1.0\r\nHost: a\r\nConnection: {connection}\r\n"
                            f"Authorization: Bearer {gateway.key}\r\n\r\n".encode())
                expect(client.read_reply().body == expected, f"HTTP/1.0, {connection}, {size} bytes")


def uploads(context, gateway, folder) -> None:
    with wire.Client(gateway.port) as client:
        for size in SIZES * 2:
            body = body_of(context, size)
            reply = client.request("PUT", f"/put/{size}", [gateway.auth], body)
            expect(reply.status in (201, 204), f"PUT of {size} bytes: {reply.status}")
            expect((folder / f"www/put/{size}").read_bytes() == body, f"PUT of {size} bytes differs")


def slow_reader(gateway, folder) -> None:
    size = SIZES[-1]
    expected = (folder / f"www/{size}").read_bytes()
    with wire.Client(gateway.port, receive_buffer=4096) as client:
        client.send(wire.encode("GET", f"/{size}", [gateway.auth]))
        time.sleep(0.5)  # until every buffer between nginx and here is full
        expect(client.read_reply().body == expected, "a reader that began late")


def leaving_clients(gateway) -> None:
    """Half of them with a reset."""
    for number in range(20):
        client = wire.Client(gateway.port, receive_buffer=4096)
        client.send(wire.encode("GET", f"/{SIZES[-1]}", [gateway.auth]))
        client.read_head()
        client.read_exactly(100_000)
        if number % 2 == 0:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()


def leaving_senders(gateway) -> None:
    for _ in range(10):
        with wire.Client(gateway.port) as client:
            client.send(wire.encode("PUT", "/put/half", [gateway.auth, ("Content-Length", "4000000")]))
            client.send(b"x" * 2_000_000)


def short_target(context) -> None:
    """A target that breaks off inside its answer, which the client must see: what there was of it, less
    than was announced, then the end."""
    sent = 700_000
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\n"
    target = Target(context, lambda request: [head + b"y" * sent, b""])
    gateway = Gateway(context, target.port, name="short").start()
    with wire.Client(gateway.port) as client:
        client.send(wire.encode("GET", "/", [gateway.auth]))
        expect(client.read_head()[0] == 200, "the head came through")
        got = client.read_all()
        expect(got == b"y" * sent, f"of the body {len(got)} bytes came through")
    gateway.stop()
    outcome = [record for record in gateway.records() if record["phase"] == "outcome"][-1]
    expect(outcome["result"] == "upstream-failed" and outcome["bytes_out"] == sent, f"its outcome: {outcome}")
    gateway.expect_verified()


def run(context) -> None:
    short_target(context)
    for sendfile, audit in (("on", ""), ("off", "release: durable")):
        port = start_nginx(context, sendfile)
        folder = context.folder / f"nginx-{sendfile}"
        gateway = Gateway(context, port, name=f"gw-{sendfile}", audit=audit).start()
        downloads(context, gateway, folder)
        expect(spliced_bytes(gateway) > 5 << 20, "long answers are spliced")
        before = spliced_bytes(gateway)
        uploads(context, gateway, folder)
        expect(spliced_bytes(gateway) > before + (5 << 20), "long requests are spliced")
        old_clients(gateway, folder)
        slow_reader(gateway, folder)
        leaving_clients(gateway)
        leaving_senders(gateway)
        downloads(context, gateway, folder)
        gateway.stop()
        outcomes = [record for record in gateway.records() if record["phase"] == "outcome"]
        expect(len(outcomes) == len([record for record in gateway.intents() if record["ruling"] == "allow"]),
               "every operation has its outcome")
        for record in outcomes:
            if record["result"] == "ok" and record["status"] == 200:
                expect(record.get("bytes_out", 0) in SIZES, f"bytes of an answer: {record}")
        expect(any(record["result"] == "client-aborted" and 100_000 <= record["bytes_out"] < SIZES[-1]
                   for record in outcomes), "an answer that was left is recorded with what went")
        gateway.expect_verified()
