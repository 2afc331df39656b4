"""HTTP requests that rules hold, by curl and the CLI: on a connection that waits, and by tickets. What is
approved reaches the target once and to the byte; nothing else of it does."""
import concurrent.futures
import json
import socket
import subprocess
import time

from harness.approvals import People
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target

POLICIES = """
  - {name: testers may, principals: {groups: [testers, dba]}, ruling: allow}
  - name: refunds need a second person
    operations: {http: {methods: [POST], paths: ["/refunds"]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1m}
  - name: large ones need security, too
    operations: {http: {paths: ["/refunds"], body: ['"amount":\\s*[0-9]{5,}']}}
    ruling: hold
    approval: {by_groups: [security], expires: 1m, reason_required: true}
  - name: payouts by ticket
    operations: {http: {paths: ["/payouts/**"]}}
    ruling: hold
    approval: {by_groups: [dba], mode: ticket, expires: 1m, valid_for: 1m, uses: 2}
  - name: hasty ones
    operations: {http: {paths: ["/hasty"]}}
    ruling: hold
    approval: {by_groups: [dba], wait: 1s, expires: 1m}
  - name: nothing else
    operations: {http: {paths: ["/never"]}}
    ruling: deny
"""
REFUND = b'{"amount": 12}'


class Answer:
    def __init__(self, text: str):
        self.text = text
        head, _, self.body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}

    @property
    def page(self) -> dict:
        expect(self.body.startswith("{"), f"no page: {self.text}")
        return json.loads(self.body)


class Client:
    """curl, as the tester or whoever has the key."""

    def __init__(self, gateway):
        self.gateway = gateway

    def start(self, path: str, body: bytes | None = REFUND, *, key: str | None = None, ticket: str = "",
              fields: tuple[str, ...] = (), method: str = "") -> subprocess.Popen:
        words = ["curl", "-s", "-i", "--max-time", "60", "-H", f"X-Api-Key: {key or self.gateway.key}",
                 f"http://127.0.0.1:{self.gateway.port}{path}"]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "--data-binary", body.decode()]
        if ticket:
            words += ["-H", f"Sluice-Request: {ticket}"]
        if method:
            words += ["-X", method]
        for field in fields:
            words += ["-H", field]
        return subprocess.Popen(words, stdout=subprocess.PIPE)

    def end(self, process: subprocess.Popen) -> Answer:
        return Answer(process.communicate(timeout=90)[0].decode())

    def ask(self, *arguments, **options) -> Answer:
        return self.end(self.start(*arguments, **options))


def reached(target, path: str) -> list[bytes]:
    return [request.body for request in target.requests if request.target == path]


def check_wait(client, people, target) -> None:
    held = client.start("/refunds")
    request, = people.waiting()
    shown = people.show(request)
    expect(shown["verb"] == "POST" and shown["resource"] == "/refunds" and shown["requester"]["subject"] == "tester"
           and [rule["rule"] for rule in shown["rules"]] == ["refunds need a second person"], f"{shown}")
    expect(not reached(target, "/refunds"), "it ran before anybody agreed")
    expect(client.ask("/other").status == 200, "another connection waits, too")
    expect(people.decide("approve", "tester", request) == 5, "the requester may approve")
    expect(people.decide("approve", "bob", request) == 0, "bob may not approve")
    answer = client.end(held)
    expect(answer.status == 200 and reached(target, "/refunds") == [REFUND], f"{answer.status} {target.requests}")
    wait_until(lambda: people.show(request).get("ended") == "ran", "the request to be over")
    expect(not any(request.header("sluice-request") for request in target.requests), "the target sees tickets")

    held = client.start("/refunds")
    request, = people.waiting()
    expect(people.decide("deny", "bob", request, "--reason", "not today") == 0, "bob may not deny")
    answer = client.end(held)
    expect(answer.status == 403 and answer.page["rule"] == "refunds need a second person"
           and answer.page["detail"] == "bob denied it: not today", f"{answer.body}")

    # By its body a second rule holds it, too: each must be satisfied.
    large = b'{"amount": 123456}'
    held = client.start("/refunds", large)
    request, = people.waiting()
    expect(people.decide("approve", "bob", request, "--reason", "ok") == 0, "bob may not approve")
    expect(people.state(request) == "waiting", "one of two rules is enough")
    expect(people.decide("approve", "eve", request, "--reason", "seen") == 0, "eve may not approve")
    expect(client.end(held).status == 200 and reached(target, "/refunds")[-1] == large, "it did not run")
    count = len(reached(target, "/refunds"))

    answer = client.ask("/hasty")
    expect(answer.status == 403 and "in time" in answer.page["detail"], f"{answer.body}")
    # Who goes takes the request along.
    held = client.start("/refunds")
    request, = people.waiting()
    held.terminate()
    held.wait()
    held.stdout.close()
    wait_until(lambda: people.state(request) == "withdrawn", "the request to be withdrawn")
    expect(people.decide("approve", "bob", request) == 1, "what was withdrawn can be approved")
    expect(len(reached(target, "/refunds")) == count and not reached(target, "/hasty"), "something ran")


def check_pieces(gateway, people, target) -> None:
    """A body that comes slowly is held as one; what is pipelined behind it is answered after it."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        head = (f"POST /refunds HTTP/1.1\r\nHost: x\r\nX-Api-Key: {gateway.key}\r\nTransfer-Encoding: chunked\r\n"
                "Content-Type: application/json\r\n\r\n").encode()
        after = f"GET /after HTTP/1.1\r\nHost: x\r\nX-Api-Key: {gateway.key}\r\nConnection: close\r\n\r\n".encode()
        for piece in (head[:40], head[40:], b"5\r\n{\"amo\r\n", b"9\r\nunt\": 12}\r\n", b"0\r\n\r\n" + after):
            connection.sendall(piece)
            time.sleep(0.02)
        request, = people.waiting()
        expect(not reached(target, "/after"), "what came behind it went first")
        expect(people.decide("approve", "bob", request) == 0, "bob may not approve")
        got = b""
        while piece := connection.recv(65536):
            got += piece
        expect(got.count(b"HTTP/1.1 200") == 2, f"{got}")
    expect(reached(target, "/refunds")[-1] == REFUND and len(reached(target, "/after")) == 1, "the bytes differ")


def check_ticket(client, people, target) -> None:
    path, other_key = "/payouts/7?x=1", people.keys["carl"]
    first = client.ask(path)
    request = first.page["request"]
    place = f"/.well-known/sluice/requests/{request}"
    expect(first.status == 202 and first.fields["location"] == place and first.page["state"] == "waiting"
           and first.page["record"], f"{first.status} {first.fields} {first.body}")

    def look(key: str | None = None) -> Answer:
        return client.ask(place, None, key=key)

    expect(look().status == 200 and look().page["state"] == "waiting", f"{look().body}")
    expect(look(other_key).status == 404, "somebody else's request is told of")
    expect(client.ask(place, None, method="DELETE").status == 405, "requests can be deleted")
    expect(client.ask(path, ticket=request).status == 202, "it runs before it is approved")
    expect(people.decide("approve", "bob", request) == 0, "bob may not approve")
    expect(look().page["state"] == "approved" and not reached(target, path), f"{look().body}")
    # A byte of the body, of the path, of a field; another method, another caller: another request.
    for options in ({"body": REFUND + b" "}, {"path": "/payouts/7?x=2"}, {"path": "/payouts/8?x=1"},
                    {"fields": ("X-Mode: dry",)}, {"method": "PUT"}):
        answer = client.ask(options.pop("path", path), ticket=request, **options)
        expect(answer.status == 403 and "not what was approved" in answer.page["detail"], f"{options}: {answer.body}")
    expect(client.ask(path, ticket=request, key=other_key).status == 403, "somebody else uses the ticket")
    expect(client.ask(path, ticket="nonsense-ticket").status == 400, "a ticket of no form is taken")
    expect(client.ask(path, ticket="AAAAAAAA").status == 403, "a ticket that nobody has is taken")
    expect(not reached(target, path), "something ran")
    used = client.ask(path, ticket=request.lower(), fields=("Traceparent: 00-1-2-00",))
    expect(used.status == 200 and reached(target, path) == [REFUND], f"{used.status} {used.body}")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status for answer in
                          pool.map(lambda _: client.ask(path, ticket=request), range(8)))
    expect(statuses == [200] + [403] * 7, f"one use was left: {statuses}")
    expect(len(reached(target, path)) == 2, "it ran more than twice")
    expect(look().status == 404, "a request that is over is still told of")

    denied = client.ask(path).page["request"]
    expect(people.decide("deny", "bob", denied) == 0, "bob may not deny")
    place = f"/.well-known/sluice/requests/{denied}"
    expect(look().page["state"] == "denied", f"{look().body}")
    expect(client.ask(path, ticket=denied).status == 403, "what was denied runs")
    expect(client.ask("/never", ticket=denied).status == 403, "a ticket overrules a rule that denies")


def check_ends(gateway, client, people, target) -> None:
    """A reload, a drain and a kill end in refusal."""
    count = len(target.requests)
    held = client.start("/refunds")
    waiting = client.ask("/payouts/1").page["request"]
    wait_until(lambda: len(people.requests("waiting")) == 2, "two to wait")
    expect(people.decide("approve", "bob", waiting) == 0, "bob may not approve")
    expect(gateway.sluice("reload", "--socket", gateway.admin_socket).code == 0, "reload")
    answer = client.end(held)
    expect(answer.status == 403 and "ask again" in answer.page["detail"], f"{answer.body}")
    answer = client.ask("/payouts/1", ticket=waiting)
    expect(answer.status == 403 and "ask again" in answer.page["detail"], f"{answer.body}")

    held = client.start("/refunds")
    killed, = people.waiting()
    ticket = client.ask("/payouts/2").page["request"]
    expect(people.decide("approve", "bob", ticket) == 0, "bob may not approve")
    gateway.process.kill()
    held.wait()
    held.stdout.close()
    gateway.start()
    expect(people.state(killed) == "lost" and people.state(ticket) == "lost", "requests outlive the gateway")
    expect(people.decide("approve", "bob", killed) == 1, "what is lost can be approved")
    expect(client.ask("/payouts/2", ticket=ticket).status == 403, "a ticket outlives the gateway")

    held = client.start("/refunds")
    people.waiting()
    expect(gateway.sluice("drain", "--socket", gateway.admin_socket).code == 0, "drain")
    answer = client.end(held)
    expect(answer.status == 503 and "going down" in answer.page["detail"], f"{answer.body}")
    expect(len(target.requests) == count, "something ran")


def check_records(gateway) -> None:
    gateway.expect_verified()
    records = gateway.records()
    approvals = [r for r in records if r["phase"] == "approval"]
    granted = {r["approval"]: r["binding"] for r in approvals if r["event"] == "approved" and r["result"] == "approved"}
    ran = [r for r in records if r["phase"] == "intent" and r.get("approval") and r["ruling"] == "allow"
           and r["rule"] != "approvals"]
    expect(len(ran) == 5 and all(granted[r["approval"]] == r["binding"] for r in ran),
           f"{len(ran)} ran, or otherwise than approved")
    used = [r for r in approvals if r["event"] == "used"]
    expect(len(used) == 2 and all(r["subject"] == "tester" for r in used), f"{used}")
    held = [r for r in records if r["phase"] == "intent" and r["ruling"] == "hold"]
    expect(all(r["binding"] and r["approval"] for r in held), f"{held}")


def run(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES)
    people = People(gateway)
    people.add("bob", "dba")
    people.add("eve", "security")
    people.add("carl", "testers")
    gateway.start()
    client = Client(gateway)
    check_wait(client, people, target)
    check_pieces(gateway, people, target)
    check_ticket(client, people, target)
    check_ends(gateway, client, people, target)
    gateway.stop()
    check_records(gateway)
