"""A log that no longer adds up stops the start; the operator begins another behind it, and a
stranger sees from both what happened. The same for a key that is changed."""
import json

from harness import wire
from harness.context import expect
from harness.gateway import Gateway
from harness.target import Target


def ask(gateway, count: int) -> None:
    for _ in range(count):
        expect(wire.request(gateway.port, "GET", "/asked", [gateway.auth]).status == 200, "not answered")


def change_key(gateway, origin: str) -> None:
    (gateway.folder / "audit.key").rename(gateway.folder / f"audit.key.before-{origin}")
    gateway.verifier = gateway.sluice("key", "signing", "--file", gateway.folder / "audit.key",
                                      "--origin", origin, "--json", check=True).json()["verifier"]


def begin_epoch(gateway, reason: str) -> dict:
    return gateway.sluice("begin-epoch", "-c", gateway.configuration, "--reason", reason, "--json",
                          check=True).json()


def first_record(gateway) -> dict:
    return gateway.records()[0]


def run(context) -> None:
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port).start()
    ask(gateway, 5)
    busy = gateway.sluice("begin-epoch", "-c", gateway.configuration, "--reason", "none", "--json")
    expect(busy.code == 1 and "scenario.test already" in busy.err, f"begun under its own key: {busy.err}")
    gateway.stop()
    first_key, first_checkpoint = gateway.verifier, (gateway.audit / "checkpoint").read_text()

    expect(b"sluice-sealed-1" in (gateway.folder / "audit.signed").read_bytes(), "nothing to erase")

    segment = gateway.audit / "segment-00000001.log"
    content = bytearray(segment.read_bytes())
    content[content.index(b"/asked")] ^= 1
    segment.write_bytes(content)
    refused = gateway.sluice("run", "-c", gateway.configuration)
    expect(refused.code == 1, f"it started on a damaged log: {refused.code}")
    expect("begin-epoch" in refused.err, f"the operator is not told: {refused.err}")

    change_key(gateway, "scenario.test-2")
    begun = begin_epoch(gateway, "a byte of the first segment was changed")
    aside = gateway.folder / begun["aside"]
    expect(begun["verifier"] == gateway.verifier, f"not the new key: {begun}")
    remembered = (gateway.folder / (begun["aside"] + ".signed")).read_bytes()
    expect(b"sluice-signed-1" in remembered, "what the signer remembered is lost")
    expect(b"sluice-sealed-1" not in remembered, "the old log's sealing key is still there")
    gateway.start()
    ask(gateway, 3)
    gateway.stop()
    gateway.expect_verified()
    record = first_record(gateway)
    expect(record["phase"] == "discontinuity" and record["event"] == "epoch-began", f"first: {record}")
    expect(record["reason"] == "a byte of the first segment was changed", f"the reason: {record}")
    expect(record["result"].startswith("it does not add up: "), f"the condition: {record}")
    expect(record["detail"] == first_checkpoint, f"the old checkpoint: {record}")
    old = gateway.verify(aside, first_key)
    expect(old.code == 4, f"the old log is not as it was: {old.out}{old.err}")
    expect(bytes(content) == (aside / segment.name).read_bytes(), "the old log was changed")

    # A key whose time is over.
    change_key(gateway, "scenario.test-3")
    begun = begin_epoch(gateway, "the key is a year old")
    expect(begun["condition"].startswith("it adds up: "), f"the condition: {begun}")
    gateway.start()
    ask(gateway, 1)
    package = gateway.folder / "range.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", package, check=True)
    expect(gateway.verify(package).code == 0, "the package does not verify")
    gateway.stop()
    gateway.expect_verified()
    expect(first_record(gateway)["reason"] == "the key is a year old", "the second discontinuity")
    print(json.dumps({"aside": begun["aside"], "condition": begun["condition"]}))
