"""Another team's host remembers the log, so that nobody can give it another past."""
import base64
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import zipfile

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target


class Witness:
    def __init__(self, context, gateway, name="w1"):
        self.context, self.gateway = context, gateway
        self.folder = context.folder / name
        self.folder.mkdir()
        self.port = free_port()
        gateway.sluice("key", "signing", "--file", self.folder / "key", "--origin", f"{name}.test", check=True)
        (self.folder / "log.vkey").write_text(gateway.verifier + "\n")
        self.start()

    def start(self) -> None:
        self.process = self.context.start([self.context.sluice, "witness", "--key", self.folder / "key", "--log",
                                           self.folder / "log.vkey", "--state", self.folder / "state", "--listen",
                                           f"127.0.0.1:{self.port}"], name="witness")
        wait_until(lambda: "witness on port" in self.process.output(), "the witness to listen")
        self.key = next(line for line in self.process.output().splitlines() if line.startswith("w1.test+"))

    def policy(self, quorum: str) -> str:
        return f"witness w1 {self.key} http://127.0.0.1:{self.port}\nquorum {quorum}\n"


def check_package(context, gateway, witness) -> None:
    """A package has the witness's word; both verifiers want it, and no other's."""
    package, script = context.folder / "package.zip", context.folder / "verify.py"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", package, check=True)
    with zipfile.ZipFile(package) as files:
        script.write_bytes(files.read("verify.py"))
        report = files.read("report.html").decode()
    expect("w1.test at 20" in report, "the report does not name the witness")
    other = gateway.sluice("key", "signing", "--file", context.folder / "other", "--origin", "w2.test", "--json",
                           check=True).json()["verifier"]
    name, _, encoded = other.split("+", 2)
    tagged = b"\4" + base64.b64decode(encoded)[1:]
    key_id = hashlib.sha256(name.encode() + b"\n" + tagged).hexdigest()[:8]
    stranger = f"{name}+{key_id}+{base64.b64encode(tagged).decode()}"

    def by_sluice(*witnesses) -> int:
        words = [word for key in witnesses for word in ("--witness", key)]
        return gateway.sluice("verify", package, "--key", gateway.verifier, *words).code

    def by_script(*witnesses) -> int:
        return subprocess.run([sys.executable, "-I", script, package, gateway.verifier, *witnesses], capture_output=True,
                              timeout=60).returncode

    specification = importlib.util.spec_from_file_location("verify", script)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    all_keys = ("", "A", "B", "C", "AB", "ABC")
    for quorum, enough in (("one", all_keys[1:]), ("both", ("AB", "ABC")), ("every", ("ABC",)), ("none", all_keys)):
        lines = ["# witness of nobody", "log KEY", *(f"witness w{key} {key} http://{key}" for key in "ABC"),
                 "group one any wA wB wC", "group both 2 wA wB", "group every all both wC", f"quorum {quorum}"]
        for keys in all_keys:
            expect(module.is_quorum([line.split() for line in lines], set(keys)) == (keys in enough),
                   f"verify.py takes {keys!r} for the quorum {quorum}, or does not")

    for by in (by_sluice, by_script):
        expect(by() == 0 and by(witness.key) == 0, f"{by.__name__} refuses the package")
        expect(by(stranger) == 4, f"{by.__name__} takes another witness's word")


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    policy = context.folder / "witness_policy"
    gateway = Gateway(context, target.port, audit=f"witness_policy: file:{policy}")
    witness = Witness(context, gateway)
    policy.write_text(witness.policy("w1"))

    def operate() -> None:
        expect(wire.request(gateway.port, "GET", "/witnessed", [gateway.auth]).status == 200, "allowed")

    def verify(*words):
        return gateway.sluice("verify", gateway.audit, "--key", gateway.verifier, *words, "--json")

    # The first start has nothing to prove; the next ones show what was there.
    gateway.start()
    operate()
    gateway.stop()
    early = context.folder / "early"
    shutil.copytree(gateway.audit, early)
    gateway.start()
    cosigned = gateway.audit / "cosigned"
    expect(cosigned.exists(), "the start was not cosigned")
    operate()
    gateway.stop()
    good = verify("--witness", witness.key)
    expect(good.code == 0 and good.json()["witnessed_records"] > 0, f"{good.out}{good.err}")
    stranger = witness.key.replace("w1.test", "w2.test")
    expect(verify("--witness", stranger).code != 0, "another witness's key passes")
    check_package(context, gateway, witness)

    # What was signed by the log's own key, but is not what the witness saw.
    text = cosigned.read_text()
    cosigned.write_text((gateway.audit / "checkpoint").read_text() + text.split("\n\n")[1].split("\n", 1)[1])
    expect(verify("--witness", witness.key).code == 4, "a moved cosignature passes")
    cosigned.write_text(text)
    expect(verify("--witness", witness.key).code == 0, "put back")

    # Rolled back to an older directory: the log is whole, but the witness saw more.
    gateway.start()
    operate()
    gateway.stop()
    later = context.folder / "later"
    gateway.audit.rename(later)
    shutil.copytree(early, gateway.audit)
    expect(verify().code == 0, "an older directory is a good log by itself")
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 1 and "rolled back" in refused.err, f"{refused.code} {refused.err}")

    # A policy that needs the witness refuses to start without it; one that does not, tells.
    shutil.rmtree(gateway.audit)
    later.rename(gateway.audit)
    witness.process.stop()
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 1 and "not enough witnesses" in refused.err, f"{refused.code} {refused.err}")
    policy.write_text(witness.policy("none"))
    gateway.start()
    operate()
    gateway.stop()
    witness.start()
    policy.write_text(witness.policy("w1"))
    gateway.start()
    operate()
    gateway.stop()
    gateway.expect_verified()
    policy.write_text("quorum nobody\n")
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 3 and "nobody" in refused.err, f"{refused.code} {refused.err}")
    witness.process.stop()
