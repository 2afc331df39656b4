"""The Debian package: made twice it is the same (--full); installed into a root that has only what it
depends on, its gateway starts as the unit says, serves, reloads, stops and leaves a log that
verifies; a purge leaves the log alone."""
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys

from harness import debian_root
from harness.context import ROOT, expect, wait_until

HERE = pathlib.Path(__file__).resolve().parent
# Of systemd-analyze security, in tenths: 1.7 of 10. What is left is what a gateway does: it
# is on the network, under names that it resolves, and may take ports below 1024.
EXPOSURE_MAX = 17


def command(*words, check: bool = True, **more) -> subprocess.CompletedProcess:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, **more)
    expect(not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def make_package(context, name: str) -> pathlib.Path:
    folder = context.folder / name
    folder.mkdir()
    build = pathlib.Path(context.sluice).parents[1]
    return pathlib.Path(command(ROOT / "scripts/package.sh", build, folder).stdout.strip())


def check_contents(package: pathlib.Path) -> None:
    listing = command("dpkg-deb", "-c", package).stdout
    files = {line.split()[5]: line.split()[:2] for line in listing.splitlines()}
    for file in ("usr/bin/sluice", "lib/systemd/system/sluice.service", "etc/sluice/sluice.yaml",
                 "usr/share/man/man1/sluice.1.gz", "usr/share/man/man1/sluice-policy-test.1.gz",
                 "usr/share/bash-completion/completions/sluice", "usr/share/zsh/vendor-completions/_sluice",
                 "usr/share/fish/vendor_completions.d/sluice.fish", "usr/share/doc/sluice/copyright",
                 "usr/share/doc/sluice/changelog.gz", "usr/share/doc/sluice/operations.md"):
        expect(f"./{file}" in files, f"{file} is not in the package")
    expect(all(owner == "root/root" for _, owner in files.values()), "not all files are root's")
    expect(not any("w" in mode[4:] for mode, _ in files.values()), "others may write a file")
    expect(command("dpkg-deb", "-I", package, "conffiles").stdout == "/etc/sluice/sluice.yaml\n", "conffiles")
    depends = command("dpkg-deb", "-f", package, "Depends").stdout
    for library in ("adduser", "libc6 (>= 2.3", "libhyperscan5", "libssl3", "liburing2", "libsqlite3-0"):
        expect(library in depends, f"{library} is not in Depends: {depends}")


def check_unit(root: pathlib.Path) -> None:
    command("systemd-analyze", f"--root={root}", "verify", "--man=no", "--recursive-errors=no", "sluice.service")
    unit = root / "lib/systemd/system/sluice.service"
    page = command("systemd-analyze", "security", "--no-pager", "--offline=yes", "--json=short",
               f"--threshold={EXPOSURE_MAX}", unit, check=False)
    expect(page.returncode == 0, f"the unit is exposed by more than {EXPOSURE_MAX / 10}:\n{page.stdout}")


class Service:
    """The unit, without systemd, in a network of its own: its ports are nobody else's."""

    def __init__(self, context, root: pathlib.Path):
        self._root = root
        told = root / "run/notify"
        told.unlink(missing_ok=True)
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        context.on_exit(self._manager.close)
        self._manager.bind(str(told))
        self._manager.settimeout(60)
        told.chmod(0o777)
        start = f'ip link set lo up && mount -t proc proc {root}/proc && exec "$@"'
        self._process = context.start(
            ["unshare", "--net", "--mount", "sh", "-c", start, "sh", sys.executable, HERE / "harness/as_unit.py", root,
             "sluice.service"], env={**os.environ, "NOTIFY_SOCKET": "/run/notify"})
        first = self.told()
        expect(first["READY"] == "1" and "configuration 1" in first["STATUS"], f"{first}")
        self.pid = self._process.pid  # each of those becomes the next

    def told(self) -> dict[str, str]:
        """What the service manager is told next."""
        try:
            return dict(line.split("=", 1) for line in self._manager.recv(4096).decode().splitlines())
        except TimeoutError:
            raise AssertionError(f"the service says nothing:\n{self._process.output()}") from None

    def inside(self, *words, check: bool = True) -> subprocess.CompletedProcess:
        """A command in its root and its network, as root."""
        return command("nsenter", "-t", self.pid, "--net", "--mount", "chroot", self._root, *words, check=check)

    def beside(self, *words) -> list:
        """A command of the host's in its network."""
        return ["nsenter", "-t", self.pid, "--net", *words]

    def check_confined(self) -> None:
        """The kernel says so, not the harness."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        status = dict(line.split(":\t", 1) for line in text.splitlines())
        expect((status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), f"no sandbox: {text}")
        expect(status["CapEff"].strip("0") == "" and status["Uid"].split()[0] != "0", f"it may too much: {text}")

    def stop(self) -> None:
        self._process.signal(signal.SIGTERM)
        last = self.told()
        expect(last["STOPPING"] == "1" and int(last["EXTEND_TIMEOUT_USEC"]) > 30_000_000, f"{last}")
        expect(self._process.wait(30) == 0, f"it left with {self._process.status()}")


def check_installed(root: pathlib.Path) -> None:
    users = (root / "etc/passwd").read_text()
    expect("\nsluice:" in users and "/usr/sbin/nologin" in users.split("\nsluice:")[1].split("\n")[0],
           "the user sluice is there and cannot log in")
    uid = int(users.split("\nsluice:")[1].split(":")[1])
    for path, mode, owner in (("audit.key", 0o600, 0), ("api_keys.yaml", 0o640, 0), ("audit.vkey", 0o644, 0),
                              ("sluice.yaml", 0o644, 0)):
        found = (root / "etc/sluice" / path).stat()
        expect((stat.S_IMODE(found.st_mode), found.st_uid) == (mode, owner), f"{path}: {found}")
    expect(uid != 0, "the user sluice is root")


def check_configuration(root: pathlib.Path) -> None:
    """As documented: in a shell of root's, with the key as a credential."""
    done = command("chroot", root, "env", "CREDENTIALS_DIRECTORY=/etc/sluice", "sluice", "check")
    expect("the configuration is good" in done.stdout, done.stdout)


def request(service: Service, *more) -> tuple[int, str]:
    done = command(*service.beside("curl", "-s", "-w", "\n%{http_code}", "http://127.0.0.1:8080/page", *more))
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def check_service(context, root: pathlib.Path) -> None:
    service = Service(context, root)
    service.check_confined()
    pages = context.folder / "pages"
    pages.mkdir()
    (pages / "page").write_text("from the target")
    context.start(service.beside(sys.executable, "-m", "http.server", "--bind", "127.0.0.1",
                                 "--directory", pages, "8081"), name="target")
    status = json.loads(service.inside("sluice", "status", "--json").stdout)
    expect(status["state"] == "running", f"{status}")
    expect(request(service)[0] == 401, "nobody is let through without a key")
    made = service.inside("sluice", "key", "new", "--subject", "ann", "--group", "staff", "--json",
                          "--append-to", "/etc/sluice/api_keys.yaml")
    key = json.loads(made.stdout)["secret"]
    taken_up = service.told()
    expect("configuration 2" in taken_up["STATUS"], f"{taken_up}")
    wait_until(lambda: request(service, "-H", f"X-Api-Key: {key}")[0] == 200, "the target answers")
    expect(request(service, "-H", f"X-Api-Key: {key}")[1] == "from the target", "another answer")
    expect(request(service, "-H", f"X-Api-Key: {key}", "-X", "POST")[0] == 403, "POST has no rule")

    # As ExecReload does it; a configuration that is wrong is refused, and said to be.
    service.inside("/usr/bin/sluice", "reload")
    expect("RELOADING" in service.told() and "configuration 3" in service.told()["STATUS"], "reloading")
    (root / "etc/sluice/conf.d/wrong.yaml").write_text("wrong: 1\n")
    expect(service.inside("/usr/bin/sluice", "reload", check=False).returncode == 3, "a wrong reload")
    expect("RELOADING" in service.told(), "reloading")
    expect("the last reload was refused" in service.told()["STATUS"], "refused")
    (root / "etc/sluice/conf.d/wrong.yaml").unlink()
    service.stop()

    done = command("chroot", root, "sluice", "verify", "/var/lib/sluice/audit", "--key", "/etc/sluice/audit.vkey")
    expect("ann" in command("chroot", root, "sluice", "audit", "--directory", "/var/lib/sluice/audit",
                        "--principal", "ann").stdout, f"ann's request is in the log: {done.stdout}")


def install(context, package: pathlib.Path) -> None:
    root = context.folder / "root"
    debian_root.make(root, package)
    # dpkg looks whether all that the package depends on is there, and runs its scripts.
    command("dpkg", f"--root={root}", "-i", package, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    check_installed(root)
    check_configuration(root)
    check_unit(root)
    check_service(context, root)
    command("dpkg", f"--root={root}", "--purge", "sluice")
    expect(not (root / "etc/sluice").exists(), "a purge leaves no keys")
    expect(list((root / "var/lib/sluice/audit").iterdir()), "a purge leaves the log")


def run(context) -> None:
    if os.geteuid() != 0 or not shutil.which("systemd-analyze"):
        print("package: needs root and systemd's tools; left out")
        return
    package = make_package(context, "first")
    if context.full:
        expect(package.read_bytes() == make_package(context, "second").read_bytes(),
               "the same build gives another package")
    check_contents(package)
    install(context, package)
