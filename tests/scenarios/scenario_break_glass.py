"""In an emergency one person runs what waits, where its rules say who may; it is loud, survives a kill, and stays
open until another one has reviewed it."""
import re
import signal
import subprocess

from harness.approvals import People
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target

POLICIES = """
  - {name: testers may, principals: {groups: [testers, dba]}, ruling: allow}
  - name: refunds need two
    operations: {http: {paths: ["/refunds/**"]}}
    ruling: hold
    approval: {by_groups: [dba], distinct: 2, expires: 1m, break_glass: [oncall, testers]}
  - name: large ones need security, too
    operations: {http: {paths: ["/refunds/large"]}}
    ruling: hold
    approval: {by_groups: [security], expires: 1m}
"""
WHY = ("--reason", "incident 4711")


def start(gateway, path: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60", "-X", "POST", "-H",
         f"X-Api-Key: {gateway.key}", f"http://127.0.0.1:{gateway.port}{path}"], stdout=subprocess.PIPE)


def end(process: subprocess.Popen) -> int:
    return int(process.communicate(timeout=90)[0])


def unreviewed(gateway) -> int:
    page = gateway.admin("GET", "/metrics")[1]
    return int(re.search(r"^sluice_unreviewed_requests (\d+)$", page, re.M).group(1))


def check_who(gateway, people, target) -> str:
    """Whom the rule names, with a reason; nobody else."""
    held = start(gateway, "/refunds/7")
    request, = people.waiting()
    expect(people.decide("break-glass", "bob", request, *WHY) == 5, "who may only decide breaks the glass")
    expect(people.decide("break-glass", "wrong", request, *WHY) == 5, "a wrong key breaks the glass")
    expect(people.decide("break-glass", "olga", request) != 0, "without a reason")
    expect(people.decide("review", "bob", request, *WHY) != 0, "what has not run is reviewed")
    expect(people.state(request) == "waiting" and target.count() == 0, "it ran by a decision that does not count")
    done = people.run("olga", "break-glass", request, *WHY)
    expect(done.returncode == 0 and "must be reviewed" in done.stdout, f"{done.stdout}{done.stderr}")
    expect(end(held) == 200 and target.count() == 1, "it did not run")
    wait_until(lambda: people.show(request).get("ended") == "ran", "the request to be over")
    expect(people.state(request) == "unreviewed" and unreviewed(gateway) == 1, "it need not be reviewed")
    expect([one["id"] for one in people.requests("unreviewed")] == [request], "it is not listed")
    expect(people.decide("break-glass", "olga", request, *WHY) == 1, "the glass is broken twice")
    expect(f"request {request} was let through by breaking the glass" in gateway.process.output(), "it is not loud")
    return request


def check_own_and_other(gateway, people, target) -> str:
    """Who asked may, too; a rule that names nobody cannot be got round, and what was denied stays so."""
    held = start(gateway, "/refunds/8")
    own, = people.waiting()
    expect(people.decide("break-glass", "tester", own, *WHY) == 0, "who asks may not")
    expect(end(held) == 200, "it did not run")
    held = start(gateway, "/refunds/large")
    request, = people.waiting()
    count = target.count()
    expect(people.decide("break-glass", "olga", request, *WHY) == 5, "a rule that names nobody is got round")
    expect(people.decide("deny", "bob", request) == 0 and end(held) == 403, "it was not denied")
    expect(people.decide("break-glass", "olga", request, *WHY) == 1, "what was denied is let through")
    expect(target.count() == count, "something ran")
    return own


def check_review(gateway, people, request: str, own: str) -> None:
    """By another one, with a reason, also behind a gateway that was killed."""
    expect(people.decide("review", "tester", own, *WHY) == 5, "who broke the glass reviews it")
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    expect(unreviewed(gateway) == 2, "a kill is a review")
    expect(people.decide("review", "olga", request, *WHY) == 5, "who broke the glass reviews it")
    expect(people.decide("review", "carl", request) != 0, "without a reason")
    expect(people.decide("review", "carl", request, "--reason", "post mortem 4711") == 0, "carl may not review")
    expect(people.decide("review", "bob", request, *WHY) == 1, "it is reviewed twice")
    expect(people.decide("review", "bob", own, "--reason", "post mortem 4711") == 0, "bob may not review")
    expect(unreviewed(gateway) == 0 and people.state(own) == "reviewed", "it is not over")
    decisions = [(one["decision"], one["who"]["subject"], one["reason"]) for one in people.show(request)["decisions"]]
    expect(decisions == [("break-glass", "olga", "incident 4711"), ("review", "carl", "post mortem 4711")],
           f"{decisions}")


def check_records(gateway, request: str) -> None:
    gateway.expect_verified()
    of_request = [r for r in gateway.records() if r.get("approval") == request]
    events = [r["event"] for r in of_request if r["phase"] == "approval" and r["event"] != "decision-refused"]
    expect(events == ["requested", "break-glass", "ended", "reviewed"], f"{events}")
    broken = next(r for r in of_request if r.get("event") == "break-glass")
    expect(broken["subject"] == "olga" and broken["detail"] == "incident 4711" and broken["result"] == "unreviewed",
           f"{broken}")
    reviewed = next(r for r in of_request if r.get("event") == "reviewed")
    expect(reviewed["subject"] == "carl" and reviewed["resource"] == "/refunds/7", f"{reviewed}")
    intents = [r["ruling"] for r in of_request if r["phase"] == "intent"]
    expect(intents == ["hold", "allow"], f"{intents}")


def run(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES)
    people = People(gateway)
    for name, group in {"bob": "dba", "carl": "dba", "olga": "oncall"}.items():
        people.add(name, group)
    gateway.start()
    shown = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("or at once by one of oncall, testers, to be reviewed" in shown, shown)
    request = check_who(gateway, people, target)
    own = check_own_and_other(gateway, people, target)
    check_review(gateway, people, request, own)
    check_records(gateway, request)
    gateway.stop()
