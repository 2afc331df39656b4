"""Rules are seen at work before they are live: test, diff, and a dry run on what was recorded, which
agrees with what the gateway did, and with what it does once the new rules are in force."""
from harness import wire
from harness.context import expect
from harness.gateway import ALLOW_ALL, DENY_FORBIDDEN, Gateway
from harness.target import Target

STRICTER = """
  - name: readers
    principals: {groups: [testers]}
    operations: {http: {methods: [GET]}}
    ruling: allow
    # A comment means nothing.
""" + DENY_FORBIDDEN
PATHS = [("GET", "/a"), ("GET", "/b?x=1"), ("POST", "/a"), ("DELETE", "/a/b"), ("GET", "/forbidden/x"),
         ("POST", "/forbidden/y")]


def check_test(gateway, name: str) -> None:
    """What a rehearsal says is what happens."""
    for method, path in PATHS:
        ruling = gateway.sluice("policy", "test", "-c", gateway.configuration, "--listener", "main", "--subject",
                                "tester", "--group", "testers", "--request", f"{method} {path}", "--json", check=True).json()
        status = wire.request(gateway.port, method, path, [gateway.auth]).status
        expect((ruling["ruling"] == "allow") == (status == 200), f"{name} {method} {path}: {ruling}, live {status}")
    words = ("policy", "test", "-c", gateway.configuration, "--listener", "main", "--request", "GET /a")
    expect(gateway.sluice(*words, "--expect", "deny").code == 0, "nobody may")
    expect(gateway.sluice(*words, "--subject", "tester", "--group", "testers", "--expect", "deny").code == 1, "testers may")
    expect(gateway.sluice(*words, "--sql", "SELECT 1").code == 2, "either of the two")
    expect(gateway.sluice("policy", "test", "-c", gateway.configuration, "--listener", "x", "--request", "GET /").code == 2,
           "there is no such listener")


def run(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, policies=ALLOW_ALL + DENY_FORBIDDEN).start()
    check_test(gateway, "before")
    first = gateway.configuration.read_text()
    old = gateway.folder / "old.yaml"
    old.write_text(first)

    same = gateway.sluice("policy", "dry-run", "-c", old, "--json", check=True).json()
    expect(same["judged"] == len(PATHS) and same["changed"] == 0 and same["unsure"] == 0, f"nothing changed: {same}")

    gateway.write(STRICTER)
    page = gateway.sluice("policy", "diff", old, gateway.configuration, "--json", check=True).json()
    found = {(one["change"], one["section"], one["name"]) for one in page["changes"]}
    expect(found == {("removed", "policies", "testers may everything"), ("added", "policies", "readers")}, f"{found}")
    expect("they mean the same" in gateway.sluice("policy", "diff", old, old, check=True).out, "the same is the same")

    dry = gateway.sluice("policy", "dry-run", "-c", gateway.configuration, "--json", check=True).json()
    ways = {(one["was"]["ruling"], one["would_be"]["ruling"], one["would_be"]["rule"], one["operations"])
            for one in dry["changes"] if one["was"]["ruling"] != one["would_be"]["ruling"]}
    expect(ways == {("allow", "deny", "default-deny", 2)}, f"{dry}")
    expect(dry["changed"] == 2 and dry["judged"] == len(PATHS), f"{dry}")
    text = gateway.sluice("policy", "dry-run", "-c", gateway.configuration, check=True).out
    expect("2 would be ruled otherwise" in text and "default-deny" in text, text)

    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    check_test(gateway, "after")
    gateway.stop()
