"""People sign in with a real provider, by a browser on this host and by a code on another device, and get tokens of
the gateway's own: they work as bearer, are renewed, are had for one target, survive the provider's change of keys;
whoever refuses, or comes back with somebody else's answer, gets none; and only the person can read what is kept."""
import json
import pathlib
import subprocess
import urllib.parse

from harness import wire
from harness.certificates import Authority
from harness.context import expect
from harness.gateway import Gateway
from harness.processes import free_port
from harness.provider import Provider
from harness.sign_in import Browser, Login, environment
from harness.target import Target

POLICIES = """
  - {name: staff may, principals: {groups: [staff]}, ruling: allow}
"""
OK, FAILED, USAGE, DENIED = 0, 1, 2, 5


def run(context) -> None:
    provider = Provider(context)
    target = Target(context)
    authority = Authority(context.folder)
    certificate, key = authority.issue("gw", "DNS:localhost")
    number = free_port()
    url = f"https://localhost:{number}"
    home = context.folder / "home"
    home.mkdir()
    gateway = Gateway(context, target.port, policies=POLICIES, workers=2, identity=f"""gateway_tokens:
    key: file:{context.folder}/tokens.key
    lifetime: 1m
    revocations: {context.folder}/revoked
  oidc:
    - name: corp
      issuer: "https://127.0.0.1:{provider.port}"
      audience: sluice
      groups_claim: groups
      untyped: true
      ca: "file:{provider.ca}"
      login: {{client_id: sluice, scopes: [openid, offline_access]}}""", admin=f""", roles: {{viewer: [staff]}},
  listen: {{address: "127.0.0.1:{number}", certificate: "file:{certificate}", key: "file:{key}"}}""")
    gateway.sluice("key", "tokens", "--file", context.folder / "tokens.key", check=True)
    gateway.start()

    def login(*words) -> Login:
        return Login(context, url, authority.ca, provider.ca, home, *words)

    def sluice(*words) -> subprocess.CompletedProcess:
        return subprocess.run([context.sluice, *words, "--gateway", url, "--ca", str(authority.ca)], text=True,
                              capture_output=True, timeout=60, env=environment(home))

    def ask(token: str) -> int:
        return wire.request(gateway.port, "GET", "/pay", [("Authorization", f"Bearer {token}")]).status

    def stored() -> pathlib.Path:
        return home / ".local/state/sluice/logins" / f"localhost_{number}.json"

    by_browser = r"open (https://\S+/auth\S+)"
    by_device = r"or open (https://\S+)"
    nobody = sluice("status")
    expect(nobody.returncode == DENIED and "sluice login" in nobody.stderr, f"nobody is logged in: {nobody}")

    # Whoever refuses gets nothing, and nothing is kept.
    provider.control("refuse")
    waiting = login()
    Browser(provider.ca).open(waiting.url(by_browser))
    code, _, said = waiting.end()
    expect(code == DENIED and "access_denied" in said, f"refused: {code} {said}")
    waiting = login("--device")
    Browser(provider.ca).enter_code(waiting.url(by_device))
    code, _, said = waiting.end()
    expect(code == DENIED and "access_denied" in said, f"refused on the device: {code} {said}")
    expect(not stored().exists(), "a refused login is kept")
    provider.control("agree")

    # By a browser. An answer with another state is not believed, and does not end it.
    waiting = login("--lifetime", "1h")
    place = waiting.url(by_browser)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)
    expect(query["code_challenge_method"] == ["S256"] and query["nonce"] and query["state"], f"{query}")
    status, _, page = Browser(provider.ca).open(f"{query['redirect_uri'][0]}?code=stolen&state=guessed")
    expect(status == 400, f"somebody else's answer is believed: {status} {page}")
    _, _, page = Browser(provider.ca).open(place)
    expect("You are signed in" in page, page)
    code, out, said = waiting.end()
    expect(code == OK and "logged in as ann" in out, f"by a browser: {code} {out} {said}")
    expect(stored().stat().st_mode & 0o777 == 0o600, "others may read the login")
    expect(stored().parent.stat().st_mode & 0o777 == 0o700, "others may look into the folder")
    first = sluice("token").stdout.strip()
    expect(ask(first) == 200, "the token is no bearer")
    listed = sluice("sessions", "--json")
    expect(listed.returncode == OK, f"verbs do not take the login: {listed}")

    # One for a target, and none for what is none; the provider's keys change meanwhile.
    provider.control("rotate")
    bound = sluice("token", "--for", "api", "--json")
    expect(bound.returncode == OK, f"for a target: {bound}")
    expect(ask(json.loads(bound.stdout)["token"]) == 200, "it is not good for its target")
    expect(sluice("token", "--for", "nowhere").returncode != OK, "a token for no target")
    other = subprocess.run([context.sluice, "status", "--gateway", url, "--ca", str(authority.ca), "--token", "env:T"],
                           capture_output=True, text=True, timeout=60,
                           env=environment(home) | {"T": json.loads(bound.stdout)["token"]})
    expect(other.returncode == DENIED, f"a token for a target calls the API: {other}")

    # By a device; then what is stored expires, and is renewed.
    waiting = login("--device")
    page = Browser(provider.ca).enter_code(waiting.url(by_device))
    code, out, said = waiting.end()
    expect(code == OK, f"by a device: {code} {out} {said} {page[:500]}")
    short = sluice("token").stdout.strip()
    expect(short != first and ask(short) == 200, "the device's token")
    login_file = json.loads(stored().read_text())
    login_file["expires"] = "2026-01-01T00:00:00Z"
    stored().write_text(json.dumps(login_file))
    renewed = sluice("token")
    expect(renewed.returncode == OK and renewed.stdout.strip() != short and ask(renewed.stdout.strip()) == 200,
           f"not renewed: {renewed}")
    login_file = json.loads(stored().read_text())
    stored().write_text(json.dumps(login_file | {"expires": "2026-01-01T00:00:00Z", "refresh": "gone"}))
    lapsed = sluice("token")
    expect(lapsed.returncode == DENIED and "sluice login" in lapsed.stderr, f"a refresh token of nobody's: {lapsed}")
    stored().chmod(0o640)
    expect(sluice("token").returncode == DENIED, "a login that others may read")

    expect(login("--provider", "other").end()[0] == USAGE, "a provider of another name")
    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    minted = [one for one in records if one.get("event") == "token-minted"]
    expect(len(minted) >= 4 and all(one["subject"] == "ann" and one["proof"] == "oidc" for one in minted), f"{minted}")
    shown = json.dumps(records)
    expect(not any(part in shown for part in first.split(".")[1:]), "a token is in the log")
