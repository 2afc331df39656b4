"""One scenario's world: a folder, and everything it started."""
import os
import pathlib
import random
import shutil
import tempfile
import time

from harness.processes import Process

ROOT = pathlib.Path(__file__).resolve().parents[3]


def expect(condition, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def wait_until(condition, what: str, seconds: float = 10.0) -> None:
    """Waits until condition() holds; a scenario never sleeps for luck."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"still waiting for: {what}")
        time.sleep(0.01)


class Context:
    def __init__(self, name: str, full: bool):
        self.name = name
        self.full = full
        self.sluice = os.environ.get("SLUICE", str(ROOT / "build/release/cli/sluice"))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{name}-"))
        self.seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
        self.random = random.Random(self.seed)
        self._processes: list[Process] = []
        self._closers = []

    def __enter__(self):
        return self

    def start(self, arguments, **options) -> Process:
        process = Process([str(word) for word in arguments], self.folder, **options)
        self._processes.append(process)
        return process

    def on_exit(self, close) -> None:
        self._closers.append(close)

    def explain(self) -> None:
        """What a reader needs to know about a failure."""
        print(f"seed: SEED={self.seed}")
        for process in self._processes:
            print(f"--- {process.name}: {process.describe()}")
            text = process.output()
            if text:
                print(f"--- output of {process.name}:\n{text[-4000:]}")

    def finish(self) -> None:
        """A scenario that went well left nothing that crashed on the way."""
        for process in self._processes:
            expect(not process.crashed(), f"{process.name} died by itself: {process.status()}")

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.kill()
        for close in reversed(self._closers):
            close()
        shutil.rmtree(self.folder, ignore_errors=True)
