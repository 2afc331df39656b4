"""`sluice demo --once` ends well, shows masked values, and leaves nothing behind."""
import os
import signal
import subprocess

from harness.context import expect, wait_until


def run(context) -> None:
    temporary = context.folder / "tmp"
    temporary.mkdir()
    environment = dict(os.environ, TMPDIR=str(temporary))
    done = subprocess.run([context.sluice, "demo", "--once"], capture_output=True, text=True,
                          timeout=60, env=environment)
    expect(done.returncode == 0, f"ended with {done.returncode}: {done.stdout}{done.stderr}")
    for line in ("4111 11** **** 1111", "the API never saw the request", "`sluice verify` on the log: verified",
                 "one bit flipped in a copy: rejected"):
        expect(line in done.stdout, f"'{line}' is missing from:\n{done.stdout}")
    expect(not list(temporary.iterdir()), f"left behind: {list(temporary.iterdir())}")

    # Without --once it stays up, serves the line that it prints, and ends on SIGTERM.
    os.environ["TMPDIR"] = str(temporary)
    try:
        demo = context.start([context.sluice, "demo"], name="demo")
    finally:
        del os.environ["TMPDIR"]
    wait_until(lambda: "Ctrl-C ends it" in demo.output(), "the demo's invitation", 20)
    command = next(line for line in demo.output().splitlines() if line.strip().startswith("curl -H"))
    got = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=20)
    expect("4111 11** **** 1111" in got.stdout, f"{command}: {got.stdout}{got.stderr}")
    demo.signal(signal.SIGTERM)
    expect(demo.wait(20) == 0, f"the demo ended with {demo.status()}")
    expect(not list(temporary.iterdir()), f"left behind: {list(temporary.iterdir())}")
