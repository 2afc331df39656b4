"""One source that tries too much: handshakes beyond the limit are closed, credentials beyond it are refused unseen,
and both are counted and recorded. Whoever is known goes on."""
import http.client
import ssl
import subprocess

from harness import prometheus
from harness.certificates import Authority
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.postgres import Cluster, PostgresGateway, environment, program
from harness.target import Target

WRONG = "slk_" + "A" * 43


def counted(gateway, family: str, **wanted: str) -> float:
    samples = prometheus.parse(gateway.admin("GET", "/metrics")[1])[family]["samples"]
    return sum(value for (_, labels), value in samples.items() if wanted.items() <= dict(labels).items())


def status(connection, key: str) -> int:
    connection.request("GET", "/a", headers={"Authorization": f"Bearer {key}"})
    reply = connection.getresponse()
    reply.read()
    return reply.status


def check_http(context) -> None:
    target = Target(context)
    gateway = Gateway(context, target.port, identity="failed_proofs_per_source: 5/m").start()
    known, other = (http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30) for _ in range(2))
    expect(status(known, gateway.key) == 200, "a good key")
    found = [status(other, WRONG) for _ in range(8)]
    expect(found == [401] * 5 + [429] * 3, f"wrong keys: {found}")
    expect(status(other, gateway.key) == 429, "guessing goes on")
    expect(status(known, gateway.key) == 200, "who is known is refused")
    expect(counted(gateway, "sluice_credentials_unseen_total") == 4, "the refused ones are not counted")
    # One failure is forgotten in 12 seconds.
    wait_until(lambda: status(other, gateway.key) == 200, "the source to be heard again", 40)
    gateway.stop()
    gateway.expect_verified()
    reasons = [r["reason"] for r in gateway.intents() if r.get("status") in (401, 429)]
    expect(reasons.count("too_many_failures") >= 4 and len(reasons) >= 9, f"recorded: {reasons}")


def check_postgres(context) -> None:
    gateway = PostgresGateway(context, Cluster(context), name="gw-postgres",
                              identity="failed_proofs_per_source: 3/m")
    scram = gateway.new_key("scram", "testers", "1h", "--scram")
    gateway.start()

    def connect(user: str, key: str):
        return program(environment(gateway.port, user, key), "psql", "-X", "-q", "-A", "-t", "-w", "-c", "SELECT 'in'",
                       check=False)
    expect(connect("scram", scram).stdout == "in\n", "a good key")
    for user in ("scram", "tester", "nobody"):
        expect("authentication failed" in connect(user, WRONG).stderr, f"{user}: a wrong key")
    for user, key in (("scram", scram), ("tester", gateway.key)):
        done = connect(user, key)
        expect(done.returncode == 2 and "too many logins" in done.stderr, f"{user}: {done}")
    gateway.stop()
    gateway.expect_verified()
    refused = [r["detail"] for r in gateway.records() if r.get("event") == "refused"]
    expect(len(refused) == 5 and refused.count("too_many_failures") == 2, f"recorded: {refused}")


def check_handshakes(context) -> None:
    authority = Authority(context.folder)
    pair = authority.issue("gw", "DNS:gw.test")
    gateway = Gateway(context, Target(context).port, name="gw-tls",
                      listener=f"tls: {{certificate: file:{pair[0]}, key: file:{pair[1]}, handshakes_per_source: 3/m}}"
                      ).start()
    client = ssl.create_default_context(cafile=str(authority.ca))
    client.check_hostname = False
    standing = http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=30, context=client)
    expect(status(standing, gateway.key) == 200, "the first handshake")
    for _ in range(3):
        done = subprocess.run(["curl", "-sS", "-k", "-H", f"Authorization: Bearer {gateway.key}",
                               f"https://127.0.0.1:{gateway.port}/a"], capture_output=True, text=True, timeout=60)
    expect(done.returncode != 0 and not done.stdout, f"a fourth handshake in a minute: {done}")
    expect(counted(gateway, "sluice_tls_handshakes_total", side="client", result="too-many") >= 1, "it is not counted")
    expect(status(standing, gateway.key) == 200, "who is there suffers")
    gateway.stop()
    gateway.expect_verified()
    events = [r["detail"] for r in gateway.records() if r.get("event") == "tls-client-refused"]
    expect(any("too-many" in event for event in events), f"recorded: {events}")


def run(context) -> None:
    check_http(context)
    check_postgres(context)
    check_handshakes(context)
