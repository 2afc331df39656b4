"""A verifier of logs that shares no code with Sluice: Go's transparency log packages."""
import os
import shutil
import subprocess

from harness.context import ROOT, expect


def build(context):
    """The judge, compiled against Debian's packages alone: no module, no network."""
    program = context.folder / "go_verify"
    expect(shutil.which("go"), "no Go here: scripts/install_packages.sh test")
    sources = sorted((ROOT / "tests/audit/go_verify").glob("*.go"))
    subprocess.run(["go", "build", "-o", program, *sources],
                   check=True, timeout=200, cwd=context.folder,
                   env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "",
                        "GOPATH": "/usr/share/gocode", "GOCACHE": str(context.folder / "go-cache")})
    return lambda *words: subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
