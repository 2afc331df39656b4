"""`sluice top` under load: rates, latencies, what waits, and who is denied by which rule."""
import json
import subprocess

from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target

POLICIES = """
  - {name: testers may, principals: {groups: [testers]}, ruling: allow}
  - name: nothing forbidden
    operations: {http: {paths: ["/forbidden/**"]}}
    ruling: deny
  - name: refunds need a second person
    operations: {http: {methods: [POST], paths: ["/refunds"]}}
    ruling: hold
    approval: {by_groups: [dba], expires: 5m}
"""
SECONDS = 8


def load(context, gateway: Gateway, path: str, rate: int):
    """In the background, for longer than anybody looks."""
    return context.start([context.sluice, "load", f"http://127.0.0.1:{gateway.port}{path}", "-c", "4", "--quiet",
                   "--rate", rate, "-d", "10m", "-H", f"X-Api-Key: {gateway.key}"], name="load")


def lines(gateway: Gateway, count: int) -> list[dict]:
    """What it prints for so many intervals."""
    top = subprocess.Popen([gateway.context.sluice, "top", "--socket", gateway.admin_socket, "--json",
                            "--interval", "1s"], stdout=subprocess.PIPE, text=True)
    try:
        return [json.loads(top.stdout.readline()) for _ in range(count)]
    finally:
        top.terminate()
        top.wait(10)
        top.stdout.close()


def check_lines(gateway: Gateway) -> None:
    found = lines(gateway, SECONDS)
    allowed = sum(line["operations_per_second"]["allowed"] * line["seconds"] for line in found) / \
        sum(line["seconds"] for line in found)
    # A machine that is busy elsewhere sends less; what is shown is what the gateway took.
    expect(50 < allowed < 400, f"{allowed} requests were allowed in a second")
    last = found[-1]
    expect(last["held"]["waiting"] == 1, f"one request waits: {last['held']}")
    target, = last["targets"]
    expect(target["target"] == "api" and target["p99_us"] >= target["p50_us"] > 0, f"{target}")
    denied, = last["denials"]
    expect((denied["target"], denied["rule"]) == ("api", "nothing forbidden"), f"{denied}")
    expect(denied["total"] >= denied["per_second"] > 0, f"{denied}")
    expect(last["connections"]["clients"] >= 9, f"two loads and one who waits: {last['connections']}")


def check_agreement(gateway: Gateway) -> None:
    """What is denied by rule is all that is denied."""
    def agrees() -> bool:
        page = gateway.admin("GET", "/metrics")[1].splitlines()
        by_rule = sum(float(line.split()[-1]) for line in page if line.startswith("sluice_denials_total"))
        in_all = sum(float(line.split()[-1]) for line in page
                     if line.startswith("sluice_requests_total") and 'ruling="denied"' in line)
        return by_rule == in_all > 0
    wait_until(agrees, "denials by rule to be all denials")


def run(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES, workers=2).start()
    load(context, gateway, "/a", 200)
    denied = load(context, gateway, "/forbidden/a", 50)
    context.start(["curl", "-s", "-X", "POST", "-H", f"X-Api-Key: {gateway.key}",
                   f"http://127.0.0.1:{gateway.port}/refunds"])
    check_lines(gateway)
    once = gateway.sluice("top", "--socket", gateway.admin_socket, "--once", check=True).out
    expect("nothing forbidden" in once and "operations/s" in once and "\x1b" not in once, once)
    wrong = gateway.sluice("top", "--socket", gateway.admin_socket, "--interval", "5ms")
    expect(wrong.code == 2, f"an interval of 5 ms: {wrong.err}")
    denied.kill()
    check_agreement(gateway)
    expect(gateway.sluice("top", "--socket", context.folder / "none").code == 1, "there is no gateway")
