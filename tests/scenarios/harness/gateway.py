"""A real gateway on a free port, with keys and a configuration of its own."""
import http.client
import json
import pathlib
import shutil
import socket
import subprocess

from harness.context import Context, expect, wait_until
from harness.processes import free_port

ALLOW_ALL = """
  - name: testers may everything
    principals: {groups: [testers]}
    ruling: allow
"""
DENY_FORBIDDEN = """
  - name: nothing forbidden
    operations: {http: {paths: ["/forbidden/**"]}}
    ruling: deny
    reason: That path is closed.
"""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path):
        super().__init__("localhost", timeout=30)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Gateway:
    """Files are written at once; start() runs it."""

    def __init__(self, context: Context, target_ports, *, name="gw", policies=ALLOW_ALL + DENY_FORBIDDEN,
                 masks="", protocol="http", listener="", target="", identity="",
                 audit="", workers=1, buffers="32MiB", admin="", more=""):
        self.context = context
        self.folder = context.folder / name
        self.folder.mkdir()
        self.port = free_port()
        self.admin_socket = self.folder / "admin.sock"
        self.audit = self.folder / "audit"
        self.keys_file = self.folder / "api_keys.yaml"
        self.revoked_keys = self.folder / "revoked_keys"
        self.configuration = self.folder / "sluice.yaml"
        self.process = None
        ports = [target_ports] if isinstance(target_ports, int) else target_ports
        self._parts = {"addresses": ", ".join(f"127.0.0.1:{port}" for port in ports),
                       "masks": masks, "protocol": protocol, "listener": listener, "target": target,
                       "identity": identity, "audit": audit, "admin": admin, "workers": workers, "buffers": buffers,
                       "more": more, "signing_key": f"signing_key: file:{self.folder}/audit.key"}
        self.verifier = self.sluice("key", "signing", "--file", self.folder / "audit.key", "--origin",
                                    "scenario.test", "--json", check=True).json()["verifier"]
        self.key = self.new_key("tester", "testers")
        (self.folder / "mask_key").write_text("0123456789abcdef0123456789abcdef0123456789abcdef")
        self.write(policies)

    def write(self, policies: str) -> None:
        """(Re)writes the configuration with these rules."""
        self._policies = policies
        parts = self._parts
        masks = f"masks:{parts['masks']}\nmask_key: file:{self.folder}/mask_key" if parts["masks"] else ""
        self.configuration.write_text(f"""version: 1
listeners:
  - name: main
    address: 127.0.0.1:{self.port}
    protocol: {parts['protocol']}
    target: api
    {parts['listener']}
targets:
  - name: api
    addresses: [{parts['addresses']}]
    {parts['target']}
identity:
  api_keys: file:{self.keys_file}
  revoked_keys: {self.revoked_keys}
  {parts['identity']}
policies:{policies}
{masks}
audit:
  directory: {self.audit}
  {parts['signing_key']}
  {parts['audit']}
admin: {{socket: {self.admin_socket}{parts['admin']}}}
workers: {{count: {parts['workers']}, pin: false, connections: 2048, buffers: {parts['buffers']}}}
{parts['more']}
""")

    def sign_with(self, signing_key: str) -> None:
        """Rewrites the configuration with another `signing_key`, and what belongs to it."""
        self._parts["signing_key"] = signing_key
        self.write(self._policies)

    def new_key(self, subject: str, group: str, expires: str = "1h", *more: str) -> str:
        return self.sluice("key", "new", "--subject", subject, "--group", group, "--expires", expires, *more,
                           "--append-to", self.keys_file, "--json", check=True).json()["secret"]

    @property
    def auth(self) -> tuple[str, str]:
        return ("Authorization", f"Bearer {self.key}")

    def start(self, *, ready_seconds: float = 20.0, env: dict[str, str] | None = None) -> "Gateway":
        self.process = self.context.start([self.context.sluice, "run", "-c", self.configuration],
                                          name="sluice", env=env)
        def is_ready() -> bool:
            expect(self.process.status() is None, f"the gateway ended: {self.process.output()}")
            try:
                return self.admin("GET", "/readyz")[0] == 200
            except OSError:
                return False
        wait_until(is_ready, "the gateway to be ready", ready_seconds)
        return self

    def stop(self) -> None:
        status = self.process.stop()
        expect(status == 0, f"the gateway ended with {status}: {self.process.output()}")

    def begin_another_past(self) -> None:
        """As someone who has the host may: the next start knows nothing of the log, nor does the signer."""
        shutil.rmtree(self.audit)
        pathlib.Path(f"{self.audit}.signed").unlink()

    def admin(self, method: str, path: str) -> tuple[int, str]:
        connection = _UnixConnection(self.admin_socket)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def sluice(self, *arguments, check: bool = False) -> "Outcome":
        """Runs a verb to its end."""
        done = subprocess.run([self.context.sluice, *map(str, arguments)], capture_output=True,
                              text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"sluice {' '.join(map(str, arguments))}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return Outcome(done.returncode, done.stdout, done.stderr)

    def verify(self, directory=None, key=None) -> "Outcome":
        return self.sluice("verify", directory or self.audit, "--key", key or self.verifier, "--json")

    def expect_verified(self) -> dict:
        outcome = self.verify()
        expect(outcome.code == 0, f"the log does not verify: {outcome.out}{outcome.err}")
        return outcome.json()

    def records(self, *filters) -> list[dict]:
        outcome = self.sluice("audit", "--directory", self.audit, "--json", *filters, check=True)
        return [json.loads(line) for line in outcome.out.splitlines()]

    def intents(self) -> list[dict]:
        return [record for record in self.records() if record["phase"] == "intent"]


class Outcome:
    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    def json(self) -> dict:
        return json.loads(self.out)
