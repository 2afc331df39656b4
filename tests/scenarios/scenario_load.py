"""The load generator against nginx, a server that stalls and one that leaks."""
import base64
import json
import struct
import subprocess
import threading
import time
import zlib

from harness.context import expect, wait_until
from harness.processes import free_port
from harness.target import Target, plain

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
master_process off;  # A worker would outlive a master that is killed.
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log; keepalive_requests 100000; default_type application/json;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{{"ok":true}}'; }} }}
}}
"""


def load(context, port: int, *options, code: int = 0, path: str = "/") -> dict:
    """Runs `sluice load --json`; the report."""
    done = subprocess.run([context.sluice, "load", f"http://127.0.0.1:{port}{path}", "--json",
                           *map(str, options)], capture_output=True, text=True, timeout=120)
    expect(done.returncode == code,
           f"{options}: exit code {done.returncode}\n{done.stdout[:2000]}\n{done.stderr}")
    return json.loads(done.stdout) if done.stdout else {"stderr": done.stderr}


def start_nginx(context) -> int:
    port = free_port()
    (context.folder / "nginx.conf").write_text(NGINX.format(folder=context.folder, port=port))
    context.start(["nginx", "-p", context.folder, "-c", context.folder / "nginx.conf"])

    def answers() -> bool:
        return subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"],
                              check=False).returncode == 0
    wait_until(answers, "nginx answers")
    wait_until(lambda: requests_logged(context) == 1, "nginx logs the request that looked whether it answers")
    return port


def requests_logged(context) -> int:
    return (context.folder / "access.log").read_text().count("\n")


def check_counts(context, port: int) -> None:
    """Both loops send what they say, by nginx's own count."""
    for options, sent in ((("-c", 8, "-n", 3000), 3000),
                          (("-c", 8, "-t", 2, "--rate", 500, "-d", "2s"), 1000),
                          (("-c", 4, "--rate-steps", "200:600:200/1s"), 1200),
                          (("-c", 4, "-n", 400, "--churn", 10), 400)):
        before = requests_logged(context)
        report = load(context, port, *options)
        expect(report["requests"] == sent, f"{options}: {report['requests']} requests")
        expect(report["statuses"] == {"200": sent}, f"{options}: {report['statuses']}")
        expect(report["latency_us"]["count"] == sent, f"{options}: {report['latency_us']}")
        expect(report["unanswered"] == 0, f"{options}: {report['unanswered']} unanswered")
        wait_until(lambda: requests_logged(context) - before == sent, f"nginx logs {sent} requests")
    expect(report["connects"] >= 40 and report["connecting_us"]["count"] == report["connects"],
           f"churn: {report['connects']} connections")


class Stall:
    """Answers at once, but for one second in which nobody is answered."""

    def __init__(self, at: int):
        self._at, self._count, self._lock = at, 0, threading.Lock()

    def __call__(self, _request):
        with self._lock:
            self._count += 1
            if self._count == self._at:
                time.sleep(1)
        return plain()


def check_stall(context) -> None:
    """Of 600 requests 200 are due while the server stalls. An open loop shows them all."""
    connections = 4
    opened = load(context, Target(context, Stall(100)).port, "-c", connections, "--rate", 200, "-d", "3s")
    closed = load(context, Target(context, Stall(100)).port, "-c", connections, "-n", 600)
    expect(opened["requests"] == closed["requests"] == 600, "requests are missing")
    # A third waited 0.5 s on average, so a sixth waited longer than that.
    expect(opened["queueing_us"]["count"] >= 190, f"queueing: {opened['queueing_us']}")
    expect(opened["latency_us"]["p90"] >= 400_000, f"latency: {opened['latency_us']}")
    expect(opened["latency_us"]["max"] >= 900_000, f"latency: {opened['latency_us']}")
    # The same second, asked politely, is as many slow answers as there are connections.
    expect(closed["latency_us"]["max"] >= 900_000, f"closed: {closed['latency_us']}")
    expect(closed["latency_us"]["p99"] < opened["latency_us"]["p90"], f"closed: {closed['latency_us']}")
    expect(opened["service_us"]["p99"] < opened["latency_us"]["p90"], f"service: {opened['service_us']}")


def decode_v2(text: str) -> dict[int, int]:
    """HdrHistogram's compressed V2 encoding, from its description: value to count."""
    raw = base64.b64decode(text, validate=True)
    cookie, size = struct.unpack(">II", raw[:8])
    expect(cookie == 0x1C849314 and size == len(raw) - 8, f"cookie {cookie:x}, {size} bytes")
    payload = zlib.decompress(raw[8:])
    cookie, size, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", payload[:40])
    expect((cookie, offset, lowest, ratio) == (0x1C849313, 0, 1, 1.0), "header")
    expect(size == len(payload) - 40, f"{size} bytes of counts in {len(payload)}")
    half_bits = (2 * 10**digits - 1).bit_length() - 1
    counts, index, at = {}, 0, 40
    while at < len(payload):
        number, shift = 0, 0
        while True:
            byte = payload[at]
            at += 1
            number |= (byte if shift == 56 else byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift == 63:
                break
        number = (number >> 1) ^ -(number & 1)
        if number < 0:
            index -= number
            continue
        if number > 0:
            bucket = max((index >> half_bits) - 1, 0)
            value = (index - (bucket << half_bits)) << bucket
            expect(value <= highest, f"value {value}")
            counts[value] = number
        index += 1
    return counts


def check_files(context, port: int) -> None:
    files = {name: context.folder / name for name in ("out.hgrm", "out.hlog", "out.html")}
    report = load(context, port, "-c", 4, "--rate", 300, "-d", "3s", "--hdr", files["out.hgrm"],
                  "--hdr-log", files["out.hlog"], "--html", files["out.html"])
    latency = report["latency_us"]

    rows = [line.split() for line in files["out.hgrm"].read_text().splitlines()
            if line and line.lstrip()[0].isdigit()]
    totals, percentiles = [int(row[2]) for row in rows], [float(row[1]) for row in rows]
    expect(totals[-1] == latency["count"] and percentiles[-1] == 1, f"{rows[-1]}")
    expect(totals == sorted(totals) and percentiles == sorted(percentiles), "rows are out of order")
    median = next(float(row[0]) for row in rows if float(row[1]) >= 0.5)
    expect(abs(median * 1000 - latency["p50"]) <= 0.001 * latency["p50"] + 1, f"{median} {latency}")

    lines = [line for line in files["out.hlog"].read_text().splitlines() if line[0].isdigit()]
    counts: dict[int, int] = {}
    for number, line in enumerate(lines):
        start, _, most, encoded = line.split(",")
        expect(float(start) == number, f"line {number} starts at {start}")
        decoded = decode_v2(encoded)
        expect(max(decoded) <= float(most) * 1.002e6 + 1, f"{max(decoded)} {most}")
        for value, count in decoded.items():
            counts[value] = counts.get(value, 0) + count
    expect(sum(counts.values()) == latency["count"], f"{sum(counts.values())} values in the log")
    middle, seen = latency["count"] / 2, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle:
            expect(abs(value / 1000 - latency["p50"]) <= 0.002 * latency["p50"], f"{value} {latency}")
            break

    page = files["out.html"].read_text()
    expect(page.count("<svg") == 3 and "300" in page, "plots are missing")
    expect("src=" not in page and "href=" not in page and "@import" not in page,
           "the page asks for something from elsewhere")


def luhn_valid(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def check_mix(context) -> None:
    """A target that echoes what it was sent leaks every card; it is caught by name."""
    def answer(request):
        return plain(request.body if request.target == "/echo" else b"411111******1111", status=200)

    target = Target(context, answer)
    mix = context.folder / "mix.yaml"
    mix.write_text("""
identities: [sk_a, sk_b]
requests:
  - name: echo
    method: POST
    path: /echo
    headers: {Authorization: "Bearer {{identity}}"}
    body: '{"card":"{{card}}","n":{{number 10..99}}}'
    expect: {status: 200, no_unmasked_card: true}
  - name: masked
    weight: 3
    path: /masked/{{uuid}}
    headers: {Authorization: "Bearer {{identity}}"}
    expect: {status: 2xx, no_unmasked_card: true}
""")
    report = load(context, target.port, "--mix", mix, "-c", 4, "-n", 400, "--seed", 7, code=1)
    echoed = [request for request in target.requests if request.target == "/echo"]
    expect(50 < len(echoed) < 150, f"{len(echoed)} of 400 where a quarter was due")
    for request in echoed:
        card = json.loads(request.body)["card"]
        expect(len(card) == 16 and luhn_valid(card), f"{card}")
    keys = {request.header("Authorization") for request in target.requests}
    expect(keys == {"Bearer sk_a", "Bearer sk_b"}, f"{keys}")
    failed = {name: count for name, count in report["failed_checks"].items() if count}
    expect(failed == {"echo: unmasked card number": len(echoed)}, f"{failed}")

    mix.write_text("requests:\n  - pth: /\n")
    said = load(context, target.port, "--mix", mix, code=3)["stderr"]
    expect(f"{mix}:2:5: unknown key 'pth'; did you mean 'path'?" in said, said)


def check_find_rate(context) -> None:
    """One answer at a time, 20 ms each: 50 per second is all there is."""
    lock = threading.Lock()

    def answer(_request):
        with lock:
            time.sleep(0.02)
        return plain()

    port = Target(context, answer).port
    found = load(context, port, "-c", 8, "--rate", 10, "-d", "1s", "--find-rate", "p90<200ms")
    rates = [trial["rate"] for trial in found["trials"]]
    expect(rates[:3] == [10, 20, 40], f"{rates}")
    expect(20 <= found["rate"] <= 70, f"found {found['rate']} in {rates}")
    held = [trial["rate"] for trial in found["trials"] if trial["held"]]
    expect(found["rate"] == max(held), f"{held}")
    expect(any(not trial["held"] for trial in found["trials"]), "no trial failed")


def run(context) -> None:
    port = start_nginx(context)
    check_counts(context, port)
    check_files(context, port)
    check_stall(context)
    check_mix(context)
    check_find_rate(context)
