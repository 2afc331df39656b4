"""The log's key in a PKCS#11 token (SoftHSM) and as a credential of systemd: what is signed,
what others make of it, and what a start says when the token cannot be used."""
import os
import pathlib
import shutil
import signal
import subprocess
import zipfile

from harness import go_judge, prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.signer import holds, signer_of, status_of
from harness.target import Target

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
ORIGIN = "token.test/audit"
PIN = "a-long-secret-of-a-token"


class Token:
    """In a folder of its own, given to the user that the signer becomes."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder / "token"
        (self.folder / "tokens").mkdir(parents=True)
        self.conf = self.folder / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\n")
        self.pin = folder / "pin"
        self.write_pin(PIN)
        self.run("softhsm2-util", "--init-token", "--free", "--label", "sluice", "--pin", PIN, "--so-pin", "0815")
        key = self.folder / "key.pem"
        self.run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
        self.seed = subprocess.run(["openssl", "pkey", "-in", key, "-outform", "DER"], check=True,
                                   capture_output=True).stdout[-32:]
        self.run("softhsm2-util", "--import", key, "--token", "sluice", "--label", "audit", "--id", "01",
                 "--pin", PIN)
        key.unlink()
        if os.geteuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, "nobody", "nogroup")

    def write_pin(self, pin: str) -> None:
        self.pin.write_text(pin + "\n")
        self.pin.chmod(0o600)

    def run(self, *words) -> None:
        subprocess.run([str(word) for word in words], check=True, capture_output=True,
                       env={**os.environ, "SOFTHSM2_CONF": str(self.conf)})

    def settings(self, *, uri="pkcs11:token=sluice;object=audit", module=MODULE, origin=ORIGIN) -> str:
        return (f'signing_key: "{uri}"\n'
                f"  token: {{module: {module}, pin: file:{self.pin}, origin: {origin}, "
                f"environment: [SOFTHSM2_CONF={self.conf}]}}")


def check_token(context, target) -> None:
    gateway = Gateway(context, target.port, name="token")
    for folder in (context.folder, gateway.folder):
        folder.chmod(0o711)  # so that the signer's user reaches its token
    token = Token(gateway.folder)
    gateway.sign_with(token.settings())
    expect(gateway.sluice("check", "-c", gateway.configuration).code == 0, "the check")
    gateway.start()

    def ask() -> int:
        return wire.request(gateway.port, "GET", "/token", [gateway.auth]).status

    for _ in range(20):
        expect(ask() == 200, "allowed")
    signer = signer_of(gateway)
    status = status_of(signer)
    expect(status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", f"not confined: {status}")
    expect(pathlib.Path(f"/proc/{signer}/environ").read_bytes() == b"", "it has an environment")
    if os.geteuid() == 0:
        expect(set(status["Uid"].split()) == {"65534"}, f"not a user of its own: {status['Uid']}")
        expect(holds(signer, str(token.conf).encode()), "the signer does not know its token: wrong search")
        for secret in (PIN.encode(), token.seed):
            expect(not holds(gateway.process.pid, secret), "the gateway has the key, or what opens it")
    gateway.stop()
    gateway.verifier = (gateway.audit / "verifier.pub").read_text().strip()
    expect(gateway.verifier.startswith(ORIGIN + "+"), gateway.verifier)
    gateway.start()  # the same key, and the same secrets that are derived from it
    expect(ask() == 200, "allowed again")
    gateway.stop()
    gateway.expect_verified()
    check_by_others(context, gateway)

    # A token that is pulled out stops what is to be recorded, and says so.
    gateway.start()
    expect(ask() == 200, "allowed a third time")
    kept = token.folder / "kept"
    (token.folder / "tokens").rename(kept)
    wait_until(lambda: ask() == 503, "traffic to stop")
    page = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    expect(page["sluice_audit_failed"]["samples"][("sluice_audit_failed", ())] == 1, "no metric")
    wait_until(lambda: "the token 'sluice' cannot" in gateway.process.output(), "a clear error")
    kept.rename(token.folder / "tokens")
    gateway.process.signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.start()
    expect(ask() == 200, "allowed once it is back")
    gateway.stop()
    gateway.expect_verified()
    check_refusals(gateway, token)


def check_by_others(context, gateway) -> None:
    """Who has only the public key."""
    verdict = go_judge.build(context)(gateway.audit, gateway.verifier)
    expect(verdict.returncode == 0, f"Go refuses it: {verdict.stderr}")
    package = gateway.folder / "token.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", package, check=True)
    gateway.sluice("verify", package, "--key", gateway.verifier, check=True)
    with zipfile.ZipFile(package) as archive:
        archive.extract("verify.py", gateway.folder)
    verdict = subprocess.run(["/usr/bin/python3", "verify.py", package, gateway.verifier],
                             capture_output=True, text=True, cwd=gateway.folder)
    expect(verdict.returncode == 0, f"verify.py refuses it: {verdict.stdout}{verdict.stderr}")
    digests = [gateway.sluice("key", "operations", "-c", gateway.configuration, check=True).out for _ in range(2)]
    expect(len(digests[0]) == 129 and digests[0] == digests[1], f"the digests' key: {digests}")


def check_refusals(gateway, token) -> None:
    """Each with what to do: 3 where the configuration is at fault, 1 where the world is."""
    def refusal(code: int, *words: str, **changed) -> None:
        gateway.sign_with(token.settings(**changed))
        refused = gateway.sluice("run", "-c", gateway.configuration)
        expect(refused.code == code, f"{refused.code} {refused.err}")
        for word in words:
            expect(word in refused.err, f"no '{word}' in: {refused.err}")
        expect(gateway.sluice("check", "-c", gateway.configuration).code == 3, "the check is content")

    refusal(1, "cannot load /nowhere.so", "name the shared library", module="/nowhere.so")
    refusal(1, "no token in", "it shows: 'sluice'", uri="pkcs11:token=absent;object=audit")
    refusal(1, "holds no Ed25519 private key", "pkcs11-tool", uri="pkcs11:token=sluice;object=absent")
    refusal(3, "names no key", uri="pkcs11:token=sluice")
    refusal(3, "named in audit.token", uri="pkcs11:token=sluice;object=audit?pin-value=1")
    refusal(3, "is no log origin", origin="a+b")
    token.write_pin("1111")
    refusal(1, "audit.token.pin: the token 'sluice' refuses it", "Correct the file")
    token.pin.chmod(0o644)
    refusal(1, "may be read by others (mode 0644)")
    token.pin.unlink()
    refusal(1, "does not exist; put it there with mode 0600")
    token.write_pin(PIN)


def check_credential(context, target) -> None:
    """As the service manager hands it over."""
    gateway = Gateway(context, target.port, name="credential")
    credentials = gateway.folder / "credentials"
    credentials.mkdir()
    (gateway.folder / "audit.key").rename(credentials / "audit.key")
    (credentials / "audit.key").chmod(0o400)
    gateway.sign_with("signing_key: cred:audit.key")
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 3 and "systemd passed no credentials" in refused.err, refused.err)
    gateway.start(env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)})
    expect(wire.request(gateway.port, "GET", "/", [gateway.auth]).status == 200, "allowed")
    gateway.stop()
    gateway.expect_verified()


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    check_credential(context, target)
    check_token(context, target)
