"""Somebody who can read recordings: an identity of age, and what it opens."""
import json
import shutil
import subprocess

from harness.context import Context, expect


class Auditor:
    def __init__(self, context: Context, name: str = "auditor"):
        expect(shutil.which("age-keygen"), "no age here: scripts/install_packages.sh test")
        self.identity = context.folder / f"{name}.key"
        subprocess.run(["age-keygen", "-o", self.identity], check=True, capture_output=True, timeout=60)
        self.recipient = subprocess.run(["age-keygen", "-y", self.identity], check=True, capture_output=True,
                                        text=True, timeout=60).stdout.strip()

    def age(self, path) -> bytes | None:
        """With the program age itself; nothing when it refuses."""
        done = subprocess.run(["age", "-d", "-i", self.identity, path], capture_output=True, timeout=60)
        return done.stdout if done.returncode == 0 else None

    def replay(self, gateway, recording: str, *words) -> str:
        return gateway.sluice("replay", recording, "--identity", f"file:{self.identity}", "-c",
                              gateway.configuration, *words, check=True).out

    def events(self, gateway, recording: str, *words) -> list[dict]:
        return [json.loads(line) for line in self.replay(gateway, recording, "--json", *words).splitlines()]


def section(auditor: Auditor, folder, more: str = "") -> str:
    """Of a configuration."""
    return f"recordings: {{directory: {folder}, recipients: [{auditor.recipient}]{more}}}"


def recordings_of(records: list[dict]) -> list[str]:
    """In the order in which operations name them."""
    return list(dict.fromkeys(r["recording"] for r in records if r["phase"] == "intent" and "recording" in r))
