"""Tokens of a real provider that are bound to a client's key: each request proves the key anew, a proof counts once on
whichever worker, and a token that is stolen opens nothing."""
import json
import threading
import time

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.provider import AUDIENCE, Provider
from harness.target import Target

POLICIES = """
  - {name: settlement may, principals: {groups: [settlement]}, ruling: allow}
"""


class Client:
    """Who has the key."""

    def __init__(self, provider: Provider, gateway: Gateway, algorithm: str = "ES256"):
        self._gateway = gateway
        self._maker = provider.proof_maker(algorithm)
        self.token = provider.token("bound", proves=self._maker)
        self.proofs: list[str] = []

    def proof(self, method: str = "GET", path: str = "/pay", origin: str = "", **claims) -> str:
        origin = origin or f"http://localhost:{self._gateway.port}"
        self.proofs.append(self._maker.proof(method, origin + path, claims.pop("token", self.token), **claims))
        return self.proofs[-1]

    def fields(self, proof: str, scheme: str = "DPoP") -> list[tuple[str, str]]:
        return [("Host", f"localhost:{self._gateway.port}"), ("Authorization", f"{scheme} {self.token}"),
                ("DPoP", proof)]

    def ask(self, proof: str, path: str = "/pay", scheme: str = "DPoP") -> int:
        return wire.request(self._gateway.port, "GET", path, self.fields(proof, scheme)).status

    def wait_for_start(self) -> None:
        """Proofs name whole seconds: one of the second in which the gateway started may be older than that."""
        wait_until(lambda: self.ask(self.proof()) == 200, "proofs that were made after the start", 5)


def check_kinds(provider: Provider, gateway: Gateway) -> None:
    for algorithm in ("RS256", "PS256", "ES384", "EdDSA"):
        one = Client(provider, gateway, algorithm)
        expect(one.ask(one.proof()) == 200, f"a proof by {algorithm} is refused")


def check_refused(client: Client, other: Client) -> None:
    def refused(what: str, proof: str, path: str = "/pay", scheme: str = "DPoP") -> None:
        status = client.ask(proof, path, scheme)
        expect(status == 401, f"{what}: {status}")

    refused("for another method", client.proof("POST"))
    refused("for another path", client.proof(path="/other"))
    refused("for another host", client.proof(origin="http://other.example"))
    refused("for another scheme", client.proof(origin="https://localhost"))
    refused("of another token", client.proof(token=other.token))
    refused("of another key", other.proof(token=client.token))
    refused("of no token", client.proof(token=""))
    refused("too old", client.proof(iat=int(time.time()) - 62))
    refused("from the future", client.proof(iat=int(time.time()) + 13))
    refused("no proof", "e30.e30.e30")
    refused("as a bearer token", client.proof(), scheme="Bearer")
    good = client.proof()
    refused("with a signature that was cut", good[:-2])
    expect(client.ask(good) == 200, "what came before made a good proof bad")


def check_replays(client: Client, gateway: Gateway) -> None:
    """Eight connections, of two workers, show each proof at once."""
    connections = [wire.Client(gateway.port) for _ in range(8)]
    for _ in range(30):
        fields = client.fields(client.proof(path="/race"))
        at_once = threading.Barrier(len(connections))
        statuses: list[int] = []

        def show(connection: wire.Client) -> None:
            at_once.wait(20)
            statuses.append(connection.request("GET", "/race", fields).status)

        threads = [threading.Thread(target=show, args=(one,)) for one in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        expect(sorted(statuses) == [200] + [401] * 7, f"one proof, eight times: {statuses}")
    for connection in connections:
        connection.close()


def run(context) -> None:
    provider = Provider(context)
    target = Target(context)
    gateway = Gateway(context, target.port, policies=POLICIES, workers=2, identity=f"""oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: "{AUDIENCE}"
      groups_claim: groups
      ca: file:{provider.ca}
  # dpop""").start()
    client, other = Client(provider, gateway), Client(provider, gateway)

    client.wait_for_start()
    for _ in range(20):
        expect(client.ask(client.proof()) == 200, "a good proof is refused")
    expect(client.ask(client.proof(path="/pay?amount=7"), "/pay?amount=8") == 200, "a query is none of its business")
    check_kinds(provider, gateway)
    check_refused(client, other)
    check_replays(client, gateway)

    # What the run before may have seen, this one does not take.
    old = client.proof()
    gateway.process.kill()
    time.sleep(1.1)
    gateway.start()
    expect(client.ask(old) == 401, "a proof outlives the memory of it")
    client.wait_for_start()

    # Where somebody else ends TLS, the operator says where clients are.
    behind = gateway.configuration.read_text().replace("# dpop", 'dpop: {origins: ["https://api.example.com"]}')
    gateway.configuration.write_text(behind)
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    expect(client.ask(client.proof(origin="https://api.example.com:443")) == 200, "the origin is not taken")
    expect(client.ask(client.proof()) == 401, "the listener's own address is taken still")

    metrics = gateway.admin("GET", "/metrics")[1]
    gateway.stop()
    gateway.expect_verified()
    intents = gateway.intents()
    allowed = [one for one in intents if one["ruling"] == "allow"]
    expect(allowed and all(one["proof"] == "oidc+dpop" and one["subject"] == "bound" for one in allowed),
           f"{allowed[:1]}")
    reasons = {one.get("reason") for one in intents if one.get("status") == 401}
    expect(len(reasons) >= 8 and "the proof of the token's key was seen before" in reasons, f"{reasons}")

    expect(all(request.header("DPoP") is None for request in target.requests), "a target sees proofs")
    shown = [("target", target.received.decode("latin-1")), ("audit", json.dumps(gateway.records())),
             ("gateway", gateway.process.output()), ("metrics", metrics)]
    provider.expect_no_token(shown)
    for name, text in shown:
        for proof in client.proofs:
            expect(proof.split(".")[1] not in text, f"a proof is in the clear in {name}")
