"""Somebody else says when the log existed: OpenSSL's own time-stamp authority, and `openssl ts -verify` agrees."""
import http.server
import json
import subprocess
import threading

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target
from scenario_evidence import Auditor, unpacked

CONFIGURATION = """
[ tsa ]
default_tsa = authority
[ authority ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
[ extensions ]
extendedKeyUsage = critical,timeStamping
[ req ]
distinguished_name = name
[ name ]
"""


class Authority:
    """`openssl ts -reply` behind a few lines of HTTP."""

    def __init__(self, context):
        self.folder = context.folder / "authority"
        self.folder.mkdir()
        self.port = free_port()
        self.answers = True
        (self.folder / "serial").write_text("01\n")
        (self.folder / "openssl.cnf").write_text(CONFIGURATION.format(folder=self.folder))
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", "/CN=Scenario TSA", "-keyout", "tsa.key", "-out", "tsa.pem", "-config", "openssl.cnf",
                     "-extensions", "extensions")
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = self.rfile.read(int(self.headers["Content-Length"]))
                expect(self.headers["Content-Type"] == "application/timestamp-query", "the query's type")
                if not authority.answers:
                    return self.send_error(503)
                (authority.folder / "query.tsq").write_bytes(query)
                authority.openssl("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query.tsq", "-out",
                                  "reply.tsr")
                reply = (authority.folder / "reply.tsr").read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def openssl(self, *words) -> int:
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, timeout=60)
        if words[1] != "-verify":
            expect(done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr}")
        return done.returncode

    def confirms(self, note: bytes, response: bytes) -> bool:
        (self.folder / "note").write_bytes(note)
        (self.folder / "response").write_bytes(response)
        return self.openssl("ts", "-verify", "-data", "note", "-in", "response", "-CAfile", "tsa.pem") == 0


def run(context) -> None:
    authority = Authority(context)
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port,
                      audit=f'timestamps: {{authority: "http://127.0.0.1:{authority.port}/tsr", every: 1s}}')
    gateway.start()
    auditor = Auditor(context, gateway)

    def events(name) -> list[dict]:
        return [record for record in gateway.records() if record.get("event") == name]

    def operate_until(condition, what):
        def step() -> bool:
            expect(wire.request(gateway.port, "GET", "/stamped", [gateway.auth]).status == 200, "allowed")
            return condition()
        wait_until(step, what)

    operate_until(lambda: len(events("timestamped")) >= 3, "three timestamps")
    authority.answers = False
    operate_until(lambda: events("timestamp-failed"), "the failure to be recorded")
    expect("503" in events("timestamp-failed")[0]["detail"], "the failure says why")

    package = context.folder / "stamped.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", package, check=True)
    files = unpacked(package)
    (auditor.folder / "verify.py").write_bytes(files["verify.py"])
    names = sorted(name.removesuffix(".tsr") for name in files if name.endswith(".tsr"))
    expect(len(names) >= 3, f"the package has {names}")
    expect(auditor.by_sluice(package, gateway.verifier) and auditor.by_script(package, gateway.verifier),
           "the package does not verify")
    for name in names:
        expect(authority.confirms(files[name + ".checkpoint"], files[name + ".tsr"]), f"openssl refuses {name}")
    first, second = names[:2]
    expect(not authority.confirms(files[first + ".checkpoint"], files[second + ".tsr"]), "openssl takes another's")

    # A range that ends before a timestamp is covered by it.
    times = [record["time"] for record in gateway.records()]
    before = context.folder / "before.zip"
    gateway.sluice("evidence", "-c", gateway.configuration, "-o", before, "--to", times[1], check=True)
    covering = json.loads(unpacked(before)["manifest.json"])
    behind = [stamped for stamped in covering["timestamps"] if stamped["log_records"] > covering["end_record"]]
    expect(len(behind) == 1 and behind[0] is covering["timestamps"][-1], f"{covering['timestamps']}")
    expect(auditor.by_sluice(before, gateway.verifier) and auditor.by_script(before, gateway.verifier),
           "the covered package does not verify")

    authority.server.shutdown()
    gateway.stop()
    gateway.expect_verified()
