"""The proxies that are compared: how each is configured and started.

Every one has one worker, keep-alive on both sides and the settings of its file
in peers/, and forwards its port to the same target.
"""
import dataclasses
import pathlib
import subprocess

import host

PEERS = pathlib.Path(__file__).resolve().parent / "peers"
FIRST_PORT = 7000  # the namespace is new: whoever wants a port finds it free


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    file: str                # in peers/; a relay without configuration has none
    masks: str = "target"    # what it leaves of an answer: a field of scenarios.Body
    scheme: str = "http"     # what its clients speak
    binary: str = ""         # instead of the one that was built
    wrapper: tuple = ()      # words before the command: a profiler
    extra: tuple = ()        # (name, text) of further files for Sluice's conf.d
    changes: tuple = ()      # (old, new) in the configuration
    start_seconds: int = 120


@dataclasses.dataclass(frozen=True)
class Site:
    """Where contenders run: a folder, a build, a target, and the key that all callers present."""
    folder: pathlib.Path
    build: pathlib.Path
    target_port: int
    keys: pathlib.Path
    headers: dict

    @staticmethod
    def prepare(folder: pathlib.Path, build: pathlib.Path, target_port: int) -> "Site":
        keys = folder / "keys.yaml"
        made = subprocess.run([build / "cli/sluice", "key", "new", "--subject", "bench", "--group", "bench",
                               "--append-to", keys], check=True, capture_output=True, text=True).stdout
        key = next(word for word in made.split() if word.startswith("sk_"))
        return Site(folder, build, target_port, keys, {"Authorization": f"Bearer {key}"})


class Proxy:
    """A contender that runs."""

    def __init__(self, contender: Contender, site: Site, folder: pathlib.Path, port: int):
        self.name, self.port = contender.name, port
        folder.mkdir(mode=0o755)
        config = folder / contender.file
        if contender.file:
            fill(PEERS / contender.file, config, contender.changes, port=port, target=site.target_port,
                 folder=folder, keys=site.keys, peers=PEERS)
        if contender.file.endswith(".yaml"):
            binary = contender.binary or site.build / "cli/sluice"
            make_signing_key(binary, folder)
            (folder / "conf.d").mkdir()
            for name, text in contender.extra:
                (folder / "conf.d" / name).write_text(text)
            command = [binary, "run", "-c", config]
        elif contender.file.endswith(".cfg"):
            command = ["haproxy", "-db", "-f", config]
        elif contender.file.endswith(".conf"):
            command = ["nginx", "-p", folder, "-c", config]
        else:
            command = [site.build / "bench/limit/bare_relay", port, site.target_port]
        self.log = folder / "output.log"
        self.process = host.start([*contender.wrapper, *command], self.log)
        try:
            host.await_port(port, contender.start_seconds)
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"{self.name} does not start:\n{self.log.read_text()}") from None

    def stop(self) -> None:
        host.stop(self.process)


class Target:
    """The server behind them all, with the bodies it serves."""

    inline_max = 2048  # bytes; nginx takes longer literals from a file only

    def __init__(self, folder: pathlib.Path, port: int, bodies):
        self.port = port
        inline = ""
        for body in bodies:
            if 0 < len(body.target) <= self.inline_max:
                inline += f"    location = {body.path} {{ return 200 '{body.target.decode()}'; }}\n"
            else:
                file = folder / "bodies" / body.path.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body.target)
        fill(PEERS / "target.conf", folder / "target.conf", (), port=port, folder=folder, inline=inline)
        self.process = host.start(["nginx", "-p", folder, "-c", folder / "target.conf"], folder / "target.log")
        host.await_port(port, 15)

    def stop(self) -> None:
        host.stop(self.process)


def make_signing_key(binary: pathlib.Path, folder: pathlib.Path) -> None:
    subprocess.run([binary, "key", "signing", "--file", folder / "audit.key", "--origin", "bench"],
                   check=True, capture_output=True)


def fill(source: pathlib.Path, into: pathlib.Path, changes, **values) -> None:
    """Writes a file of peers/ with its @names@ filled in."""
    text = source.read_text()
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{source.name} has no {old!r}")
        text = text.replace(old, new)
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    into.write_text(text)
