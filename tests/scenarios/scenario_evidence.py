"""An auditor gets one file, and three verifiers agree on it: ours, the script inside, and ssh-keygen."""
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import ALLOW_ALL, Gateway
from harness.target import Target


def unpacked(path) -> dict:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(path, files: dict):
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return path


class Auditor:
    """Has the package and the key, and nothing of the gateway's but its program."""

    def __init__(self, context, gateway):
        self.gateway = gateway
        self.folder = context.folder / "auditor"
        self.folder.mkdir()
        expect(shutil.which("ssh-keygen"), "no ssh-keygen here: scripts/install_packages.sh test")

    def by_sluice(self, package, key) -> bool:
        answer = self.gateway.sluice("verify", package, "--key", key, "--json")
        expect(answer.code in (0, 4), f"sluice verify: {answer.code} {answer.err}")
        return answer.code == 0 and answer.json()["ok"]

    def by_script(self, package, *words) -> bool:
        """With the script that lies in a package which is known to be good."""
        script = self.folder / "verify.py"
        answer = subprocess.run([sys.executable, "-I", script, package, *words], capture_output=True, text=True,
                                timeout=60)
        expect(answer.returncode in (0, 4), f"verify.py: {answer.stdout}{answer.stderr}")
        return answer.returncode == 0

    def by_ssh_keygen(self, files: dict) -> bool:
        signers, signature = self.folder / "signers", self.folder / "signature"
        signers.write_bytes(files["allowed_signers"])
        signature.write_bytes(files["manifest.json.sig"])
        answer = subprocess.run(["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "scenario.test", "-n",
                                 "sluice-evidence", "-s", signature], input=files["manifest.json"],
                                capture_output=True, timeout=60)
        return answer.returncode == 0


def policy_of(files: dict) -> str:
    return sorted(name for name in files if name.startswith("policies/"))[0]


def check_encrypted(context, gateway, auditor) -> None:
    """Debian's age opens what is encrypted to its identities, and nobody else's does."""
    expect(shutil.which("age"), "no age here: scripts/install_packages.sh test")
    identities = [auditor.folder / name for name in ("ann", "bob", "stranger")]
    recipients = []
    for identity in identities:
        subprocess.run(["age-keygen", "-o", identity], check=True, capture_output=True)
        recipients.append(subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True,
                                         text=True).stdout.strip())
    sealed, opened = context.folder / "sealed.zip.age", context.folder / "opened.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", sealed, "--encrypt-to", recipients[0], "--encrypt-to",
                   recipients[1], check=True)
    expect(not list(context.folder.glob("sealed.zip.age?*")), "something of the package is left beside it")
    for identity in identities[:2]:
        subprocess.run(["age", "-d", "-i", identity, "-o", opened, sealed], check=True, capture_output=True)
        expect(auditor.by_sluice(opened, gateway.verifier), f"what {identity.name} opened does not verify")
    stranger = subprocess.run(["age", "-d", "-i", identities[2], sealed], capture_output=True)
    expect(stranger.returncode != 0 and not stranger.stdout, "a stranger opens the package")
    wrong = recipients[0][:-1] + ("q" if recipients[0][-1] != "q" else "p")
    refused = gateway.sluice("evidence", "-c", gateway.configuration, "-o", context.folder / "x.zip", "--encrypt-to", wrong)
    expect(refused.code == 2 and "--encrypt-to" in refused.err, f"{refused.code} {refused.err}")


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, workers=2, audit="heartbeat: 1s")
    other = gateway.new_key("other", "testers")
    gateway.start()
    auditor = Auditor(context, gateway)
    for number in range(30):
        auth = gateway.auth if number % 3 else ("Authorization", f"Bearer {other}")
        expect(wire.request(gateway.port, "GET", f"/evidence/{number}", [auth]).status == 200, "allowed")
    expect(wire.request(gateway.port, "GET", "/forbidden/it", [gateway.auth]).status == 403, "denied")
    wait_until(lambda: len(gateway.intents()) == 31, "the records to be in segments")
    wait_until(lambda: sum(record["phase"] == "heartbeat" for record in gateway.records()) >= 2, "two heartbeats")

    def make(name, *words):
        path = context.folder / name
        gateway.sluice("evidence", "-c", gateway.configuration, "-o", path, *words, check=True)
        return path

    # While the gateway runs: the whole log, a range of it, and what one principal did.
    whole = make("whole.zip")
    files = unpacked(whole)
    (auditor.folder / "verify.py").write_bytes(files["verify.py"])
    for package in (whole, make("range.zip", "--from", "1h"), make("empty.zip", "--from", "2h", "--to", "1h"),
                    make("other.zip", "--principal", "other")):
        for verify in (auditor.by_sluice, auditor.by_script):
            expect(verify(package, gateway.verifier), f"{verify.__name__} refuses {package.name}")
        expect(auditor.by_ssh_keygen(unpacked(package)), f"ssh-keygen refuses {package.name}")
    shown = unpacked(context.folder / "other.zip")
    expect(json.loads(shown["manifest.json"])["records_shown"] == 20, "other did ten operations, of two records")
    expect(b"/evidence/27" in shown["records.cbor"], "an operation of other's is not shown")
    expect(b"/evidence/28" not in shown["records.cbor"], "an operation of somebody else is shown")
    report = files["report.html"].decode()
    policy = files[policy_of(files)].decode()
    in_force = json.loads(policy)["configuration"]
    expect([rule["name"] for rule in in_force["policies"]] == ["testers may everything", "nothing forbidden"],
           f"{in_force['policies']}")
    expect(gateway.key not in policy and "#" not in policy, "the policy holds a secret or a comment")
    for words in ("/forbidden/it", "That path is closed.", "other", "state held elsewhere", "Longest silence"):
        expect(words in report, f"the report does not say {words!r}")

    stranger = gateway.sluice("key", "signing", "--file", gateway.folder / "stranger.key", "--origin",
                              "scenario.test", "--json", check=True).json()["verifier"]
    expect(not auditor.by_sluice(whole, stranger) and not auditor.by_script(whole, stranger),
           "the package passes for one of another key")

    # Each policy that records were judged by goes with them.
    gateway.write(ALLOW_ALL)
    gateway.sluice("reload", "-c", gateway.configuration, check=True)
    expect(wire.request(gateway.port, "GET", "/forbidden/it", [gateway.auth]).status == 200, "allowed now")
    wait_until(lambda: len(gateway.intents()) == 32, "the record to be in a segment")
    both = unpacked(make("both.zip"))
    expect(sum(name.startswith("policies/") for name in both) == 2, f"{sorted(both)}")

    # Who has the key of digests knows what ran, and nobody else.
    key = gateway.sluice("key", "operations", "--file", gateway.folder / "audit.key", check=True).out
    digest = hashlib.sha256(bytes.fromhex(key) + b"GET\0/evidence/27").hexdigest()
    expect([record["resource"] for record in gateway.intents() if record["digest"] == digest] == ["/evidence/27"],
           "the digest is not of the operation")

    # One session's records, of all there are.
    def ends() -> list[dict]:
        return [record for record in gateway.records() if record.get("event") == "closed"]
    wait_until(lambda: len(ends()) == 32, "each session's end")
    closed = ends()
    expect(all(record["operations"] == 1 for record in closed), f"{closed[:2]}")
    one = make("session.zip", "--session", closed[0]["session"])
    expect(json.loads(unpacked(one)["manifest.json"])["records_shown"] == closed[0]["last_sequence"] -
           closed[0]["first_sequence"] + 2, "a session's records are its own and its end")
    expect(auditor.by_sluice(one, gateway.verifier) and auditor.by_script(one, gateway.verifier), "a session's package")

    check_encrypted(context, gateway, auditor)
    refused = gateway.sluice("evidence", "-c", gateway.configuration, "-o", whole)
    expect(refused.code == 1 and "exists already" in refused.err, f"{refused.code} {refused.err}")
    refused = gateway.sluice("evidence", "-c", gateway.configuration, "-o", context.folder / "x.zip",
                             "--from", "1h", "--to", "2h")
    expect(refused.code == 2, f"a range that ends before it begins: {refused.code}")
    gateway.stop()
    gateway.expect_verified()
