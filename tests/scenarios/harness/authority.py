"""A certificate authority of a scenario's own."""
import pathlib
import subprocess


class Authority:
    """ca.pem, and for each name that was issued NAME.pem and NAME.key."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")

    @property
    def certificate(self) -> pathlib.Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, kind: str = "DNS") -> tuple[pathlib.Path, pathlib.Path]:
        """The certificate, and its key."""
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / "names").write_text(f"subjectAltName = {kind}:{name}\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile",
                      "names", "-out", f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
