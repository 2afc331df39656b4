"""The log's key lies in a process of its own: what that is given, what it is not, and what
happens when it, or the past that it remembers, goes away."""
import base64
import os
import pathlib
import shutil
import signal
import threading
import time

from harness import prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.signer import holds, is_alive, signer_of, status_of
from harness.target import Target


def check_confinement(gateway) -> None:
    pid = signer_of(gateway)
    status = status_of(pid)
    expect(status["Name"] == "sluice-signer", f"its name: {status['Name']}")
    expect(status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", f"not confined: {status}")
    expect(status["Threads"] == "1", f"threads: {status['Threads']}")
    if os.geteuid() != 0:
        return
    expect(set(status["Uid"].split()) == {"65534"}, f"not a user of its own: {status['Uid']}")
    expect(int(status["CapEff"], 16) == 0, f"it kept capabilities: {status['CapEff']}")
    files = [os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    own = [name for name in files if name.startswith(str(gateway.folder))]
    # Standard error may be a file of the one who started us.
    expect(set(own) <= {str(gateway.audit) + ".signed", os.readlink(f"/proc/{gateway.process.pid}/fd/2")},
           f"its files: {files}")
    expect(pathlib.Path(f"/proc/{pid}/environ").read_bytes() == b"", "it has an environment")
    seed = base64.b64decode((gateway.folder / "audit.key").read_text().strip().split("+", 4)[4])[1:]
    expect(len(seed) == 32 and holds(pid, seed), "the signer does not hold the key: wrong search")
    expect(not holds(gateway.process.pid, seed), "the key is in the gateway's memory")


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port).start()

    def ask() -> int:
        return wire.request(gateway.port, "GET", "/signed", [gateway.auth]).status

    def is_refused() -> bool:
        try:
            return ask() == 503
        except wire.Closed:
            return False  # What has begun when the signer ends, ends with its connection.

    expect(ask() == 200, "allowed")
    check_confinement(gateway)

    # Signals that go to all of a service's processes end the gateway first.
    signer = signer_of(gateway)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(signer, number)
    expect(ask() == 200 and is_alive(signer), "a signal ended the signer")
    gateway.stop()
    expect(not is_alive(signer), "the signer outlived its gateway")
    early = context.folder / "early"
    shutil.copytree(gateway.audit, early)

    # Without its signer the gateway lets nothing through.
    gateway.start()
    expect(ask() == 200, "allowed again")
    os.kill(signer_of(gateway), signal.SIGKILL)
    wait_until(is_refused, "traffic to stop")
    page = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    expect(page["sluice_audit_failed"]["samples"][("sluice_audit_failed", ())] == 1, "no metric")
    expect(gateway.admin("GET", "/readyz")[0] == 503, "it calls itself ready")
    wait_until(lambda: "the signer process does not answer" in gateway.process.output(), "a clear error")
    gateway.stop()

    # A gateway that is killed takes its signer along, at any moment.
    for _ in range(5):
        gateway.start()
        signer = signer_of(gateway)
        caller = threading.Thread(target=call_until_dead, args=(gateway,), daemon=True)
        caller.start()
        time.sleep(context.random.uniform(0.02, 0.2))
        gateway.process.signal(signal.SIGKILL)
        gateway.process.wait()
        wait_until(lambda pid=signer: not is_alive(pid), "the signer to end", 5)
        caller.join(10)
    gateway.start()
    expect(ask() == 200, "allowed after kills")
    gateway.stop()
    report = gateway.expect_verified()

    # An older directory is a good log by itself; the signer saw more.
    later = context.folder / "later"
    gateway.audit.rename(later)
    shutil.copytree(early, gateway.audit)
    had = gateway.expect_verified()["records"]
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 1, f"{refused.code} {refused.err}")
    for words in (f"has {had} records", f"signed {report['records']}", f"{gateway.audit}.signed"):
        expect(words in refused.err, f"no '{words}' in: {refused.err}")
    shutil.rmtree(gateway.audit)
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 1 and "has 0 records" in refused.err, f"{refused.code} {refused.err}")
    shutil.rmtree(gateway.audit)  # the start made it before it looked
    later.rename(gateway.audit)
    gateway.start()
    gateway.stop()

    check_erasing(context, target)

    # Who takes the signer's memory away starts anew, and the log says so.
    pathlib.Path(f"{gateway.audit}.signed").unlink()
    gateway.start()
    gateway.stop()
    began = [record for record in gateway.records() if record.get("event") == "signer-began"]
    expect(len(began) == 2, f"not both beginnings are in the log: {began}")
    gateway.expect_verified()


def check_erasing(context, target) -> None:
    """A sealing key that is spent is neither in the signer's memory nor in its file."""
    gateway = Gateway(context, target.port, name="sealing", audit="signer: {seal_every: 1s}").start()
    state = pathlib.Path(f"{gateway.audit}.signed")

    def seed() -> bytes:
        return state.read_bytes()[8192 + 48:8192 + 80]

    def another(before: bytes) -> bool:
        wire.request(gateway.port, "GET", "/sealed", [gateway.auth])
        return seed() != before

    seeds = [seed()]
    for _ in range(3):
        wait_until(lambda: another(seeds[-1]), "another sealing key")
        seeds.append(seed())
    expect(len(set(seeds)) == 4 and len(seeds[-1]) == 32, f"no keys: {seeds}")
    pid = signer_of(gateway)
    if os.geteuid() == 0:
        expect(not holds(gateway.process.pid, seed()), "the gateway has the sealing key")
        gateway.process.signal(signal.SIGSTOP)  # no further seal
        expect(holds(pid, seed()), "the signer does not hold its key: wrong search")
        expect(not any(holds(pid, spent) for spent in seeds if spent != seed()), "a spent key is in its memory")
        # Root's: nobody else may look at it, nor is it dumped.
        expect(os.stat(f"/proc/{pid}/environ").st_uid == 0, "the signer's memory may be looked at")
        gateway.process.signal(signal.SIGCONT)
    content = state.read_bytes()
    expect(not any(spent in content for spent in seeds if spent != seed()), "a spent key is in its file")
    gateway.stop()
    report = gateway.expect_verified()
    expect(report["seals"] >= 4 and report["seal_chains"] == 1, f"seals: {report}")


def call_until_dead(gateway) -> None:
    try:
        with wire.Client(gateway.port, timeout=5) as client:
            while True:
                client.request("GET", "/killed", [gateway.auth])
    except (OSError, wire.Closed, ValueError):
        pass
