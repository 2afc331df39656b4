"""People sign in at a real SAML provider and get a token that works; responses that were changed,
replayed or made up get nobody anywhere, and the log says why; the reader is another process."""
import base64
import json
import re

from harness import wire
from harness.certificates import Authority
from harness.context import expect
from harness.gateway import Gateway
from harness.processes import free_port
from harness.saml_provider import Browser, SamlProvider, make_key
from harness.target import Target

POLICIES = """
  - {name: payments may, principals: {groups: ["corp:payments"]}, ruling: allow}
"""


def run(context) -> None:
    provider = SamlProvider(context)
    target = Target(context)
    authority = Authority(context.folder)
    certificate, key = authority.issue("pages", "IP:127.0.0.1")
    port = free_port()
    own_key, own_certificate = make_key(context.folder, "gateway")
    gateway = Gateway(context, target.port, policies=POLICIES, admin=f""",
  listen: {{address: "127.0.0.1:{port}", certificate: "file:{certificate}", key: "file:{key}"}}""", identity=f"""gateway_tokens:
    key: file:{context.folder}/tokens.key
    revocations: {context.folder}/revoked
  saml:
    name: corp
    issuer: "{provider.entity}"
    sso_url: "{provider.page}"
    provider_certificates: file:{provider.certificate}
    url: "https://127.0.0.1:{port}"
    key: file:{own_key}
    certificate: file:{own_certificate}
    groups_attribute: groups
    prefix: "corp:\"""")
    gateway.sluice("key", "tokens", "--file", context.folder / "tokens.key", check=True)
    gateway.start()

    def browser() -> Browser:
        return Browser(port, authority.ca)

    status, headers, metadata = browser().request("GET", "/saml/metadata")
    expect(status == 200 and headers["Content-Type"] == "application/samlmetadata+xml", f"metadata: {status}")
    provider.start(metadata)

    def begin(one: Browser, who: str, signs: str = "assertion") -> dict[str, str]:
        found, fields, _ = one.request("GET", "/saml/login")
        expect(found == 302, f"login: {found}")
        return provider.sign_in(fields["Location"], who, signs)

    def ask(token: str):
        return wire.request(gateway.port, "GET", "/pay", [("Authorization", f"Bearer {token}")])

    # Whatever the provider signs: the token is good for who it says.
    tokens = []
    for signs in ("assertion", "response", "both"):
        one = browser()
        status, fields, page = one.request("POST", "/saml/acs", begin(one, "ann@example.com:staff,payments", signs))
        expect(status == 200 and b"You are corp:ann@example.com" in page, f"{signs}: {status} {page!r}")
        expect(fields["Cache-Control"] == "no-store", "the page with the token is kept")
        tokens.append(re.search(rb"<pre>([^<]+)</pre>", page).group(1).decode())
        expect(ask(tokens[-1]).status == 200, "the token is not good")
    one = browser()
    status, _, page = one.request("POST", "/saml/acs", begin(one, "bob@example.com:staff"))
    tokens.append(re.search(rb"<pre>([^<]+)</pre>", page).group(1).decode())
    expect(ask(tokens[-1]).status == 403, "who is not in the group is let in")

    # What is not as it was made is refused, in one way.
    def refused(one: Browser, form: dict[str, str]) -> None:
        status, _, page = one.request("POST", "/saml/acs", form)
        expect(status == 403 and b"was not accepted" in page and b"<pre>" not in page, f"{status} {page!r}")

    def changed(form: dict[str, str], old: bytes, new: bytes) -> dict[str, str]:
        text = base64.b64decode(form["SAMLResponse"])
        expect(old in text, f"no {old!r} in {text!r}")
        return form | {"SAMLResponse": base64.b64encode(text.replace(old, new)).decode()}

    one = browser()
    good = begin(one, "eve@example.com:staff")
    refused(one, changed(good, b">eve@", b">ann@"))
    refused(one, changed(good, b"eve@", b"eve@<!-- -->"))
    refused(one, changed(good, b"<samlp:Response ", b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>"
                                                    b"<samlp:Response "))
    refused(browser(), good)
    status, _, _ = one.request("POST", "/saml/acs", good)
    expect(status == 200, f"the good one is refused: {status}")
    one.cookie = ""
    refused(one, good)

    two = browser()
    form = begin(two, "ann@example.com:payments")
    cookie = two.cookie
    expect(two.request("POST", "/saml/acs", form)[0] == 200, "a good one is refused")
    two.cookie = cookie
    refused(two, form)

    metrics = gateway.admin("GET", "/metrics")[1]
    expect("sluice_saml_sign_ins_total 6" in metrics, "sign-ins are not counted")
    expect('sluice_saml_responses_refused_total{reason="wrong_digest"} 1' in metrics, "refusals are not counted")
    gateway.stop()

    records = gateway.records()
    reasons = [one["reason"] for one in records if one.get("event") == "sign-in-refused"]
    expect(len(reasons) == 6 and len(set(reasons)) == 5, f"reasons: {reasons}")
    expect("the assertion was shown before" in reasons, f"a replay is not called one: {reasons}")
    minted = [one for one in records if one.get("event") == "token-minted"]
    expect(len(minted) == 6 and all(one["proof"] == "saml" and one["issuer"] == "corp" for one in minted),
           f"minted: {minted}")
    gateway.expect_verified()

    # Neither tokens nor responses lie around.
    shown = gateway.configuration.read_text() + json.dumps(records) + gateway.process.output()
    for token in tokens:
        expect(token.split(".")[2] not in shown, "a token is in the clear")
    expect(good["SAMLResponse"][:64] not in shown, "a response is in the clear")
