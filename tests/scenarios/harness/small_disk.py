"""A disk of a few megabytes that can be filled and made read-only, in a mount namespace
of the scenario's own. EIO needs a kernel module: only the tests of audit/ inject that."""
import ctypes
import os
import pathlib
import subprocess

CLONE_NEWNS = 0x00020000


def _mount(*arguments) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, timeout=10)


def enter_namespace() -> bool:
    """What is mounted from now on is seen by this process and its children alone.
    False without the right to that."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    _mount("--make-rprivate", "/")
    return True


class SmallDisk:
    def __init__(self, context, path: pathlib.Path, megabytes: int):
        self.path = path
        self._filler = path / "filler"
        path.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "none", path)
        context.on_exit(lambda: subprocess.run(["umount", "-l", path], check=False, timeout=10))

    def fill(self) -> None:
        """Not a byte more fits."""
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def empty(self) -> None:
        self._filler.unlink()

    def make_read_only(self) -> None:
        """By name; what is open for writing stays so, as with a bind mount. It becomes so
        elsewhere: a mount that somebody is just writing to by name is busy."""
        aside = self.path.with_name(self.path.name + "-read-only")
        aside.mkdir(exist_ok=True)
        _mount("--bind", self.path, aside)
        _mount("-o", "remount,bind,ro", aside)
        _mount("--move", aside, self.path)

    def make_writable(self) -> None:
        subprocess.run(["umount", "-l", self.path], check=True, timeout=10)
