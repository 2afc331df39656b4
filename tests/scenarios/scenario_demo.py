"""`sluice demo --once` ends well, shows masked values, and leaves nothing behind."""
import os
import signal
import subprocess

from harness.context import ROOT, expect, wait_until


def check_postgres(context, temporary) -> None:
    """The script plays its part, then runs what it is given while all stays up."""
    context.folder.chmod(0o711)  # The server does not run as root.
    environment = dict(os.environ, TMPDIR=str(temporary), SLUICE=context.sluice)
    look = 'eval "$SLUICE_DEMO_PSQL -X -A -t -c \'SELECT ssn FROM people LIMIT 1\'"'
    done = subprocess.run([ROOT / "scripts/demo_postgres.sh", "sh", "-c", look], capture_output=True, text=True,
                          timeout=120, env=environment)
    expect(done.returncode == 0, f"ended with {done.returncode}: {done.stdout}{done.stderr}")
    for line in ("Ada|***-**-6789|411111******1111", "rule nothing is deleted, record ", "verified",
                 "DELETE FROM people", "\n***-**-6789\n"):
        expect(line in done.stdout, f"'{line}' is missing from:\n{done.stdout}")
    expect("123-45-6789" not in done.stdout.split("through the gateway", 1)[1], f"in clear:\n{done.stdout}")
    expect(not list(temporary.iterdir()), f"left behind: {list(temporary.iterdir())}")
    failed = subprocess.run([ROOT / "scripts/demo_postgres.sh", "sh", "-c", "exit 7"], capture_output=True,
                            timeout=120, env=environment)
    expect(failed.returncode == 7, f"the status of the command was lost: {failed}")


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
    check_postgres(context, temporary)
