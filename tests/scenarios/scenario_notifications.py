"""People are told of what waits for them: by signed webhooks that are tried until they arrive, also behind a
gateway that was killed; what cannot be delivered is in the log, and nothing unmasked leaves."""
import re
import signal
import subprocess

from harness.approvals import People
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.receiver import Receiver
from harness.target import Target

POLICIES = """
  - {name: testers may, principals: {groups: [testers, dba]}, ruling: allow}
  - name: refunds need a second person
    operations: {http: {paths: ["/refunds/**"]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1m}
  - name: hasty ones
    operations: {http: {paths: ["/hasty"]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 1s}
"""
CARD = "5555555555554444"
SECRET = "signed-with-this-planted-secret"
TOKEN = "planted-token-of-the-chat-7731"


def configuration(receiver: Receiver, away: Receiver, folder) -> str:
    ca, away_ca = f"ca: file:{receiver.authority.ca}", f"ca: file:{away.authority.ca}"
    return f"""notifications:
  link: "https://sluice.example/requests/{{id}}"
  timeout: 2s
  give_up_after: 10m
  webhooks:
    - {{name: tool, url: "file:{folder}/tool.url", secret: "file:{folder}/secret", {ca}}}
    - {{name: slack, url: "file:{folder}/slack.url", format: slack, events: [waiting], {ca}}}
    - {{name: teams, url: "file:{folder}/teams.url", format: teams, events: [denied], {ca}}}
    - {{name: away, url: "file:{folder}/away.url", secret: "file:{folder}/secret", events: [waiting, lost], {away_ca}}}
    - {{name: stranger, url: "file:{folder}/tool.url", secret: "file:{folder}/secret", events: [expired]}}"""


class Held:
    """A request that a rule holds, by curl."""

    def __init__(self, gateway, path: str):
        self.process = subprocess.Popen(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "60", "-X", "POST", "-H",
             f"X-Api-Key: {gateway.key}", f"http://127.0.0.1:{gateway.port}{path}"], stdout=subprocess.PIPE)

    def end(self) -> int:
        return int(self.process.communicate(timeout=90)[0])


def metric(gateway, name: str, webhook: str = "") -> float:
    label = f'{{webhook="{webhook}"}}' if webhook else ""
    return float(re.search(rf"^{name}{re.escape(label)} (\S+)$", gateway.admin("GET", "/metrics")[1], re.M).group(1))


def of_events(gateway, event: str) -> list[dict]:
    return [record for record in gateway.records() if record.get("event") == event]


def check_told(gateway, people, receiver) -> None:
    """Of what waits and of what became of it: in each form, signed, with a link, and again until it arrives."""
    tool, slack, teams = f"/tool?sig={TOKEN}", f"/slack/{TOKEN}", f"/teams/{TOKEN}"
    receiver.answers[tool] = [(500, {}), (429, {"Retry-After": "3"})]
    held = Held(gateway, f"/refunds/{CARD}")
    request, = people.waiting()
    wait_until(lambda: len(receiver.of(tool)) == 3, "the notice to be tried until it arrives", 30)
    tries = receiver.of(tool)
    expect(len({one.number for one in tries}) == 1 and len({one.body for one in tries}) == 1, "not the same again")
    expect(tries[1].at - tries[0].at > 0.8 and tries[2].at - tries[1].at > 2.8, "it was tried again at once")
    expect(all(one.is_signed_with(SECRET) and not one.is_signed_with("another") for one in tries), "the signature")
    told, shown = tries[-1].page, people.show(request)
    expect(told["event"] == "waiting" and told["request"] == request and told["requester"] == "tester", f"{told}")
    expect(told["resource"] == shown["resource"] == "/refunds/555555******4444", f"{told}")
    expect(told["until"] == shown["until"] and told["link"] == f"https://sluice.example/requests/{request}", f"{told}")
    expect(told["rules"] == [{"rule": "refunds need a second person", "needed": "1 of dba"}], f"{told}")
    wait_until(lambda: len(receiver.of(slack)) == 1, "the chat to be told")
    message = receiver.of(slack)[0]
    expect(message.signature is None and message.content_type == "application/json", "of the chat")
    expect(message.page["text"] == f"Request {request} waits for approval", f"{message.page}")
    expect([block["type"] for block in message.page["blocks"]] == ["header", "section", "section", "section"],
           f"{message.page}")
    expect(f"<https://sluice.example/requests/{request}|" in message.body.decode(), "the link")

    expect(people.decide("deny", "bob", request, "--reason", "not today") == 0, "bob may not deny")
    expect(held.end() == 403, "it was not denied")
    wait_until(lambda: receiver.of(tool, "denied") and receiver.of(teams), "the denial to be told", 30)
    expect(receiver.of(tool, "denied")[0].page["decisions"] ==
           [{"decision": "deny", "who": "bob", "reason": "not today"}], "who denied it")
    attachment, = receiver.of(teams)[0].page["attachments"]
    card = attachment["content"]
    expect(attachment["contentType"] == "application/vnd.microsoft.card.adaptive" and card["type"] == "AdaptiveCard"
           and card["actions"] == [{"type": "Action.OpenUrl", "title": "Show it",
                                    "url": f"https://sluice.example/requests/{request}"}], f"{card}")
    expect(len(receiver.of(slack)) == 1, "the chat is told what it does not want")

    held = Held(gateway, "/refunds/7")
    request, = people.waiting()
    expect(people.decide("approve", "bob", request) == 0, "bob may not approve")
    expect(held.end() == 200, "it was not approved")
    wait_until(lambda: receiver.of(tool, "approved"), "the approval to be told")
    expect(metric(gateway, "sluice_notification_failures_total", "tool") == 2, "attempts that failed")
    expect(metric(gateway, "sluice_notifications_delivered_total", "tool") >= 4, "deliveries")


def check_refused(gateway, people, receiver) -> None:
    """What would be refused again is given up at once, as is a redirection; who is not trusted gets nothing."""
    tool, slack = f"/tool?sig={TOKEN}", f"/slack/{TOKEN}"
    receiver.answers[slack] = [(404, {}), (302, {"Location": f"{receiver.url}/elsewhere"})]
    for path in ("/hasty", "/hasty"):
        expect(Held(gateway, path).end() == 403, "nobody decided")
    wait_until(lambda: len(of_events(gateway, "notification-given-up")) == 2, "both to be given up")
    first, second = of_events(gateway, "notification-given-up")
    expect(first["phase"] == "approval" and first["detail"] == "waiting for slack: status 404", f"{first}")
    expect(second["detail"] == "waiting for slack: status 302" and second["approval"] != first["approval"], f"{second}")
    expect(not receiver.of("/elsewhere"), "a redirection was followed")
    expect(metric(gateway, "sluice_notifications_given_up_total", "slack") == 2, "the metric")
    wait_until(lambda: len(receiver.of(tool, "expired")) == 2, "the expiry to be told")
    status = gateway.sluice("status", "--socket", gateway.admin_socket, "--json", check=True).json()
    stranger = next(one for one in status["webhooks"] if one["name"] == "stranger")
    expect("certificate" in stranger["last_error"] and stranger["delivered"] == 0 and stranger["pending"] == 2,
           f"{stranger}")
    shown = gateway.sluice("status", "--socket", gateway.admin_socket, check=True).out
    expect("webhook stranger: 0 delivered, 2 pending" in shown, shown)


def check_killed(gateway, people, receiver, away) -> None:
    """Nobody was there before the gateway was killed; both are told of behind it, in order and once."""
    held = Held(gateway, "/refunds/8")
    request, = people.waiting()
    wait_until(lambda: metric(gateway, "sluice_notifications_pending", "away") >= 1, "the notice to be kept")
    before = metric(gateway, "sluice_notifications_pending", "away")
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    held.end()
    gateway.start()
    expect(people.state(request) == "lost", "it waits without a gateway")
    away.start()
    wait_until(lambda: [one.page["event"] for one in away.deliveries if one.page["request"] == request] ==
               ["waiting", "lost"], "what was kept to arrive", 60)
    wait_until(lambda: metric(gateway, "sluice_notifications_pending", "away") == 0, "nothing to be pending", 30)
    expect(len(away.deliveries) == before + 1 == len({one.number for one in away.deliveries}), "it came twice")
    expect(all(one.is_signed_with(SECRET) for one in away.deliveries), "the signature")


def check_given_up(gateway, people, away) -> None:
    """A receiver that stays away: the limit is taken up by a reload, and what is too old is recorded."""
    away.stop()
    text = gateway.configuration.read_text()
    gateway.configuration.write_text(text.replace("give_up_after: 10m", "give_up_after: 2s"))
    gateway.sluice("reload", "-c", gateway.configuration, check=True)
    held = Held(gateway, "/refunds/9")
    request, = people.waiting()
    wait_until(lambda: any(one["approval"] == request for one in of_events(gateway, "notification-given-up")),
               "the notice to be given up", 30)
    record = next(one for one in of_events(gateway, "notification-given-up") if one["approval"] == request)
    expect(record["detail"].startswith("waiting for away: ") and "onnect" in record["detail"], f"{record}")
    expect(people.decide("approve", "bob", request) == 0 and held.end() == 200, "the operation suffers by it")


def expect_no_secrets(context, gateway, receiver, away) -> None:
    """Neither what is masked nor how receivers are reached is anywhere but where it was given."""
    planted = [CARD, SECRET, TOKEN, gateway.key]
    bodies = b"".join(one.body for one in receiver.deliveries + away.deliveries)
    pages = gateway.admin("GET", "/metrics")[1] + gateway.sluice(
        "status", "--socket", gateway.admin_socket, "--json").out + gateway.sluice(
        "check", "-c", gateway.configuration, "--json").out + gateway.sluice("check", "-c", gateway.configuration).out
    gateway.stop()
    texts = {"bodies": bodies, "pages": pages.encode(), "output": gateway.process.output().encode()}
    given = {"tool.url", "slack.url", "teams.url", "away.url", "secret"}
    for path in context.folder.rglob("*"):
        if path.is_file() and path.name not in given:
            texts[str(path)] = path.read_bytes()
    expect(any(name.endswith(".requests") for name in texts), "the journal is looked at")
    for name, text in texts.items():
        for value in planted:
            expect(value.encode() not in text, f"{value} is in {name}")


def run(context) -> None:
    receiver, away = Receiver(context, "receiver").start(), Receiver(context, "away")
    for name, url in {"tool": f"{receiver.url}/tool?sig={TOKEN}", "slack": f"{receiver.url}/slack/{TOKEN}",
                      "teams": f"{receiver.url}/teams/{TOKEN}", "away": f"{away.url}/{TOKEN}"}.items():
        (context.folder / f"{name}.url").write_text(url + "\n")
    (context.folder / "secret").write_text(SECRET)
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES, more=configuration(receiver, away, context.folder),
                      masks="\n  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}, on: both}")
    people = People(gateway)
    people.add("bob", "dba")
    gateway.start()
    check_told(gateway, people, receiver)
    check_refused(gateway, people, receiver)
    check_killed(gateway, people, receiver, away)
    check_given_up(gateway, people, away)
    expect_no_secrets(context, gateway, receiver, away)
    gateway.expect_verified()
