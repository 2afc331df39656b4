"""Child processes, stopped by their own id and never by name."""
import os
import pathlib
import signal
import socket
import subprocess


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    def __init__(self, arguments: list[str], folder: pathlib.Path, name: str = ""):
        self.name = name or os.path.basename(arguments[0])
        self._log = folder / f"{self.name}-{len(list(folder.glob('*.log')))}.log"
        with open(self._log, "wb") as log:
            self._child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=subprocess.STDOUT)
        self._asked_to_end = False

    @property
    def pid(self) -> int:
        return self._child.pid

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def status(self):
        """The exit status, or None while it runs."""
        return self._child.poll()

    def crashed(self) -> bool:
        status = self.status()
        return status not in (None, 0) and not self._asked_to_end

    def signal(self, number: int) -> None:
        self._asked_to_end = self._asked_to_end or number in (signal.SIGTERM, signal.SIGKILL)
        self._child.send_signal(number)

    def wait(self, seconds: float = 10.0) -> int:
        return self._child.wait(seconds)

    def stop(self, seconds: float = 15.0) -> int:
        if self.status() is None:
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        if self.status() is None:
            self.signal(signal.SIGKILL)
            self._child.wait()

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")
