"""What clients see when refused, what the target sees of what is allowed, and
that each refusal's record is in the log."""
import json

from harness import wire
from harness.context import expect
from harness.gateway import Gateway
from harness.target import Target, json_reply


def expect_problem(reply: wire.Reply, status: int) -> dict:
    expect(reply.status == status, f"expected {status}, got {reply.status}: {reply.body[:300]!r}")
    expect(reply.header("Content-Type") == "application/problem+json",
           f"not a problem: {reply.headers}")
    page = json.loads(reply.body)
    expect(page["status"] == status, f"the problem says {page}")
    return page


def run(context) -> None:
    target = Target(context, lambda request: json_reply('{"ok":true}', headers=[
        ("Connection", "X-Hop"), ("X-Hop", "secret"), ("Keep-Alive", "timeout=5"), ("X-End", "kept")]))
    gateway = Gateway(context, target.port,
                      target='credential: {header: Authorization, value: "file:%s"}'
                      % (context.folder / "credential"))
    (context.folder / "credential").write_text("Basic dGFyZ2V0LXNlY3JldA==")
    gateway.start()
    port = gateway.port

    # Who are you?
    expect_problem(wire.request(port, "GET", "/a"), 401)
    expect_problem(wire.request(port, "GET", "/a", [("Authorization", "Bearer sk_nonsense")]), 401)
    expect_problem(wire.request(port, "GET", "/a", [gateway.auth, gateway.auth]), 401)
    stranger = gateway.new_key("stranger", "nobody")
    expect(target.count() == 0, "an unauthenticated request reached the target")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)

    # You may not: named rule, named record, and the connection goes on.
    with wire.Client(port) as client:
        page = expect_problem(client.request("GET", "/forbidden/x", [gateway.auth]), 403)
        expect(page["rule"] == "nothing forbidden", f"the rule is not named: {page}")
        expect("That path is closed." in page["detail"], f"the reason is not told: {page}")
        expect(page["record"], f"the record is not named: {page}")
        page = expect_problem(client.request("GET", "/a", [("X-Api-Key", stranger)]), 403)
        expect(page["rule"] == "default-deny", f"expected default-deny: {page}")
        expect(client.request("GET", "/a", [gateway.auth]).status == 200, "the connection was lost")

    # However the path is spelled.
    for spelling in ("/a/../forbidden/x", "/%66orbidden/x", "//forbidden//x", "/./forbidden/x",
                     "/a/%2e%2e/forbidden/x", "/forbidden/%2e/x"):
        expect_problem(wire.request(port, "GET", spelling, [gateway.auth]), 403)
    for spelling in ("/%2566orbidden/x", "/a%2fb", "/../x", "/a\\b"):
        expect_problem(wire.request(port, "GET", spelling, [gateway.auth]), 400)
    expect(target.seen() == ["/a"], f"the target saw {target.seen()}")

    # Not spoken here.
    expect_problem(wire.request(port, "CONNECT", "h:1", [gateway.auth, ("Host", "h:1")]), 501)
    expect_problem(wire.request(port, "GET", "/a", [gateway.auth, ("Connection", "upgrade"),
                                                    ("Upgrade", "websocket")]), 501)

    # What the target sees of an allowed request: its own credential, no hop-by-hop fields.
    before = target.count()
    reply = wire.request(port, "POST", "/b//c/%7Ex?q=%41", [
        gateway.auth, ("X-Forwarded-For", "1.2.3.4"), ("Connection", "X-Mine, close"), ("X-Mine", "no"),
        ("X-Kept", "yes"), ("TE", "trailers")], b"hello")
    expect(reply.status == 200 and target.count() == before + 1, f"{reply}")
    seen = target.last()
    expect(seen.target == "/b/c/~x?q=%41", f"the target saw {seen.target}")
    expect(seen.body == b"hello", f"body {seen.body!r}")
    expect(seen.all("Authorization") == ["Basic dGFyZ2V0LXNlY3JldA=="], f"{seen.headers}")
    expect(seen.header("X-Mine") is None and seen.header("TE") is None, f"{seen.headers}")
    expect(seen.header("X-Kept") == "yes", f"{seen.headers}")
    expect(seen.all("X-Forwarded-For") == ["127.0.0.1"], f"{seen.headers}")
    expect(reply.header("X-Hop") is None and reply.header("X-End") == "kept", f"{reply.headers}")

    # Every refusal has its record.
    gateway.stop()
    intents = gateway.intents()
    denied = [record for record in intents if record["ruling"] == "deny"]
    expect(len(denied) >= 3 + 2 + 6 + 4 + 2, f"only {len(denied)} refusals are recorded")
    by_rule = {record.get("rule") for record in denied}
    expect({"nothing forbidden", "default-deny"} <= by_rule, f"{by_rule}")
    gateway.expect_verified()
