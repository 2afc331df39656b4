"""A gateway's control API over TLS, as people with roles call it from afar."""
import json
import os
import subprocess

from harness.certificates import Authority
from harness.context import expect
from harness.processes import free_port

ROLES = {"admin": "ops", "approver": "dba", "auditor": "audit", "viewer": "staff"}


class Remote:
    """By curl and by the CLI."""

    def __init__(self, context):
        self.authority = Authority(context.folder)
        self.context = context
        paths = self.authority.issue("gw", "DNS:localhost,IP:127.0.0.1")
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        roles = ", ".join(f"{role}: [{group}]" for role, group in ROLES.items())
        self.admin = f""", roles: {{{roles}}}, listen: {{address: "127.0.0.1:{self.port}",
  certificate: "file:{paths[0]}", key: "file:{paths[1]}"}}"""
        self.tokens = {}

    def admit(self, gateway) -> None:
        """Makes a key for each role."""
        self.tokens = {role: gateway.new_key(role, group) for role, group in ROLES.items()}

    def curl(self, role: str, path: str, *words) -> tuple[int, bytes]:
        out = self.context.folder / "curl.out"
        done = subprocess.run(["curl", "-s", "-o", out, "-w", "%{http_code}", "--cacert", self.authority.ca,
                               "--oauth2-bearer", self.tokens[role], *words, self.url + path],
                              capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, f"curl {path}: {done}")
        return int(done.stdout), out.read_bytes()

    def json(self, path: str, *words, role: str = "auditor") -> dict:
        status, body = self.curl(role, path, *words)
        expect(status == 200, f"{path}: {status} {body}")
        return json.loads(body)

    def command(self, *words) -> list:
        """Of the CLI, for this gateway; as whom it calls says environment()."""
        return [self.context.sluice, *map(str, words), "--gateway", self.url, "--ca", str(self.authority.ca)]

    def environment(self, role: str) -> dict:
        return os.environ | {"SLUICE_TOKEN": self.tokens[role]}

    def sluice(self, role: str, *words) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=60,
                              env=self.environment(role))
