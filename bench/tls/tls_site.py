"""What the scenarios of TLS need besides the contenders: a certificate, and callers with a token.

Every contender shows the same certificate, ECDSA P-256. Every caller presents the same JWT,
RS256 by a 2048-bit key, whose public half Sluice reads as a JWK set and HAProxy as PEM.
"""
import base64
import json
import pathlib
import subprocess
import time

from contenders import Site

ISSUER, AUDIENCE, KEY_ID = "https://issuer.bench.invalid", "sluice", "bench-1"


def _openssl(*words, text: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=text, check=True, capture_output=True).stdout


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_certificate(folder: pathlib.Path) -> None:
    """gateway.crt, gateway.key, and gateway.pem with both."""
    certificate, key = folder / "gateway.crt", folder / "gateway.key"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
             "-subj", "/CN=gateway.bench", "-addext", "subjectAltName=DNS:gateway.bench", "-out", certificate,
             "-keyout", key)
    (folder / "gateway.pem").write_bytes(certificate.read_bytes() + key.read_bytes())


def make_token(folder: pathlib.Path) -> str:
    """A token for an hour; writes jwks.json and issuer.pem, by which it is verified."""
    key = folder / "issuer.key"
    _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    (folder / "issuer.pem").write_bytes(_openssl("pkey", "-in", key, "-pubout"))
    modulus = bytes.fromhex(_openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().partition("=")[2])
    jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": _base64url(modulus), "e": "AQAB"}
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    now = int(time.time())
    parts = [{"alg": "RS256", "typ": "JWT", "kid": KEY_ID},
             {"iss": ISSUER, "sub": "caller", "aud": AUDIENCE, "iat": now, "exp": now + 3600, "groups": ["bench"]}]
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_base64url(_openssl('dgst', '-sha256', '-sign', key, text=signed.encode()))}"


def prepare(folder: pathlib.Path, build: pathlib.Path, target_port: int) -> Site:
    """A Site of contenders.py with a folder `tls`; callers present a token in place of a key."""
    tls = folder / "tls"
    tls.mkdir(mode=0o755)
    make_certificate(tls)
    site = Site.prepare(folder, build, target_port)
    return Site(site.folder, site.build, site.target_port, site.keys, {"Authorization": f"Bearer {make_token(tls)}"})
