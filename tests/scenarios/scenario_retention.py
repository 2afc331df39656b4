"""Old segments go, but for those under a legal hold; what is left proves itself to everybody."""
import os
import shutil
import subprocess
import time

from harness import go_judge, prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target
from scenario_evidence import Auditor, unpacked


def metric(gateway, name: str) -> float:
    return prometheus.parse(gateway.admin("GET", "/metrics")[1])[name]["samples"][(name, ())]


def fill(gateway, first: int, count: int) -> None:
    with wire.Client(gateway.port) as client:
        for number in range(first, first + count):
            client.request("GET", f"/number-{number}-/" + "x" * 3500, [gateway.auth])
            if number % 50 == 0:
                time.sleep(0.06)  # A batch of its own.


def stand_ins(gateway) -> list:
    return sorted(gateway.audit.glob("segment-*.removed"))


def says(folder, text: bytes) -> bool:
    """Whether any file of the log has it, compressed ones too. Rings are memory: they keep a while what they had."""
    for path in (path for path in folder.rglob("*") if not path.name.startswith("ring-")):
        if path.suffix == ".zst":
            if text in subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True, timeout=60).stdout:
                return True
        elif path.is_file() and text in path.read_bytes():
            return True
    return False


def run(context) -> None:
    judge = go_judge.build(context)
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, audit="segment: 1MiB\n  retention: {keep: 4s}")
    auditor = Auditor(context, gateway)
    gateway.start()
    hold = lambda *words: gateway.sluice("legal-hold", *words, "-c", gateway.configuration, "--json", check=True).json()
    expect(hold("list") == {"legal_holds": []}, "a hold that nobody made")
    fill(gateway, 0, 100)
    held = hold("add", "--reason", "case 17", "--to", "2200-01-01T00:00:00Z")
    expect(held["id"] == 1 and held["reason"] == "case 17" and held["from"] == "", f"{held}")
    expect(hold("list")["legal_holds"] == [held], "the list is another")
    kept = shutil.copy(gateway.audit / "checkpoint", context.folder / "kept")
    fill(gateway, 100, 800)
    fill(gateway, 900, 1)

    # Too old, and held.
    wait_until(lambda: metric(gateway, "sluice_audit_held_segments") >= 2, "two segments to be held")
    expect(not stand_ins(gateway) and says(gateway.audit, b"/number-50-/"), "a held segment was removed")
    expect(metric(gateway, "sluice_audit_legal_holds") == 1, "the metric of holds")
    words = gateway.sluice("legal-hold", "release", "2", "-c", gateway.configuration)
    expect(words.code == 1 and "there is no legal hold 2" in words.err, f"{words.code} {words.err}")
    expect(gateway.sluice("legal-hold", "add", "--reason", "", "-c", gateway.configuration).code == 2, "no reason")

    # Released, and gone.
    expect(hold("release", "1") == held and hold("list") == {"legal_holds": []}, "it was not released")
    wait_until(lambda: metric(gateway, "sluice_audit_removed_segments_total") >= 2, "two segments to be removed", 60)
    expect(len(stand_ins(gateway)) >= 2 and not says(gateway.audit, b"/number-50-/"), "a removed record is there")
    fill(gateway, 901, 3)
    report = gateway.expect_verified()
    expect(len(report["removals"]) >= 2 and report["removals"][0]["first_record"] == 0, f"{report}")
    expect(gateway.sluice("verify", gateway.audit, "--key", gateway.verifier, "--seen", kept).code == 0,
           "a checkpoint of what was removed is no longer proved")
    events = [record["event"] for record in gateway.records() if record["phase"] == "control"]
    expect([event for event in events if event.startswith("legal-hold")] == ["legal-hold-added", "legal-hold-released"]
           and events.count("segment-removed") >= len(report["removals"]), f"{events}")
    asked = [record["detail"] for record in gateway.records() if record.get("event", "").startswith("legal-hold")]
    expect(all(detail.startswith(f"legal hold 1 by user {os.getuid()}, from ") for detail in asked), f"{asked}")
    status = gateway.sluice("status", "-c", gateway.configuration)
    expect("retention: " in status.out, status.out)

    # An auditor gets what is there, and is told what is not.
    package = context.folder / "left.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", package, check=True)
    files = unpacked(package)
    (auditor.folder / "verify.py").write_bytes(files["verify.py"])
    for verify in (auditor.by_sluice, auditor.by_script):
        expect(verify(package, gateway.verifier), f"{verify.__name__} refuses the package")
    expect(auditor.by_ssh_keygen(files), "ssh-keygen refuses the package")
    page = files["report.html"].decode()
    expect("Retention and legal holds" in page and "segment-removed" in page, "the report says nothing of removals")
    refused = gateway.sluice("evidence", "-c", gateway.configuration, "-o", context.folder / "all.zip", "--from", "1h")
    expect(refused.code == 1 and "a range may begin behind" in refused.err, f"{refused.code} {refused.err}")

    # And the log goes on.
    gateway.process.kill()
    gateway.start()
    fill(gateway, 904, 3)
    gateway.stop()
    expect(len(gateway.expect_verified()["removals"]) >= len(report["removals"]), "removals are forgotten")
    judged = judge(gateway.audit, gateway.verifier)
    expect(judged.returncode == 0, f"Go refuses what is left: {judged.stderr}")
