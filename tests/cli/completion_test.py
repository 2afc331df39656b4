"""Real shells run the scripts that `sluice completion` prints: completion_test.py SLUICE.

bash is everywhere; zsh and fish are asked where they are.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SLUICE = sys.argv.pop(1)

# A command line, of which the last word is under way → what it may become.
CASES = [
    (["pol"], ["policy"]),
    (["policy", ""], ["diff", "dry-run", "test"]),
    (["audit", "--ruling", "d"], ["deny"]),
    (["audit", "--ruling", ""], ["allow", "deny", "hold"]),
    (["audit", "--dir"], ["--directory"]),
    (["verify", "gat"], ["gateway.vkey"]),
    (["check", "-c", "conf"], ["conf file.yaml"]),
    (["tiles", "-o", "fold"], ["folder"]),
    # A value is no verb, though it has the name of one.
    (["token", "--for", "revoke", "--life"], ["--lifetime"]),
    (["token", "revoke", "--sock"], ["--socket"]),
    (["key", "re"], ["revoke"]),
    (["key", "list", "--gate"], ["--gateway"]),
    (["kill", "4be3"], []),
    (["kill", "4be3", "--rea"], ["--reason"]),
    (["completion", "f"], ["fish"]),
]


def script(shell: str) -> str:
    return subprocess.run([SLUICE, "completion", shell], check=True, capture_output=True, text=True).stdout


def bash(words: list[str], completion: pathlib.Path) -> list[str]:
    program = """source "$1"; shift
        COMP_WORDS=(sluice "$@") COMP_CWORD=$#
        _sluice && printf '%s\\n' "${COMPREPLY[@]}\""""
    done = subprocess.run(["bash", "--norc", "-euc", program, "bash", completion, *words],
                          capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    return sorted(filter(None, done.stdout.split("\n")))


def bash_cuts_at_equals(completion: pathlib.Path) -> None:
    assert bash(["audit", "--ruling", "="], completion) == ["allow", "deny", "hold"]
    assert bash(["audit", "--ruling", "=", "a"], completion) == ["allow"]
    assert bash(["audit", "--ruling", "=", "allow", "--fol"], completion) == ["--follow"]


def fish(words: list[str], completion: pathlib.Path) -> list[str]:
    line = "sluice " + " ".join(words)
    done = subprocess.run(["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", completion, line],
                          capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    found = [one.split("\t")[0].replace("\\ ", " ").rstrip("/") for one in done.stdout.splitlines()]
    return sorted(found)


class Zsh:
    """An interactive zsh on a terminal of its own, since only its line editor completes."""

    def __init__(self, folder: pathlib.Path) -> None:
        functions = folder / "functions"
        functions.mkdir()
        (functions / "_sluice").write_text(script("zsh"))
        settings = folder / "settings"
        settings.mkdir()
        (settings / ".zshrc").write_text(f"""
            PS1='ready> '; unsetopt beep prompt_sp
            fpath=({functions} $fpath); autoload -U compinit; compinit -u -d {settings}/dump
            """)
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.environ.update(ZDOTDIR=str(settings), TERM="dumb", COLUMNS="200")
            os.chdir(folder)
            os.execvp("zsh", ["zsh", "-d", "-i"])
        self._said("ready> ")

    def _said(self, pattern: str, seconds: float = 120) -> re.Match:
        text, deadline = "", time.monotonic() + seconds
        while not (found := re.search(pattern, text)):
            assert time.monotonic() < deadline, f"zsh says only {text!r}"
            if select.select([self._terminal], [], [], 0.2)[0]:
                text += os.read(self._terminal, 65536).decode(errors="replace")
        return found

    def completed(self, words: list[str]) -> str:
        """The line after Tab, which completes it where there is one way to."""
        # Then the line becomes a text that is printed and not run.
        os.write(self._terminal, f"sluice {' '.join(words)}\t\x01print -r -- '<\x05>'\r".encode())
        return self._said(r"\n<(sluice [^>]*)>")[1].rstrip(" /")

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


def check_zsh(folder: pathlib.Path) -> None:
    zsh = Zsh(folder)
    try:
        for words, expected in CASES:
            if len(expected) == 1 and " " not in expected[0]:
                line = " ".join(["sluice", *words[:-1], expected[0]])
                found = zsh.completed(words)
                assert found == line, (words, found)
    finally:
        zsh.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chdir(folder)
        (folder / "gateway.vkey").touch()
        (folder / "conf file.yaml").touch()
        (folder / "folder").mkdir()
        (folder / "folder.txt").touch()
        for shell, complete in (("bash", bash), ("fish", fish)):
            if not shutil.which(shell):
                print(f"there is no {shell}: left out")
                continue
            completion = folder / f"completion.{shell}"
            completion.write_text(script(shell))
            for words, expected in CASES:
                found = complete(words, completion)
                assert found == expected, (shell, words, found)
        bash_cuts_at_equals(folder / "completion.bash")
        if shutil.which("zsh"):
            check_zsh(folder)


if __name__ == "__main__":
    main()
