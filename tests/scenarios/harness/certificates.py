"""Certificates made by openssl while a scenario runs."""
import pathlib
import subprocess


def _openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, arguments))}: {done.stderr}")


class Authority:
    """One that signs, with its certificate in `ca`."""

    def __init__(self, folder: pathlib.Path, name: str = "authority"):
        self._folder = folder
        self.ca = folder / f"{name}.crt"
        self._key = folder / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.ca)

    def issue(self, name: str, names: str = "", days: int = 1, kind: str = "ec",
              use: str = "") -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate for these names ("DNS:a,IP:b") and its key; below 0 days it has expired. use: "clientAuth"."""
        certificate, key, request = (self._folder / f"{name}.{end}" for end in ("crt", "key", "csr"))
        options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", "rsa:2048"]
        _openssl("req", "-new", *options, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request,
                 *(["-addext", f"subjectAltName={names}"] if names else []),
                 *(["-addext", f"extendedKeyUsage={use}"] if use else []))
        key.chmod(0o600)
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial",
                 "-copy_extensions", "copy", "-days", days, "-out", certificate)
        return certificate, key

    def revoke(self, certificate: pathlib.Path) -> None:
        """From the next list on."""
        self._database()
        _openssl("ca", "-config", self._configuration, "-revoke", certificate)

    def write_crl(self, path: pathlib.Path, seconds: int = 86400) -> None:
        """The list of those that were revoked, good for so long."""
        self._database()
        made = path.with_suffix(".new")
        _openssl("ca", "-config", self._configuration, "-gencrl", "-crlsec", seconds, "-out", made)
        made.replace(path)

    @property
    def _configuration(self) -> pathlib.Path:
        return self._key.with_suffix(".cnf")

    def _database(self) -> None:
        if self._configuration.exists():
            return
        index = self._key.with_suffix(".index")
        index.write_text("")
        self._configuration.write_text(f"""[ca]
default_ca = here
[here]
database = {index}
default_md = sha256
certificate = {self.ca}
private_key = {self._key}
""")
