"""Tokens of a real OpenID Connect provider: groups decide, keys rotate in mid-traffic without a
refused request, an outage is survived as long as it was said, and no token is seen anywhere."""
import json
import threading

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.provider import AUDIENCE, Provider
from harness.target import Target

POLICIES = """
  - {name: settlement may, principals: {groups: [settlement]}, ruling: allow}
"""


class Traffic(threading.Thread):
    """One connection that shows the newest token with each request, and must never be refused."""
    newest = ""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self._port = port
        self._stopping = threading.Event()
        self.count = 0
        self.fault = ""

    def run(self) -> None:
        try:
            with wire.Client(self._port) as client:
                while not self._stopping.is_set():
                    reply = client.request("GET", "/steady", [("Authorization", f"Bearer {Traffic.newest}")])
                    expect(reply.status == 200, f"status {reply.status} {reply.body!r}")
                    self.count += 1
        except Exception as fault:
            self.fault = repr(fault)

    def finish(self) -> None:
        self._stopping.set()
        self.join(20)
        expect(not self.fault, f"refused after {self.count} requests: {self.fault}")


def run(context) -> None:
    provider = Provider(context)
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES, workers=2, identity=f"""oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: "{AUDIENCE}"
      groups_claim: groups
      keys_refresh: 10s
      keys_max_age: 15s
      # ca""").start()

    def ask(token: str, path: str = "/pay"):
        return wire.request(gateway.port, "GET", path, [("Authorization", f"Bearer {token}")])

    def issuer() -> dict:
        return json.loads(gateway.admin("GET", "/v1/status")[1])["issuers"][0]

    # A provider whose certificate nobody vouches for is not believed.
    good = provider.token("batch")
    expect(ask(good).status == 401 and "certificate" in issuer()["last_error"], f"issuer: {issuer()}")
    trusting = gateway.configuration.read_text().replace("# ca", f"ca: file:{provider.ca}")
    gateway.configuration.write_text(trusting)
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)

    # Groups decide; what is refused is refused alike, whatever the reason.
    expect(ask(good).status == 200, "a member of the group is refused")
    expect(ask(provider.token("intern")).status == 403, "who is not in the group is let in")
    forged = good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]
    provider.tokens.append(forged)
    refusals = [ask(provider.token("batch", "https://other.example")), ask(provider.token("lost")), ask(forged),
                ask(good.rsplit(".", 1)[0] + "."), ask("eyJhbGciOiJub25lIn0.e30.")]
    for reply in refusals:
        problem = json.loads(reply.body)
        problem.pop("record")
        expect(reply.status == 401 and problem["detail"] == "the token was not accepted",
               f"{reply.status} {reply.body!r}")

    # A key that is published in the moment in which it signs: nobody is refused for it.
    Traffic.newest = good
    traffic = [Traffic(gateway.port) for _ in range(8)]
    for thread in traffic:
        thread.start()
    for _ in range(3 if context.full else 1):
        wait_until(lambda: issuer()["age_seconds"] > 5.5, "the pause between two questions to be over", 20)
        provider.control("rotate")
        Traffic.newest = provider.token("batch")
        seen = [thread.count for thread in traffic]
        wait_until(lambda: all(thread.fault or thread.count > count + 20 for thread, count in zip(traffic, seen)),
                   "traffic with the new key")
    for thread in traffic:
        thread.finish()
    expect(ask(good).status == 200, "the old key is still published, and its token refused")

    # A key that is withdrawn proves nothing once the gateway knows.
    provider.control("withdraw")
    wait_until(lambda: ask(good).status == 401, "the withdrawn key to be forgotten", 20)
    unused = provider.token("batch")

    # The provider is away: its keys stay for as long as was said, and no longer.
    fetched = issuer()["fetches"]
    provider.stop()
    expect(ask(unused).status == 200, "a token that was never seen is refused while the provider is away")
    wait_until(lambda: issuer()["failures"] > 0 and issuer()["fetches"] > fetched, "a fetch to fail", 20)
    expect(ask(unused).status == 200, "one failed fetch is enough to be refused")
    wait_until(lambda: ask(unused).status == 401, "the keys to be too old", 20)
    expect(issuer()["last_error"] != "", "the failure is not told")
    status = gateway.sluice("status", "--socket", gateway.admin_socket, check=True).out
    expect("issuer corp" in status and "cannot be fetched" in status, f"status: {status}")
    metrics = gateway.admin("GET", "/metrics")[1]
    for reason in ("wrong_audience", "bad_signature", "unsigned_token", "no_groups", "keys_too_old", "unknown_key"):
        line = next(line for line in metrics.splitlines()
                    if line.startswith(f'sluice_tokens_refused_total{{reason="{reason}"}}'))
        expect(int(line.split()[-1]) >= 1, line)
    shown = [("status", status), ("metrics", metrics),
             ("check", gateway.sluice("check", "-c", gateway.configuration, check=True).out)]
    expect("tokens of corp" in shown[-1][1], f"check: {shown[-1][1]}")

    # It is back, with other keys.
    provider.start()
    latest = provider.token("batch")
    wait_until(lambda: ask(latest).status == 200, "the provider's new keys to be fetched", 70)

    gateway.stop()
    gateway.expect_verified()
    intents = gateway.intents()
    mine = next(record for record in intents if record["ruling"] == "allow")
    expect((mine["subject"], mine["issuer"], mine["proof"], mine["groups"]) ==
           ("batch", "corp", "oidc", ["settlement"]) and mine["credential"], f"recorded: {mine}")
    reasons = {record.get("reason") for record in intents if record.get("status") == 401}
    expect({"the token is for another audience", "the token's signature does not hold", "the token is not signed",
            "the issuer's keys could not be fetched for too long"} <= reasons, f"reasons: {reasons}")
    events = [record.get("event") for record in gateway.records() if record["phase"] == "control"]
    expect("issuer-keys" in events and "issuer-keys-failed" in events, f"events: {events}")

    # Wherever anything is kept or sent on, no token is in it, nor a third of one.
    shown += [("audit", gateway.sluice("audit", "--directory", gateway.audit, "--json", check=True).out),
              ("output", gateway.process.output()), ("the target", bytes(target.received).decode("latin-1"))]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    provider.expect_no_token(shown)
    expect(all("authorization" not in line.lower() for line in shown[5][1].splitlines()),
           "the target got an Authorization field")
