"""groff reads the pages that `sluice man` prints without a warning: man_test.py SLUICE."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SLUICE = sys.argv.pop(1)


def run(*words, **more) -> subprocess.CompletedProcess:
    return subprocess.run([*map(str, words)], capture_output=True, text=True, **more)


def main() -> int:
    if not shutil.which("groff"):
        print("there is no groff")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run(SLUICE, "man", "-o", folder, check=True)
        pages = sorted(folder.iterdir())
        names = {page.name for page in pages}
        assert {"sluice.1", "sluice-run.1", "sluice-policy.1", "sluice-policy-dry-run.1"} <= names, names
        for page in pages:
            read = run("groff", "-man", "-ww", "-K", "utf8", "-T", "utf8", "-P-cbou", page, check=True)
            assert not read.stderr, read.stderr
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS"):
                assert f"{section}\n" in read.stdout, (page.name, section)
        text = run("groff", "-man", "-K", "utf8", "-T", "utf8", "-P-cbou", folder / "sluice-audit.1").stdout
        assert "--ruling TEXT" in text and "One of: allow, deny, hold." in text, text
        assert "sluice audit --since 15m --ruling deny" in text, text

        # One page alone is the same page.
        assert run(SLUICE, "man", "policy", "test").stdout == (folder / "sluice-policy-test.1").read_text()
        wrong = run(SLUICE, "man", "policy", "tset")
        assert wrong.returncode == 2 and "there is no verb" in wrong.stderr, wrong
        assert run(SLUICE, "man", "-o", folder / "missing").returncode == 1
        # What man itself makes of it; mandoc, where it is, has an eye of its own.
        if shutil.which("mandoc"):
            for page in pages:
                # A date would make each build another one.
                lint = run("mandoc", "-T", "lint", "-W", "warning", page).stdout.splitlines()
                faults = [line for line in lint if "missing date" not in line]
                assert not faults, faults
    return 0


if __name__ == "__main__":
    sys.exit(main())
