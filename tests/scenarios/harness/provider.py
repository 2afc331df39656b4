"""An OpenID Connect provider (npm's oidc-provider), and the tokens that it gave."""
import base64
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import urllib.parse

from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.processes import free_port

PROVIDER = pathlib.Path(__file__).resolve().parent.parent / "provider"
AUDIENCE = "https://api.example"
OPAQUE_AUDIENCE = "https://api.example/opaque"
# The client that may ask about opaque tokens; its secret needs escapes (RFC 6749 §2.3.1).
ASKING_SECRET = "of the gateway: 100% +secret"


class Provider:
    """Runs from here on; its tokens are remembered, to be looked for."""

    def __init__(self, context, redirect: str = ""):
        """redirect: where the client `pages` has its people sent back to."""
        self.port = free_port()
        self.tokens: list[str] = []
        self._context = context
        self._folder = context.folder / "provider"
        shutil.copytree(PROVIDER, self._folder)
        done = subprocess.run(["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"],
                              cwd=self._folder, capture_output=True, text=True, timeout=300, env=os.environ)
        expect(done.returncode == 0, f"npm: {done.stdout}{done.stderr}")
        authority = Authority(self._folder)
        self.ca = authority.ca
        self._certificate = authority.issue("127.0.0.1", "IP:127.0.0.1")
        self._more = [redirect] if redirect else []
        self.start()

    def start(self) -> None:
        self._process = self._context.start(["node", self._folder / "provider.mjs", self.port, *self._certificate,
                                             *self._more],
                                            name="provider")

        def is_there() -> bool:
            try:
                return self._ask("GET", "/.well-known/openid-configuration")[0] == 200
            except OSError:
                return False
        wait_until(is_there, "the provider", 60)

    def stop(self) -> None:
        self._process.kill()

    def _ask(self, method: str, path: str, body: str = "", headers: dict | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20,
                                                 context=ssl.create_default_context(cafile=self.ca))
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()

    def control(self, what: str) -> None:
        expect(self._ask("POST", f"/control/{what}")[0] == 200, f"the provider does not {what}")

    def token(self, client: str, audience: str = AUDIENCE, proves=None) -> str:
        """proves  a ProofMaker, for a client whose tokens are bound to a key."""
        login = base64.b64encode(f"{client}:secret-of-{client}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "pay", "resource": audience})
        fields = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
        if proves:
            fields["DPoP"] = proves.proof("POST", f"https://127.0.0.1:{self.port}/token")
        status, body = self._ask("POST", "/token", form, fields)
        expect(status == 200, f"no token: {status} {body!r}")
        self.tokens.append(json.loads(body)["access_token"])
        return self.tokens[-1]

    def revoke(self, client: str, token: str) -> None:
        """RFC 7009."""
        login = base64.b64encode(f"{client}:secret-of-{client}".encode()).decode()
        status, body = self._ask("POST", "/token/revocation", urllib.parse.urlencode({"token": token}),
                                 {"Authorization": f"Basic {login}",
                                  "Content-Type": "application/x-www-form-urlencoded"})
        expect(status == 200, f"not revoked: {status} {body!r}")

    def proof_maker(self, algorithm: str = "ES256") -> "ProofMaker":
        return ProofMaker(self._context, self._folder, algorithm)

    def expect_no_token(self, shown: list[tuple[str, str]]) -> None:
        """None of its tokens is in these texts, nor a third of one."""
        for name, text in shown:
            for token in self.tokens:
                for part in token.split(".")[1:] or [token]:
                    expect(part not in text, f"a token is in the clear in {name}")


class ProofMaker:
    """A client's key, and proofs of it (RFC 9449) as npm's jose makes them."""

    def __init__(self, context, folder: pathlib.Path, algorithm: str):
        self._node = subprocess.Popen(["node", "dpop.mjs", algorithm], cwd=folder, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        context.on_exit(self.close)

    def close(self) -> None:
        self._node.kill()
        self._node.wait()

    def proof(self, method: str, url: str, token: str = "", **claims) -> str:
        what = {"htm": method, "htu": url, **({"token": token} if token else {}), **claims}
        self._node.stdin.write(json.dumps(what) + "\n")
        self._node.stdin.flush()
        proof = self._node.stdout.readline().strip()
        expect(proof.count(".") == 2, f"no proof: {proof!r}")
        return proof
