"""A root of Debian's essential packages and of what some package depends on, and of nothing
else, made from the packages that are installed here: no network, a few seconds.

What is installed into it proves its Depends: what they do not name is not there."""
import pathlib
import re
import shutil
import subprocess

DPKG = pathlib.Path("/var/lib/dpkg")


def _fields(name: str) -> dict[str, str]:
    """A field of each installed package, by the package's name."""
    lines = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${%s}\n" % name],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    rows = (line.split("\t", 2) for line in lines)
    return {package: value for status, package, value in rows if status == "installed"}


def _names(dependencies: str) -> list[list[str]]:
    """Of `a (>= 1), b | c`: [[a], [b, c]]"""
    groups = [group for group in dependencies.split(",") if group.strip()]
    return [[re.split(r"[\s(:]", one.strip())[0] for one in group.split("|")] for group in groups]


def closure(dependencies: str) -> list[str]:
    """The essential packages, those named, and all that they need."""
    essential, depends, before = _fields("Essential"), _fields("Depends"), _fields("Pre-Depends")
    provided = {name: package for package, all_of_it in _fields("Provides").items()
                for group in _names(all_of_it) for name in group}
    found: set[str] = set()
    wanted = [package for package, is_essential in essential.items() if is_essential == "yes"]
    groups = [[name] for name in wanted] + _names(dependencies)
    while groups:
        group = groups.pop()
        names = [name if name in depends else provided.get(name) for name in group]
        package = next((name for name in names if name), None)
        if package is None:
            raise AssertionError(f"none of {group} is installed here")
        if package not in found:
            found.add(package)
            groups += _names(before[package]) + _names(depends[package])
    return sorted(found)


def _copy_files(packages: list[str], root: pathlib.Path) -> None:
    files = subprocess.run(["dpkg-query", "-L", *packages], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    wanted = sorted({file for file in files if file.startswith("/") and pathlib.Path(file).exists()
                     and not file.startswith(("/usr/share/locale/", "/usr/share/man/"))})
    for folder in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if pathlib.Path("/", folder).is_symlink():
            (root / "usr" / folder).mkdir(parents=True, exist_ok=True)
            (root / folder).symlink_to(f"usr/{folder}")
    # Folders that are links here are links there already, and stay what they are.
    listed = root / "files"
    listed.write_text("".join(f"{file[1:]}\n" for file in wanted
                              if file != "/." and not (root / file[1:]).is_symlink()))
    subprocess.run(f"tar -C / -c --no-recursion -T {listed} | tar -C {root} -x --keep-directory-symlink",
                   shell=True, check=True, stderr=subprocess.DEVNULL)
    listed.unlink()


def _copy_database(packages: list[str], root: pathlib.Path) -> None:
    there = root / DPKG.relative_to("/")
    (there / "info").mkdir(parents=True, exist_ok=True)
    (there / "updates").mkdir(exist_ok=True)
    (there / "triggers").mkdir(exist_ok=True)
    entries = (DPKG / "status").read_text().split("\n\n")
    kept = [entry for entry in entries if entry.partition("\n")[0].removeprefix("Package: ") in packages]
    (there / "status").write_text("\n\n".join(kept) + "\n\n")
    shutil.copy(DPKG / "info/format", there / "info/format")
    for package in packages:
        for file in [*(DPKG / "info").glob(f"{package}.list"), *(DPKG / "info").glob(f"{package}:*.list")]:
            shutil.copy(file, there / "info" / file.name)


def make(root: pathlib.Path, package: pathlib.Path) -> None:
    """`root`: a folder that is not there yet; `package`: what is to be installed into it."""
    dependencies = subprocess.run(["dpkg-deb", "-f", package, "Depends"], check=True, capture_output=True,
                                  text=True).stdout.strip()
    packages = closure(dependencies)
    root.mkdir()
    _copy_files(packages, root)
    _copy_database(packages, root)
    # What packages make when they are installed.
    shutil.copy("/usr/share/base-passwd/passwd.master", root / "etc/passwd")
    shutil.copy("/usr/share/base-passwd/group.master", root / "etc/group")
    for folder in ("dev", "proc", "run", "tmp"):
        (root / folder).mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name in ("null", "zero", "urandom"):
        subprocess.run(["cp", "-a", f"/dev/{name}", root / "dev"], check=True)
    subprocess.run(["ldconfig", "-r", root], check=True, stderr=subprocess.DEVNULL)
