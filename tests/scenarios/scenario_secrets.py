"""Nothing sensitive at rest in clear: values planted in every corner of requests and responses
are in no record, recording, log line, status page or metric, and neither they nor the gateway's
own keys are in any file but those that they were given in."""
import base64

from harness import wire
from harness.auditor import Auditor, section
from harness.context import expect, wait_until
from harness.gateway import DENY_FORBIDDEN, Gateway
from harness.target import Target, json_reply

CARD = "5555555555554444"
CARD_SPACED = "4111 1111 1111 1111"
EMAIL = "planted.person@secret.example"
TARGET_SECRET = "target-credential-3f9a77"
CVC = "cvc-planted-918273"
HEADER = "planted-header-value-5521"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ"
OWN = "EMP-554433"
ALLOW_RECORDED = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
    record: full
"""


def run(context) -> None:
    target = Target(context, lambda request: json_reply(
        '{"card":"%s","again":"%s","mail":"%s","cvc":"%s","employee":"%s","token":"%s"}'
        % (CARD, CARD_SPACED, EMAIL, CVC, OWN, JWT), headers=[("X-Planted", HEADER)]))
    tokens_key = context.folder / "tokens.key"
    credential = context.folder / "credential"
    credential.write_text(f"Bearer {TARGET_SECRET}")
    auditor = Auditor(context)
    recordings = context.folder / "recordings"
    gateway = Gateway(context, target.port, policies=ALLOW_RECORDED + DENY_FORBIDDEN,
                      more=section(auditor, recordings),
                      identity=f"gateway_tokens: {{key: file:{tokens_key}, revocations: {context.folder}/revoked}}",
                      target=f'credential: {{header: Authorization, value: "file:{credential}"}}', masks=r"""
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}, on: both}
  - {name: mail, find: builtin:email, show: hash, on: both}
  - {name: token, find: builtin:jwt, show: redact, on: both}
  - {name: cvc, find: {json: ["$..cvc"]}, show: redact, on: both}
  - {name: employee, find: {patterns: ["EMP-[0-9]{6}"]}, show: redact, on: both}
  - {name: header, find: {headers: [X-Planted]}, show: redact, on: both}
""")
    gateway.sluice("key", "tokens", "--file", tokens_key, check=True)
    gateway.start()
    port = gateway.port
    token = gateway.sluice("token", "--socket", gateway.admin_socket, "--subject", "tester", "--group", "testers",
                           check=True).out.strip()
    planted = [*token.split("."), tokens_key.read_text().splitlines()[1],
               gateway.key, CARD, CARD_SPACED, EMAIL, TARGET_SECRET, CVC, HEADER, JWT, OWN,
               "0123456789abcdef0123456789abcdef0123456789abcdef"]
    body = (f'{{"card":"{CARD}","mail":"{EMAIL}","cvc":"{CVC}","t":"{JWT}","e":"{OWN}"}}').encode()
    headers = [gateway.auth, ("X-Planted", HEADER), ("Content-Type", "application/json"),
               ("Cookie", f"session={JWT}"), ("Referer", f"http://x/{CARD}")]
    replies = []
    for path in (f"/pay/{CARD}", f"/q?card={CARD}&mail={EMAIL}&t={JWT}&e={OWN}", f"/forbidden/{CARD}",
                 f"/q?card=%34111%31111111111%31", f"/user/{EMAIL}"):
        replies.append(wire.request(port, "POST", path, headers, body))
    replies.append(wire.request(port, "GET", f"/pay/{CARD}", [("Authorization", f"Bearer {token}")]))
    expect(replies[-1].status == 200, "the gateway's own token is refused")
    for bad in (gateway.key + "x", gateway.key[:-1], f"Basic {gateway.key}", token[:-1], f"{token}."):
        replies.append(wire.request(port, "GET", f"/pay/{CARD}", [("Authorization", f"Bearer {bad}")]))
    # Malformed on purpose, with secrets inside: the refusal must not quote them.
    for raw in (f"GET /{CARD}\x01 HTTP/1.1\r\nHost: x\r\n\r\n", f"GET /{CARD} HTTP/9.{CARD}\r\n\r\n",
                f"GET / HTTP/1.1\r\nHost: x\r\n{JWT} : {CARD}\r\n\r\n"):
        with wire.Client(port, timeout=3) as client:
            client.send(raw.encode())
            replies.append(client.read_all())

    # Clients saw masked values only.
    for reply in replies:
        text = reply.decode("latin-1") if isinstance(reply, bytes) else reply.body.decode() + str(reply.headers)
        for secret in planted:
            expect(secret not in text, f"{secret} came back to a client: {text[:400]}")
    # So did the target, where masks apply to requests; but it got its credential.
    expect(TARGET_SECRET in bytes(target.received).decode("latin-1"), "the target got no credential")
    expect(gateway.key not in bytes(target.received).decode("latin-1"), "the target saw the client's key")

    shown = [("status", gateway.admin("GET", "/v1/status")[1]), ("metrics", gateway.admin("GET", "/metrics")[1]),
             ("check", gateway.sluice("check", "-c", gateway.configuration, check=True).out),
             ("check --json", gateway.sluice("check", "-c", gateway.configuration, "--json").out)]
    is_over = lambda: "\nsluice_recordings_open 0\n" in gateway.admin("GET", "/metrics")[1]
    wait_until(is_over, "the recordings to end")
    gateway.stop()
    shown.append(("audit", gateway.sluice("audit", "--directory", gateway.audit, check=True).out))
    shown.append(("audit --json", gateway.sluice("audit", "--directory", gateway.audit, "--json").out))
    shown.append(("output", gateway.process.output()))
    for name, text in shown:
        for secret in planted:
            expect(secret not in text, f"{secret} is in the clear in: {name}")
    # Whatever there is on disk, but for what holds them by its nature.
    given = {tokens_key, credential, auditor.identity, gateway.folder / "audit.key", gateway.folder / "mask_key"}
    secrets = [secret.encode() for secret in planted] + own_keys(gateway, tokens_key, auditor)
    files = [path for path in context.folder.rglob("*") if path.is_file() and path not in given]
    for expected in (gateway.keys_file, gateway.audit / "checkpoint", gateway.folder / "audit.signed",
                     gateway.folder / "audit.requests"):
        expect(expected in files, f"{expected} was not looked at")
    for path in files:
        content = path.read_bytes()
        for secret in secrets:
            expect(secret not in content, f"{secret} is in the clear in {path}")
    # Nor do auditors see them: what is recorded was masked before.
    chunks = list(recordings.rglob("*.age"))
    expect(len(chunks) >= 5, f"{len(chunks)} chunks were recorded")
    for path in chunks:
        plain = auditor.age(path)
        expect(plain is not None and b"sluice-recording1" in plain, f"age does not open {path}")
        for secret in secrets:
            expect(secret not in plain, f"{secret} is in the recording {path}")
    gateway.expect_verified()


def own_keys(gateway, tokens_key, auditor) -> list[bytes]:
    """The gateway's and the auditor's private keys, as texts and as bytes."""
    log = (gateway.folder / "audit.key").read_text().strip().split("+", 4)[4]
    tokens = tokens_key.read_text().splitlines()[1]
    identity = next(line for line in auditor.identity.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))
    return [log.encode(), base64.b64decode(log)[1:], tokens.encode(), identity.encode()]
