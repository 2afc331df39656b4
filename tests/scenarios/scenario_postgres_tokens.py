"""Tokens of a real OpenID Connect provider as passwords of psql: groups decide, a session lasts no
longer than what proved it, and no token is seen anywhere."""
import psycopg2

from harness.context import expect, wait_until
from harness.postgres import Cluster, PostgresGateway, environment, program, psql
from harness.provider import AUDIENCE, Provider

POLICIES = """
  - {name: testers may, principals: {groups: [testers]}, ruling: allow}
  - {name: settlement reads, principals: {groups: [settlement]}, ruling: allow, operations: {sql: {classes: [select]}}}
"""


def issuer(provider: Provider, name: str = "corp") -> str:
    return f"""oidc:
    - name: {name}
      issuer: "https://127.0.0.1:{provider.port}"
      audience: "{AUDIENCE}"
      groups_claim: groups
      ca: file:{provider.ca}
      keys_refresh: 10s"""


def run(context) -> None:
    provider = Provider(context)
    cluster = Cluster(context)
    gateway = PostgresGateway(context, cluster, policies=POLICIES, identity=issuer(provider)).start()

    def ask(user: str, token: str, statement: str = "SELECT 1"):
        return program(environment(gateway.port, user, token), "psql", "-X", "-A", "-t", "-c", statement, check=False)

    def session(token: str):
        connection = psycopg2.connect(host="127.0.0.1", port=gateway.port, user="batch", password=token,
                                      dbname="shop", sslmode="disable")
        connection.autocommit = True
        return connection

    def expect_sent_away(connection, what: str) -> None:
        def is_sent_away() -> bool:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            except psycopg2.OperationalError:
                return True
            return False
        wait_until(is_sent_away, what, 20)

    # The user is the token's subject, and its groups decide.
    good = provider.token("batch")
    expect(psql(environment(gateway.port, "batch", good), "SELECT current_user", database="shop") == "app", "not in")
    denied = ask("batch", good, "CREATE TABLE t ()")
    expect("refused the statement" in denied.stderr, f"denied: {denied}")
    expect(gateway.psql("SELECT 2") == "2", "a key is refused where tokens are taken")

    # What is refused is refused alike.
    forged = good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]
    provider.tokens.append(forged)
    for user, token in (("batch", forged), ("intern", good), ("tester", good), ("nobody", good),
                        ("batch", good.rsplit(".", 1)[0] + "."), ("batch", provider.token("batch", "https://x.example")),
                        ("batch", "eyJhbGciOiJub25lIn0.e30."), ("batch", "eyJ" + "A" * 16_000 + ".e30.x")):
        done = ask(user, token)
        expect(done.returncode == 2 and f'FATAL:  authentication failed for user "{user}"' in done.stderr,
               f"{user} by {token[:20]}: {done}")
    expect("a password was expected" in ask("batch", "eyJ" + "A" * 17_000 + ".e30.x").stderr, "a token without end")

    # A key that is published in the moment in which it signs.
    old = session(good)
    wait_until(lambda: '"age_seconds":' in gateway.admin("GET", "/v1/status")[1], "keys")
    provider.control("rotate")
    newer = provider.token("batch")
    wait_until(lambda: ask("batch", newer).returncode == 0, "the new key to be taken up", 20)

    # Who showed its token once is sent away when the key that signed it is withdrawn.
    young = session(newer)
    provider.control("withdraw")
    expect_sent_away(old, "the session of a withdrawn key")
    with young.cursor() as cursor:
        cursor.execute("SELECT 3")
        expect(cursor.fetchone() == (3,), "the session of a key that is still there")

    # Likewise when its issuer is not what it was.
    gateway.configuration.write_text(gateway.configuration.read_text().replace("name: corp", "name: other"))
    gateway.reload()
    expect_sent_away(young, "the session of an issuer that is no more")

    shown = [("status", gateway.admin("GET", "/v1/status")[1]), ("metrics", gateway.admin("GET", "/metrics")[1])]
    expect('sluice_tokens_refused_total{reason="bad_signature"} ' in shown[-1][1], "no metric")
    gateway.stop()
    records = gateway.expect_complete()
    opened = next(r for r in records if r.get("event") == "opened" and r["subject"] == "batch")
    intent = next(r for r in records if r["phase"] == "intent" and r["subject"] == "batch")
    for record in (opened, intent):
        expect((record["issuer"], record["proof"], record["groups"]) == ("corp", "oidc", ["settlement"])
               and record["credential"], f"recorded: {record}")
    ends = [record["detail"] for record in records if record.get("event") == "closed" and record["subject"] == "batch"]
    expect(ends.count("the credential that this session began with is no longer valid") == 2, f"ends: {ends}")
    reasons = {record["detail"] for record in records if record.get("event") == "refused"}
    expect({"the token's signature does not hold", "the credential is another subject's", "the token is not signed",
            "the token is for another audience"} <= reasons, f"reasons: {reasons}")
    shown += [("audit", gateway.sluice("audit", "--directory", gateway.audit, "--json", check=True).out),
              ("output", gateway.process.output())]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    provider.expect_no_token(shown)
