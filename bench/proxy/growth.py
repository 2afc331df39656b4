"""How cost grows: one quantity at a time, everything else as in the end-to-end scenarios.

Each scenario but `body` compares a contender's rows with its row at the base.
"""
import dataclasses
import pathlib
import socket
import tempfile
import time

import host
from contenders import FIRST_PORT, PEERS, Contender, Proxy, Site, Target
from scenarios import (CONNECTIONS, HAPROXY, NGINX, SLUICE, Case, Scenario, case_of, clean, payments)

IDLE_CONNECTIONS = 10_000
AUDITOR = "age1tsyrnzmmedzhq8949sjcjrg6lzr9jkx4nas8utzc9vrwj6k7nv3qmq8fzn"  # who opens what is recorded; nobody
_SMALL = clean(200)


RULES_PER_FILE = 5000  # a file of configuration may have 1 MiB


def _variant(rules: int, masks: int, shown: str, *changes) -> Contender:
    lines = rule_lines(rules)
    files = [(f"rules-{i}.yaml", "\n".join(["policies:", *lines[i:i + RULES_PER_FILE], ""]))
             for i in range(0, rules, RULES_PER_FILE)]
    if masks:
        files.append(("masks.yaml", "\n".join(["masks:", *mask_lines(masks), ""])))
    return Contender("sluice", "sluice-variant.yaml", masks=shown, changes=changes, extra=tuple(files))


def rule_lines(count: int) -> list:
    """One rule that lets the caller read, and others about other callers, methods and areas, most with a glob of their own."""
    others = [
        "{{name: closed {0}, principals: {{groups: [team-{0}]}}, "
        "operations: {{http: {{paths: [\"/v1/area-{0}/**\"]}}}}, ruling: deny}}",
        "{{name: reader {0}, principals: {{groups: [team-{0}]}}, "
        "operations: {{http: {{methods: [GET], paths: [\"/v1/**\"]}}}}, ruling: allow}}",
        "{{name: writer {0}, principals: {{subjects: [writer-{0}]}}, "
        "operations: {{http: {{methods: [POST, PUT], paths: [\"/v1/*/parts-{0}\"]}}}}, ruling: allow}}",
        "{{name: no delete {0}, operations: {{http: {{methods: [DELETE], paths: [\"/v1/area-{0}/**\"]}}}}, "
        "ruling: deny}}"]
    read = ("  - {name: read, principals: {groups: [bench]}, operations: {http: {methods: [GET], "
            "paths: [\"/v1/**\"]}}, ruling: allow}")
    return [read] + ["  - " + others[i % len(others)].format(i) for i in range(count - 1)]


def mask_lines(count: int) -> list:
    """The masks of sluice.yaml in their order; from the eleventh on patterns of tokens that no body has."""
    text = (PEERS / "sluice.yaml").read_text()
    lines = [line for line in text[text.index("masks:\n"):text.index("policies:\n")].splitlines()[1:] if line]
    lines += [f"  - {{name: token {i}, find: {{patterns: [\"tok{i}_[0-9a-f]{{12,32}}\"]}}}}" for i in range(90)]
    return lines[:count]


def _sluice_at(name, body, base, variants) -> Scenario:
    return Scenario(name, [Case(contender, body, at) for at, contender in variants.items()], base, grows=True)


def _connections() -> Scenario:
    # Requests of ten thousand callers at once: room for their buffers, and more connections to the target.
    many = dataclasses.replace(SLUICE, changes=(
        ('addresses: ["127.0.0.1:@target@"]', 'addresses: ["127.0.0.1:@target@"], connections: 6000'),
        ("pin: false", "pin: false, buffers: 512MiB")))
    # wrk opens its connections within the round; thousands of them need a longer one.
    cases = [Case(contender, _SMALL, at, connections=at, seconds=seconds)
             for at, seconds in ((1, 0), (CONNECTIONS, 0), (1000, 3)) for contender in (many, NGINX)]
    # Ten thousand would be twice as many descriptors for nginx, more than some machines allow a process.
    cases.append(Case(many, _SMALL, 10_000, connections=10_000, seconds=5))
    return Scenario("connections", cases, CONNECTIONS, grows=True)


def _bodies() -> Scenario:
    return Scenario("body", [
        case_of(contender, clean(size), size)
        for size in (0, 1024, 16 * 1024, 128 * 1024, 2**20, 10 * 2**20)
        for contender in (SLUICE, HAPROXY)], SLUICE.name)


def _recordings() -> Scenario:
    """Every exchange recorded, encrypted and synced, beside none: rules that only say so."""
    recorded = dataclasses.replace(SLUICE, changes=(
        ("    ruling: allow\n", "    ruling: allow\n    record: full\n"),
        ("admin: {", f'recordings: {{directory: "@folder@/recordings", recipients: [{AUDITOR}]}}\nadmin: {{')))
    return _sluice_at("recordings", payments(1024), "operations", {"operations": SLUICE, "full": recorded})


SCENARIOS = {scenario.name: scenario for scenario in [
    _sluice_at("rules", _SMALL, 10, {n: _variant(n, 10, "sluice") for n in (1, 10, 100, 1000, 10_000)}),
    _sluice_at("masks", payments(1024), 0,
               {n: _variant(20, n, shown) for n, shown in ((0, "target"), (1, "cards"), (10, "sluice"), (100, "sluice"))}),
    _connections(),
    _bodies(),
    _sluice_at("workers", _SMALL, 1, {n: _variant(20, 10, "sluice", ("count: 1", f"count: {n}")) for n in (1, 2)}),
    _recordings(),
    _sluice_at("audit", _SMALL, "recorded", {
        release: _variant(20, 10, "sluice", ("release: recorded", f"release: {release}"))
        for release in ("recorded", "durable")}),
]}


def idle_memory(build: pathlib.Path) -> list:
    """What connections that wait for their next request cost in memory of the process, per connection.

    Each has had one answer. The kernel's memory for its sockets comes on top and is the same for all.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        target = Target(folder, FIRST_PORT, [_SMALL])
        try:
            site = Site.prepare(folder, build, target.port)
            # HAProxy plans for two descriptors a connection, so it gets fewer here.
            for number, (contender, count) in enumerate(
                    [(SLUICE, IDLE_CONNECTIONS), (NGINX, IDLE_CONNECTIONS), (HAPROXY, 4000)], 1):
                proxy = Proxy(contender, site, folder / contender.name, FIRST_PORT + number)
                try:
                    rows.append(_idle_row(proxy, site, count))
                finally:
                    proxy.stop()
        finally:
            target.stop()
    return rows


def _idle_row(proxy: Proxy, site: Site, count: int) -> dict:
    fields = "".join(f"{name}: {value}\r\n" for name, value in site.headers.items())
    request = f"GET {_SMALL.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode()
    host.fetch(proxy.port, _SMALL.path, site.headers, times=100)
    before = host.usage(proxy.process.pid).memory_kib
    clients = []
    try:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
            clients.append(client)
            client.sendall(request)
            answer = b""
            while not answer.endswith(_SMALL.target):
                got = client.recv(4096)
                if not got:
                    raise RuntimeError(f"{proxy.name} closed connection {len(clients)}: {answer[:200]!r}")
                answer += got
        time.sleep(1)
        after = host.usage(proxy.process.pid).memory_kib
    finally:
        for client in clients:
            client.close()
    return {"contender": proxy.name, "connections": count, "memory_kib_before": before, "memory_kib_after": after,
            "bytes_per_connection": max(0, after - before) * 1024 / count}
