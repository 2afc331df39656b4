"""Who decides on what waits for people."""
import json
import os
import subprocess

from harness.context import expect, wait_until


class People:
    """Who decides, by the CLI."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.keys = {"tester": gateway.key}

    def add(self, name: str, group: str) -> None:
        self.keys[name] = self.gateway.new_key(name, group)

    def run(self, who: str | None, *words: str) -> subprocess.CompletedProcess:
        env = {key: value for key, value in os.environ.items() if key != "SLUICE_CREDENTIAL"}
        if who is not None:
            env["SLUICE_CREDENTIAL"] = self.keys.get(who, who)
        return subprocess.run([self.gateway.context.sluice, *words, "--socket", str(self.gateway.admin_socket)],
                              env=env, capture_output=True, text=True, timeout=60)

    def decide(self, verb: str, who: str | None, request: str, *words: str) -> int:
        return self.run(who, verb, request, *words).returncode

    def requests(self, state: str = "") -> list[dict]:
        done = self.run(None, "requests", "--json", *(["--state", state] if state else []))
        expect(done.returncode == 0, f"requests: {done.stderr}")
        return json.loads(done.stdout)["requests"]

    def show(self, request: str) -> dict:
        done = self.run(None, "requests", request, "--json")
        expect(done.returncode == 0, f"requests {request}: {done.stderr}")
        return json.loads(done.stdout)

    def state(self, request: str) -> str:
        return self.show(request)["state"]

    def waiting(self, count: int = 1) -> list[str]:
        wait_until(lambda: len(self.requests("waiting")) == count, f"{count} to wait", 60)
        return [one["id"] for one in self.requests("waiting")]
