"""The gateway's own tokens, by the CLI, curl and psql: who gets one, where it is good, what the log has of
it, and that one that was taken back stays so even when the gateway is killed; keys change without
a refusal, and no token or key is seen anywhere."""
import json
import os
import subprocess

import psycopg2

from harness import wire
from harness.context import expect, wait_until
from harness.postgres import Cluster, PostgresGateway, environment, program
from harness.processes import free_port
from harness.target import Target

POLICIES = """
  - {name: testers may, principals: {groups: [testers]}, ruling: allow}
  - {name: batch may, principals: {groups: [settlement]}, ruling: allow}
"""
OK, USAGE, DENIED = 0, 2, 5


def run(context) -> None:
    cluster = Cluster(context)
    target = Target(context)
    keys = [context.folder / "tokens.key", context.folder / "tokens2.key"]
    revocations = context.folder / "revoked"
    http_port = free_port()
    identity = f"""gateway_tokens:
    key: file:{keys[0]}
    revocations: {revocations}
    max_lifetime: 2h"""
    gateway = PostgresGateway(context, cluster, policies=POLICIES, identity=identity, workers=2)
    for key in keys:
        gateway.sluice("key", "tokens", "--file", key, check=True)
        expect(key.stat().st_mode & 0o777 == 0o600, "others may read the key")
    expect(gateway.sluice("key", "tokens", "--file", keys[0]).code == 1, "a key was replaced")
    text = gateway.configuration.read_text()
    text = text.replace("listeners:\n", f"""listeners:
  - {{name: web, address: "127.0.0.1:{http_port}", protocol: http, target: web}}
""", 1).replace("targets:\n", f"""targets:
  - {{name: web, addresses: ["127.0.0.1:{target.port}"]}}
""", 1)
    gateway.configuration.write_text(text)
    gateway.start()
    tokens: list[str] = []

    def token(*arguments, env: dict | None = None) -> dict:
        done = subprocess.run([context.sluice, "token", "--socket", gateway.admin_socket, "--json", *arguments],
                              capture_output=True, text=True, timeout=60, env=os.environ | (env or {}))
        expect(done.returncode == OK, f"sluice token {arguments}: {done}")
        made = json.loads(done.stdout)
        tokens.append(made["token"])
        return made

    def refused(code: int, *arguments) -> str:
        done = gateway.sluice("token", "--socket", gateway.admin_socket, *arguments)
        expect(done.code == code and not done.out, f"sluice token {arguments}: {done.code} {done.out} {done.err}")
        return done.err

    def ask(bearer: str) -> int:
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--oauth2-bearer", bearer,
                               f"http://127.0.0.1:{http_port}/pay"], capture_output=True, text=True, timeout=60)
        return int(done.stdout)

    def query(user: str, password: str):
        return program(environment(gateway.port, user, password), "psql", "-X", "-A", "-t", "-c", "SELECT 1", check=False)

    # Who shows a credential gets a token for whom it proves: bearer, and password of psql.
    secret = context.folder / "api.key"
    secret.write_text(gateway.key + "\n")
    mine = token("--credential", f"file:{secret}")
    expect(mine["subject"] == "tester" and mine["groups"] == ["testers"], f"{mine}")
    same = token("--credential", "env:SECRET", env={"SECRET": gateway.key})
    expect(same["id"] != mine["id"], "two tokens have one id")
    expect(ask(mine["token"]) == 200 and query("tester", mine["token"]).stdout == "1\n", "a good token is refused")
    plain = gateway.sluice("token", "--socket", gateway.admin_socket, "--credential", f"file:{secret}", check=True)
    tokens.append(plain.out.strip())
    expect(plain.out.count("\n") == 1 and ask(plain.out.strip()) == 200, "stdout is not the token alone")

    # The operator's, for one target and a short time.
    batch = token("--subject", "batch", "--group", "settlement", "--for", "web", "--lifetime", "15m")
    expect(batch["target"] == "web" and ask(batch["token"]) == 200, "the target's token is refused there")
    other = query("batch", batch["token"])
    expect("authentication failed" in other.stderr, f"another target's token is taken: {other}")
    expect("authentication failed" in query("batch", mine["token"]).stderr, "another subject's token is taken")

    # What is refused says nothing that helps.
    wrong = context.folder / "wrong.key"
    wrong.write_text(gateway.key[:-1] + ("A" if gateway.key[-1] != "A" else "B"))
    mint = context.folder / "minted"
    mint.write_text(mine["token"])
    for path in (wrong, mint):
        expect("the credential was not accepted" in refused(DENIED, "--credential", f"file:{path}"), "another reason")
    refused(USAGE, "--credential", gateway.key)
    refused(USAGE)
    refused(USAGE, "--subject", "batch", "--for", "elsewhere")
    refused(USAGE, "--subject", "batch", "--lifetime", "3h")
    expect(gateway.sluice("token", "revoke", "--socket", gateway.admin_socket, "nonsense").code == USAGE, "no id")
    nobody = subprocess.run([context.sluice, "token", "--socket", gateway.admin_socket, "--subject", "batch"],
                            capture_output=True, text=True, timeout=60,
                            **({"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}))
    expect(os.geteuid() != 0 or nobody.returncode == DENIED, f"nobody: {nobody}")

    # One that is taken back is refused at once on every worker, and ends the session that it began.
    doomed = token("--subject", "batch", "--group", "settlement")
    session = psycopg2.connect(host="127.0.0.1", port=gateway.port, user="batch", password=doomed["token"],
                               dbname="shop", sslmode="disable")
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("SELECT 1")
    with wire.Client(http_port) as client:
        bearer = [("Authorization", f"Bearer {doomed['token']}")]
        expect(client.request("GET", "/pay", bearer).status == 200, "a good token is refused")
        gateway.sluice("token", "revoke", "--socket", gateway.admin_socket, doomed["id"], check=True)
        wait_until(lambda: client.request("GET", "/pay", bearer).status == 401, "the revoked token to be refused", 5)
    wait_until(lambda: all(ask(doomed["token"]) == 401 for _ in range(8)), "every worker to know", 5)
    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT 1")
        raise AssertionError("the session of a revoked token goes on")
    except psycopg2.OperationalError:
        pass
    expect(ask(mine["token"]) == 200, "another token is refused, too")

    # Killed at any instant, it still knows.
    gateway.sluice("token", "revoke", "--socket", gateway.admin_socket, same["id"], check=True)
    gateway.process.kill()
    gateway.start()
    expect(ask(same["token"]) == 401 and ask(doomed["token"]) == 401, "a revoked token is good after a kill")
    expect(ask(mine["token"]) == 200, "a good token is refused after a start")

    # The key changes, and what it signed is good until it is named no more.
    text = gateway.configuration.read_text()
    rotated = text.replace(f"key: file:{keys[0]}", f"key: file:{keys[1]}\n    previous_key: file:{keys[0]}")
    gateway.configuration.write_text(rotated)
    gateway.reload()
    newer = token("--credential", f"file:{secret}")
    expect(ask(newer["token"]) == 200 and ask(mine["token"]) == 200, "a rotation refuses somebody")
    gateway.configuration.write_text(rotated.replace(f"\n    previous_key: file:{keys[0]}", ""))
    gateway.reload()
    expect(ask(newer["token"]) == 200 and ask(mine["token"]) == 401, "the old key still proves")

    shown = [("status", gateway.admin("GET", "/v1/status")[1]), ("metrics", gateway.admin("GET", "/metrics")[1]),
             ("check", gateway.sluice("check", "-c", gateway.configuration, check=True).out),
             ("check --json", gateway.sluice("check", "-c", gateway.configuration, "--json", check=True).out)]
    counted = [line for line in shown[1][1].splitlines() if line.startswith("sluice_gateway_tokens_")]
    expect("sluice_gateway_tokens_minted_total 1" in counted, f"counted: {counted}")
    expect("tokens of the gateway" in shown[2][1], f"check: {shown[2][1]}")
    gateway.stop()
    gateway.expect_verified()
    records = gateway.records()
    minted = [r for r in records if r.get("event") == "token-minted"]
    expect(len(minted) == len(tokens), f"{len(minted)} tokens are recorded, of {len(tokens)}")
    first = next(r for r in minted if r["credential"] == mine["id"])
    expect((first["subject"], first["issuer"], first["proof"], first["groups"]) ==
           ("tester", "api_keys", "api-key", ["testers"]), f"recorded: {first}")
    expect(next(r for r in minted if r["credential"] == batch["id"])["issuer"] == "operator", f"{minted}")
    expect([r["credential"] for r in records if r.get("event") == "token-revoked"] == [doomed["id"], same["id"]],
           "the revocations are not recorded")
    expect(len([r for r in records if r.get("event") == "token-refused"]) == 4, "the refusals are not recorded")
    intents = [r for r in records if r["phase"] == "intent" and r.get("proof") == "gateway-token"]
    expect({r["protocol"] for r in intents} == {"http", "postgres"}, f"{intents}")
    used = next(r for r in intents if r["credential"] == mine["id"])
    expect((used["subject"], used["issuer"]) == ("tester", "api_keys"), f"recorded: {used}")
    expect(any(r.get("event") == "closed" and r.get("credential") == doomed["id"] and
               r["detail"] == "the credential that this session began with is no longer valid" for r in records),
           "the end of the revoked token's session is not recorded")
    reasons = {r.get("reason") for r in records} | {r.get("detail") for r in records}
    expect({"the token was revoked", "the token is for another target", "the credential is another subject's"} <= reasons,
           f"reasons: {reasons}")

    # Neither a third of a token, nor a line of a key, is anywhere.
    shown += [("audit", gateway.sluice("audit", "--directory", gateway.audit, "--json", check=True).out),
              ("output", gateway.process.output()), ("the target", bytes(target.received).decode("latin-1")),
              ("revocations", revocations.read_text())]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    secrets = [part for one in tokens for part in one.split(".")[1:]]
    secrets += [line for key in keys for line in key.read_text().splitlines() if not line.startswith("-----")]
    secrets.append(gateway.key)
    for name, text in shown:
        for planted in secrets:
            expect(planted not in text, f"{planted} is in the clear in {name}")
