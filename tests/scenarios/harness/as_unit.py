"""Runs a service in a root as systemd would by its unit: as_unit.py ROOT UNIT

Its user, credentials, folders, limits of memory and files, system calls and
address families, and memory that is never both writable and executable. Of the rest of the
sandbox (mounts, devices, capabilities) it knows nothing."""
import ctypes
import errno
import os
import pathlib
import pwd
import resource
import shlex
import shutil
import socket
import subprocess
import sys

import seccomp

PROT_WRITE, PROT_EXEC = 2, 4
PR_SET_NO_NEW_PRIVS = 38


def read(unit: pathlib.Path) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings


def calls_of(name: str) -> set[str]:
    """Those of a set of systemd's, such as @system-service."""
    if not name.startswith("@"):
        return {name}
    lines = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True,
                           capture_output=True, text=True).stdout.splitlines()[1:]
    found = set()
    for line in map(str.strip, lines):
        if line and not line.startswith("#"):
            found |= calls_of(line)
    return found


def allowed_calls(filters: list[str]) -> set[str]:
    allowed = calls_of("@default")
    for line in filters:
        for name in line.removeprefix("~").split():
            if line.startswith("~"):
                allowed -= calls_of(name)
            else:
                allowed |= calls_of(name)
    return allowed


def confine(calls: set[str], families: list[str]) -> None:
    rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    known = {getattr(socket, name) for name in families}
    for call in calls - {"socket", "mmap", "mprotect"}:
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except (RuntimeError, ValueError):
            pass  # not a call of this architecture
    for family in known:
        rules.add_rule(seccomp.ALLOW, "socket", seccomp.Arg(0, seccomp.EQ, family))
    rules.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_WRITE | PROT_EXEC, 0))
    rules.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_WRITE))
    rules.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC))
    rules.add_rule(seccomp.ALLOW, "mprotect", seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0))
    rules.load()


def limit(settings: dict[str, list[str]]) -> None:
    for key, what in (("LimitMEMLOCK", resource.RLIMIT_MEMLOCK), ("LimitNOFILE", resource.RLIMIT_NOFILE),
                      ("LimitCORE", resource.RLIMIT_CORE)):
        value = settings[key][0]
        most = resource.RLIM_INFINITY if value == "infinity" else int(value)
        # Even root may not raise a limit where it is kept from that: then what is allowed.
        allowed = resource.getrlimit(what)[1]
        if allowed != resource.RLIM_INFINITY and (most == resource.RLIM_INFINITY or most > allowed):
            most = allowed
        resource.setrlimit(what, (most, most))


def make_folders(settings: dict[str, list[str]], user: pwd.struct_passwd) -> None:
    for key, above in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
        folder = pathlib.Path(above, settings[key][0])
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(int(settings[f"{key}Mode"][0], 8))
        os.chown(folder, user.pw_uid, user.pw_gid)


def hand_over_credentials(settings: dict[str, list[str]], unit: str, user: pwd.struct_passwd) -> str:
    folder = pathlib.Path("/run/credentials", unit)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for line in settings["LoadCredential"]:
        name, _, source = line.partition(":")
        (folder / name).write_bytes(pathlib.Path(source).read_bytes())
        (folder / name).chmod(0o400)
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    return str(folder)


def main() -> None:
    root, unit = sys.argv[1:3]
    settings = read(pathlib.Path(root, "lib/systemd/system", unit))
    calls = allowed_calls(settings["SystemCallFilter"])
    os.chroot(root)
    os.chdir("/")
    user = pwd.getpwnam(settings["User"][0])
    os.umask(0o022)
    make_folders(settings, user)
    environment = {"PATH": "/usr/sbin:/usr/bin", "CREDENTIALS_DIRECTORY":
                   hand_over_credentials(settings, unit, user)}
    if "NOTIFY_SOCKET" in os.environ:
        environment["NOTIFY_SOCKET"] = os.environ["NOTIFY_SOCKET"]
    os.umask(int(settings["UMask"][0], 8))
    limit(settings)
    # Without the capability for ports below 1024, which the packaged configuration has none of.
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    words = shlex.split(settings["ExecStart"][0])
    confine(calls, settings["RestrictAddressFamilies"][0].split())
    os.execve(words[0], words, environment)


if __name__ == "__main__":
    main()
