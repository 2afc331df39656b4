"""Versions of the policy by the control API: listed, compared with each other and with rules that somebody sends, and
tried on what was recorded; it says what the same verbs say on the host. Nothing that is sent makes the gateway read
anything, and nothing that it says has a secret."""
import json
import os

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import ALLOW_ALL, DENY_FORBIDDEN, Gateway
from harness.remote import Remote
from harness.target import Target
from scenario_policy import PATHS, STRICTER

PLANTED = "planted-secret-0451"
MASKS = """
  - {name: pan, find: builtin:payment-card, show: hash}
"""


def check_no_secret(gateway, remote, pages: list[str]) -> None:
    secrets = [PLANTED, gateway.key, (gateway.folder / "mask_key").read_text(), *remote.tokens.values(),
               *(line for line in (gateway.folder / "audit.key").read_text().split() if len(line) > 20)]
    for page in pages:
        for secret in secrets:
            expect(secret not in page, f"a secret is shown: {secret[:12]}… in {page[:200]}")
        expect("target-credential" in page and "mask_key" in page, "it has no references either")


def check_reads_nothing(context, gateway, remote) -> None:
    """A pipe that nobody writes to would hold up whoever reads it."""
    pipe = context.folder / "pipe"
    os.mkfifo(pipe)
    rule = "policies: [{name: x, ruling: allow}]\n"
    for rules, words in (
            (f"{rule}mask_key: file:{pipe}", "unknown key 'mask_key'"),
            (f"{rule}targets: [{{name: t, addresses: ['a:1'], credential: {{header: A, value: 'file:{pipe}'}}}}]", "'targets'"),
            (f"{rule}identity: {{api_keys: 'file:{pipe}'}}", "'identity'"),
            (f"{rule}audit: {{signing_key: 'file:{pipe}'}}", "'audit'"),
            (f"{rule}recordings: {{directory: /tmp, recipients: []}}", "'recordings'"),
            ("policies: [{name: '${env:PATH}', ruling: allow}]", "no variable 'PATH'"),
            ("policies: [{name: '${file:/etc/passwd}', ruling: allow}]", "${env:NAME}"),
            ("{}", "empty"), ("policies: &a [*a]", "rules:"), ("policies: !!python/object x", "rules:"), ("{", "rules:"), ("[]", "rules:"),
            (rule.replace("allow", "allow, targets: [nowhere]"), "unknown target 'nowhere'")):
        for what in ("diff", "dry-run"):
            status, body = remote.curl("admin", f"/v1/policy/{what}", "--json", json.dumps({"rules": rules}))
            expect(status == 422 and words in json.loads(body)["detail"], f"{what} {rules!r}: {status} {body}")
            expect(os.environ["PATH"] not in body.decode(), f"a variable is told: {body}")
    for version in ("0" * 64, "..", "../../audit.key", "current\0", "0" * 63):
        status, body = remote.curl("admin", "/v1/policy/diff", "--json", json.dumps({"after": version}))
        expect(status in (400, 404), f"{version!r}: {status} {body}")
    for path in ("..%2F..%2Faudit.key", "%2Fetc%2Fpasswd", "0" * 64):
        expect(remote.curl("auditor", f"/v1/policy/versions/{path}", "--path-as-is")[0] == 404, path)


def run(context) -> None:
    target = Target(context)
    remote = Remote(context)
    credential = context.folder / "target-credential"
    credential.write_text(PLANTED)
    gateway = Gateway(context, target.port, policies=ALLOW_ALL + DENY_FORBIDDEN, masks=MASKS, admin=remote.admin,
                      target=f'credential: {{header: X-Target-Key, value: "file:{credential}"}}')
    remote.admit(gateway)
    gateway.start()
    for method, path in PATHS:
        wire.request(gateway.port, method, path, [gateway.auth])
    old = gateway.folder / "old.yaml"
    old.write_text(gateway.configuration.read_text())
    gateway.write(STRICTER)
    new = gateway.configuration

    # What is sent is compared with what is in force, and judged, as on the host.
    def afar(*words) -> dict:
        done = remote.sluice("admin", "policy", *words, "--json")
        expect(done.returncode == 0, f"policy {words}: {done}")
        return json.loads(done.stdout)
    here = gateway.sluice("policy", "diff", old, new, "--json", check=True).json()
    expect(afar("diff", "current", new) == here and len(here["changes"]) == 2, f"diff: {here}")
    expect(afar("diff", "current", old) == {"changes": []}, "the same is the same")
    here = gateway.sluice("policy", "dry-run", "-c", new, "--json", check=True).json()
    there = afar("dry-run", "-c", new)
    expect(there == here and here["changed"] == 2 and here["judged"] == len(PATHS), f"dry run: {here} {there}")
    expect(afar("dry-run", "-c", new, "--principal", "nobody")["judged"] == 0, "nobody's")
    expect(afar("dry-run", "-c", new, "--until", "2020-01-01T00:00:00Z")["judged"] == 0, "of before")
    text = remote.sluice("admin", "policy", "dry-run", "-c", new).stdout
    expect("2 would be ruled otherwise" in text and "default-deny" in text, text)
    text = remote.sluice("admin", "policy", "diff", "current", new).stdout
    expect('removed policies "testers may everything"' in text, text)
    expect(remote.sluice("auditor", "policy", "dry-run", "-c", new).returncode == 5, "an auditor's rules are compiled")
    expect(gateway.sluice("policy", "dry-run", "-c", new, "--digest", "0" * 64).code == 2, "no gateway, no digest")
    check_reads_nothing(context, gateway, remote)

    # Both were in force; one is, now.
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    page = remote.json("/v1/policy/versions")
    digests = [one["digest"] for one in page["versions"]]
    expect(len(digests) == 2 and page["current"] == digests[0], f"{page}")
    # The newest record may not be in a committed batch yet.
    wait_until(lambda: list(dict.fromkeys(one["policy"] for one in gateway.records() if "policy" in one)) == digests[::-1],
               "records to name both")
    changes = afar("diff", digests[1], "current")["changes"]
    expect([one["change"] for one in changes] == ["removed", "added"], f"{changes}")
    expect(afar("diff", "current", digests[1])["changes"][0]["change"] != "", "the other way round")
    expect(afar("dry-run", "--digest", digests[1])["changed"] == 0, "as it was ruled")
    expect(afar("dry-run", "--digest", "current")["changed"] == 2, "as it would be now")
    check_no_secret(gateway, remote, [gateway.admin("GET", "/v1/policy")[1],
                                      *(json.dumps(remote.json(f"/v1/policy/versions/{one}")) for one in digests)])
    expect(gateway.admin("GET", "/readyz")[0] == 200, "it is not ready any more")
    gateway.stop()
    gateway.expect_verified()
