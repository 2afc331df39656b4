"""A SAML identity provider (npm's samlify), and a browser that signs in at it."""
import html
import http.client
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import urllib.parse

from harness.context import expect, wait_until
from harness.processes import free_port

PROVIDER = pathlib.Path(__file__).resolve().parent.parent / "saml_provider"


def make_key(folder: pathlib.Path, name: str) -> tuple[pathlib.Path, pathlib.Path]:
    """An RSA key and a certificate that it signed itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key, certificate


class SamlProvider:
    """Made at once, so that a gateway can name its certificate; start() needs the gateway's metadata."""

    def __init__(self, context):
        self.port = free_port()
        self._context = context
        self._folder = context.folder / "saml_provider"
        shutil.copytree(PROVIDER, self._folder)
        done = subprocess.run(["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"],
                              cwd=self._folder, capture_output=True, text=True, timeout=300, env=os.environ)
        expect(done.returncode == 0, f"npm: {done.stdout}{done.stderr}")
        self.key, self.certificate = make_key(self._folder, "provider")

    @property
    def entity(self) -> str:
        return f"http://127.0.0.1:{self.port}/saml"

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}/sso"

    def start(self, metadata: bytes) -> None:
        (self._folder / "metadata.xml").write_bytes(metadata)
        self._context.start(["node", self._folder / "provider.mjs", self.port, self.key, self.certificate,
                             self._folder / "metadata.xml"], name="saml_provider")

        def is_there() -> bool:
            try:
                return self._get("/", {})[0] == 400
            except OSError:
                return False
        wait_until(is_there, "the SAML provider", 60)

    def sign_in(self, url: str, who: str, signs: str = "assertion") -> dict[str, str]:
        """The fields of the form that the provider's page posts. who  "ann:staff,payments"."""
        expect(url.startswith(self.page + "?"), f"not the provider's page: {url}")
        status, text = self._get(url[url.index("/sso"):], {"X-As": who, "X-Sign": signs})
        expect(status == 200, f"the provider refuses: {text}")
        return {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', text)}

    def _get(self, path: str, headers: dict) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()


class Browser:
    """As much of one as a sign-in takes: it keeps the gateway's cookie."""

    def __init__(self, port: int, ca: pathlib.Path):
        self._port, self._ca = port, ca
        self.cookie = ""

    def request(self, method: str, path: str, form: dict[str, str] | None = None):
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=30,
                                                 context=ssl.create_default_context(cafile=self._ca))
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urllib.parse.urlencode(form) if form is not None else None, headers)
        reply = connection.getresponse()
        if "Set-Cookie" in reply.headers:
            self.cookie = reply.headers["Set-Cookie"].split(";")[0]
        return reply.status, reply.headers, reply.read()
