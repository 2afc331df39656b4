"""Opaque tokens of a real provider, which is asked about each: groups decide, a revoked token ends with the cache, a
provider that is away proves nobody, nobody is attacked through the gateway, and no token is seen anywhere."""
import base64
import json
import threading
import time
import urllib.parse

from harness import prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.provider import ASKING_SECRET, AUDIENCE, OPAQUE_AUDIENCE, Provider
from harness.target import Target

POLICIES = """
  - {name: settlement may, principals: {groups: [settlement]}, ruling: allow}
"""
CACHE_SECONDS = 3
INVENTED = "invented-by-somebody-"


def counted(gateway: Gateway, family: str, **wanted: str) -> int:
    samples = prometheus.parse(gateway.admin("GET", "/metrics")[1])[family]["samples"]
    return int(sum(value for (_, labels), value in samples.items() if wanted.items() <= dict(labels).items()))


def asked(gateway: Gateway) -> int:
    return counted(gateway, "sluice_introspections_total")


def change(gateway: Gateway, before: str, after: str) -> None:
    text = gateway.configuration.read_text()
    expect(before in text, f"no '{before}' in the configuration")
    gateway.configuration.write_text(text.replace(before, after))
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)


def check_outage(gateway: Gateway, provider: Provider, ask) -> None:
    """What is remembered goes on for as long as was said; nobody new comes in."""
    known, unknown = provider.token("batch", OPAQUE_AUDIENCE), provider.token("batch", OPAQUE_AUDIENCE)
    connections = [wire.Client(gateway.port) for _ in range(8)]  # of either worker
    for connection in connections:
        status = connection.request("GET", "/before", [("Authorization", f"Bearer {known}")]).status
        expect(status == 200, f"before: {status}")
    provider.stop()
    failures = counted(gateway, "sluice_introspection_failures_total")
    expect(connections[0].request("GET", "/during", [("Authorization", f"Bearer {known}")]).status == 200,
           "who is remembered is refused in the moment in which the provider is away")
    expect(ask(unknown).status == 401, "an unknown token is taken while the provider is away")
    wait_until(lambda: ask(known).status == 401, "what is remembered to be too old", CACHE_SECONDS + 3)
    expect(counted(gateway, "sluice_introspection_failures_total") > failures, "the failure is not counted")
    expect(counted(gateway, "sluice_tokens_refused_total", reason="introspection_failed") > 0, "nor is its reason")
    for connection in connections:
        connection.close()
    provider.start()
    latest = provider.token("batch", OPAQUE_AUDIENCE)
    wait_until(lambda: ask(latest).status == 200, "the provider to be asked again", 20)


def run(context) -> None:
    provider = Provider(context)
    target = Target(context)
    secret = context.folder / "secret"
    secret.write_text(ASKING_SECRET)
    gateway = Gateway(context, target.port, policies=POLICIES, workers=2,
                      identity=f"""failed_proofs_per_source: 600000/m
  oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: "{OPAQUE_AUDIENCE}"
      subject_claim: client_id
      groups_claim: groups
      ca: file:{provider.ca}
      introspection: {{client_id: gateway, client_secret: "file:{secret}", cache: {CACHE_SECONDS}s}}""").start()

    def ask(token: str, path: str = "/pay", scheme: str = "Bearer", more=()):
        return wire.request(gateway.port, "GET", path,
                            [("Host", "localhost"), ("Authorization", f"{scheme} {token}"), *more])

    # Groups decide, as they do with JWTs.
    good = provider.token("batch", OPAQUE_AUDIENCE)
    expect("." not in good, f"the provider gives no opaque tokens: {good}")
    expect(ask(good).status == 200, "a member of the group is refused")
    expect(ask(provider.token("intern", OPAQUE_AUDIENCE)).status == 403, "who is not in the group is let in")

    # What is refused is refused alike, whatever the reason.
    before = asked(gateway)
    for token in (provider.token("batch", "https://other.example/opaque"), provider.token("lost", OPAQUE_AUDIENCE),
                  INVENTED + "0"):
        reply = ask(token)
        problem = json.loads(reply.body)
        expect(reply.status == 401 and problem["detail"] == "the token was not accepted",
               f"{reply.status} {reply.body!r}")
    # A JWT says itself that it is for another audience: the provider is shown nothing.
    expect(asked(gateway) - before == 3, "not each was asked about once")
    expect(ask(provider.token("batch", AUDIENCE)).status == 401 and asked(gateway) - before == 3,
           "the provider is asked about a JWT")

    # Many show one token at once, on both workers, good or bad: few questions.
    for token, status in ((provider.token("batch", OPAQUE_AUDIENCE), 200), (INVENTED + "1", 401)):
        before = asked(gateway)
        statuses: list[int] = []

        def show() -> None:
            with wire.Client(gateway.port) as client:
                for _ in range(20):
                    statuses.append(client.request("GET", "/many", [("Authorization", f"Bearer {token}")]).status)

        threads = [threading.Thread(target=show) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        expect(statuses == [status] * 320, f"{status} expected: {sorted(set(statuses))}, {len(statuses)}")
        expect(asked(gateway) - before <= 4, f"{asked(gateway) - before} questions about one token")

    # A revoked token ends with what is remembered of it, and no later.
    expect(ask(good).status == 200, "a good token is refused")
    provider.revoke("batch", good)
    since = time.monotonic()
    wait_until(lambda: ask(good).status == 401, "the revoked token to be refused", CACHE_SECONDS + 3)
    expect(time.monotonic() - since < CACHE_SECONDS + 1, f"after {time.monotonic() - since:.1f} s")

    # One that is bound to a key needs a proof of it, each time.
    maker = provider.proof_maker()
    bound = provider.token("bound", OPAQUE_AUDIENCE, proves=maker)

    def proof() -> list[tuple[str, str]]:
        return [("DPoP", maker.proof("GET", "http://localhost/pay", bound))]
    wait_until(lambda: ask(bound, scheme="DPoP", more=proof()).status == 200, "proofs made after the start", 5)
    expect(ask(bound).status == 401 and ask(bound, scheme="DPoP").status == 401, "a bound token is taken without")

    check_outage(gateway, provider, ask)

    # A provider that does not take the gateway's secret proves nobody, and the operator learns why.
    secret.write_text("another")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    refused = provider.token("batch", OPAQUE_AUDIENCE)
    time.sleep(10)  # so long one note of a failure stands for all
    expect(ask(refused).status == 401, "the secret is not asked for")
    secret.write_text(ASKING_SECRET)
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    expect(ask(refused).status == 200, "the right secret is refused")

    # The provider is not asked more often than it may be, and who invents tokens is not heard for long.
    change(gateway, f"cache: {CACHE_SECONDS}s", f"cache: {CACHE_SECONDS}s, rate: 2/s")
    statuses = [ask(f"{INVENTED}{i}").status for i in range(2, 42)]
    expect({401, 503} == set(statuses), f"a flood: {statuses}")
    expect(counted(gateway, "sluice_introspections_refused_total") >= 10, "what is not asked is not counted")
    change(gateway, ", rate: 2/s", "")
    change(gateway, "failed_proofs_per_source: 600000/m", "failed_proofs_per_source: 5/m")
    statuses = [ask(f"{INVENTED}{i}").status for i in range(42, 82)]
    expect(statuses[-1] == 429 and statuses.count(401) <= 10, f"a flood of one source: {statuses}")

    check = gateway.sluice("check", "-c", gateway.configuration, check=True).out
    expect("asked about opaque tokens at what it publishes as gateway" in check, f"check: {check}")
    metrics = gateway.admin("GET", "/metrics")[1]
    status = gateway.sluice("status", "--socket", gateway.admin_socket, check=True).out
    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    intents = [record for record in records if record["phase"] == "intent"]
    allowed = [record for record in intents if record["ruling"] == "allow"]
    mine = next(record for record in allowed if record["subject"] == "batch")
    expect((mine["issuer"], mine["proof"], mine["groups"]) == ("corp", "introspection", ["settlement"])
           and mine["credential"].startswith("sha256:"), f"recorded: {mine}")
    expect(any(record["proof"] == "introspection+dpop" and record["subject"] == "bound" for record in allowed),
           "no proof of a key is recorded")
    reasons = {record.get("reason") for record in intents if record.get("status") == 401}
    expect({"the issuer says that the token is not active", "the token is for another audience",
            "the token has no claim of groups where the configuration expects one",
            "the issuer could not be asked about the token"} <= reasons, f"reasons: {reasons}")
    notes = [record["detail"] for record in records if record.get("event") == "introspection-failed"]
    expect(any(note.startswith("corp: https://127.0.0.1") for note in notes) and
           any("status 401" in note for note in notes), f"notes: {notes}")

    # Wherever anything is kept or sent on, neither a token nor the secret is in it.
    shown = [("check", check), ("status", status), ("metrics", metrics), ("output", gateway.process.output()),
             ("audit", json.dumps(records)), ("the target", bytes(target.received).decode("latin-1"))]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    provider.expect_no_token(shown)
    login = f"gateway:{urllib.parse.quote(ASKING_SECRET, safe='')}"
    planted = [INVENTED, ASKING_SECRET, login.split(":")[1], base64.b64encode(login.encode()).decode()]
    for name, text in shown:
        for secret_text in planted:
            expect(secret_text not in text, f"'{secret_text}' is in the clear in {name}")
