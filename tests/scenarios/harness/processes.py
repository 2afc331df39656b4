"""Child processes, stopped by their own id and never by name."""
import ctypes
import os
import pathlib
import signal
import socket
import subprocess


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_harness = os.getpid()


def die_with_harness() -> None:
    """For preexec_fn: the kernel ends the child when the harness ends, even by kill -9."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != _harness:  # it ended before the line above
        os.kill(os.getpid(), signal.SIGKILL)


class Process:
    """user: whom it runs as; ends_by: what ends it at once without leaving anything."""

    def __init__(self, arguments: list[str], folder: pathlib.Path, name: str = "", user: str | None = None,
                 ends_by: int = signal.SIGKILL, env: dict[str, str] | None = None):
        self.name = name or os.path.basename(arguments[0])
        self._log = folder / f"{self.name}-{len(list(folder.glob('*.log')))}.log"
        with open(self._log, "wb") as log:
            self._child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=subprocess.STDOUT, preexec_fn=die_with_harness,
                                           user=user, env=env, cwd=folder if user else None)
        self._ends_by = ends_by
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
        self._asked_to_end = self._asked_to_end or number in (
            signal.SIGTERM, signal.SIGKILL, self._ends_by)
        self._child.send_signal(number)

    def wait(self, seconds: float = 10.0) -> int:
        return self._child.wait(seconds)

    def stop(self, seconds: float = 15.0) -> int:
        if self.status() is None:
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        if self.status() is None:
            self.signal(self._ends_by)
            self._child.wait()

    def describe(self) -> str:
        """Whether it waits or spins: state and processor time, from proc_pid_stat(5)."""
        if self.status() is not None:
            return f"ended with {self.status()}"
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return f"runs, state {fields[0]}, {seconds:.1f} s of processor time"

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")
