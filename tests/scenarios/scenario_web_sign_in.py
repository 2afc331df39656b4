"""People sign in with a browser on the control API's port, at a real provider: the page at the end shows a token that is
good. A refusal, an answer to another browser's question, one that is shown twice and another host's name end in no token,
with the reason in the log alone."""
import json
import re
import urllib.parse

from harness import wire
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.provider import Provider
from harness.sign_in import Browser
from harness.target import Target

POLICIES = """
  - {name: staff may, principals: {groups: ["corp:staff"]}, ruling: allow}
"""


def run(context) -> None:
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    provider = Provider(context, redirect=f"{url}/login/corp/back")
    target = Target(context)
    authority = Authority(context.folder)
    certificate, key = authority.issue("pages", "IP:127.0.0.1,DNS:localhost")
    trusted = context.folder / "trusted.pem"
    trusted.write_text(authority.ca.read_text() + provider.ca.read_text())
    gateway = Gateway(context, target.port, policies=POLICIES, admin=f""",
  listen: {{address: "127.0.0.1:{port}", certificate: "file:{certificate}", key: "file:{key}"}}""", identity=f"""gateway_tokens:
    key: file:{context.folder}/tokens.key
    revocations: {context.folder}/revoked
  oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: pages
      groups_claim: groups
      untyped: true
      prefix: "corp:"
      ca: "file:{provider.ca}"
      login: {{client_id: pages}}""")
    gateway.sluice("key", "tokens", "--file", context.folder / "tokens.key", check=True)
    gateway.start()
    ends = []

    class Careful(Browser):
        """Remembers where it was sent last."""

        def open(self, where: str, form: dict | None = None) -> tuple[int, str, str]:
            done = super().open(where, form)
            ends.append(done[1])
            return done

    def ask(token: str) -> int:
        return wire.request(gateway.port, "GET", "/pay", [("Authorization", f"Bearer {token}")]).status

    # From the list of ways to a token.
    browser = Careful(trusted)
    status, _, page = browser.open(f"{url}/login")
    way = re.search(r'<a href="([^"]+)">Sign in with corp</a>', page)
    expect(status == 200 and way is not None, f"the list: {status} {page}")
    tokens = []
    for _ in range(2):
        status, where, page = browser.open(url + way.group(1))
        expect(status == 200 and "You are corp:ann" in page, f"signed in: {status} {where} {page}")
        tokens.append(re.search(r"<pre>([^<]+)</pre>", page).group(1))
        expect(ask(tokens[-1]) == 200, "the token is not good")

    # In the moment in which the provider signs with another key, if it was not asked for its keys just now.
    wait_until(lambda: json.loads(gateway.admin("GET", "/v1/status")[1])["issuers"][0]["age_seconds"] > 5.5,
               "the pause between two questions to be over", 20)
    provider.control("rotate")
    status, _, page = Careful(trusted).open(f"{url}/login/corp")
    expect(status == 200 and "You are corp:ann" in page, f"another key: {status} {page}")
    tokens.append(re.search(r"<pre>([^<]+)</pre>", page).group(1))

    # The same answer once more, in that browser, in another, and with what somebody guessed.
    def refused(one: Browser, where: str) -> None:
        status, _, page = one.open(where)
        expect(status == 403 and "was not accepted" in page and "<pre>" not in page, f"{where}: {status} {page}")

    answer = ends[-1]
    expect("code=" in answer and "state=" in answer, f"where it ended: {answer}")
    refused(browser, answer)
    refused(Careful(trusted), answer)
    guessed = urllib.parse.urlsplit(answer)._replace(query="code=guessed&state=guessed").geturl()
    refused(browser, guessed)

    # Who refuses at the provider's; who comes by a name of the gateway's that the provider does not know.
    provider.control("refuse")
    refused(Careful(trusted), f"{url}/login/corp")
    provider.control("agree")
    status, where, _ = Careful(trusted).open(f"https://localhost:{port}/login/corp")
    expect(status == 400 and f":{provider.port}/" in where, f"a redirect that nobody registered: {status} {where}")
    expect(Careful(trusted).open(f"{url}/login/other")[0] == 404, "a provider of another name")

    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    reasons = [one["reason"] for one in records if one.get("event") == "sign-in-refused"]
    expect(len(reasons) == 4 and "access_denied" in reasons and "the browser is another one" in reasons, f"{reasons}")
    minted = [one for one in records if one.get("event") == "token-minted"]
    expect(len(minted) == 3 and all((one["proof"], one["issuer"], one["subject"]) == ("oidc", "corp", "corp:ann")
                                    for one in minted), f"minted: {minted}")
    shown = json.dumps(records) + gateway.process.output()
    for token in tokens:
        expect(not any(part in shown for part in token.split(".")[1:]), "a token is in the clear")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer).query)["code"][0]
    expect(code not in shown, "a code is in the clear")
