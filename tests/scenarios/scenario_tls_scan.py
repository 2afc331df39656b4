"""sslscan looks for weaknesses of TLS, on an HTTP listener and, behind SSLRequest, on a PostgreSQL one: versions,
ciphers, groups and signatures are those that we promise, and no old attack finds anything."""
import subprocess
import xml.etree.ElementTree as ElementTree

from harness.certificates import Authority
from harness.context import expect
from harness.gateway import ALLOW_ALL, Gateway
from harness.target import Target

# docs/tls.md: forward secrecy, and ciphers that authenticate what they encrypt.
CIPHERS = {
    "TLSv1.2": {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
                "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"},
    "TLSv1.3": {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"},
}
GROUPS = {"x25519", "secp256r1", "secp384r1"}


def scan(port: int, *options: str) -> ElementTree.Element:
    done = subprocess.run(["sslscan", "--xml=-", "--no-colour", "--timeout=20", "--sni-name=gw.test", "--show-sigs",
                           *options, f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=200)
    expect(done.returncode == 0, f"sslscan: {done.stderr}")
    found = ElementTree.fromstring(done.stdout).find("ssltest")
    expect(found is not None, f"sslscan found nothing: {done.stdout}")
    return found


def check(found: ElementTree.Element, kinds: set[str]) -> None:
    enabled = {one.get("type") + one.get("version") for one in found.iter("protocol") if one.get("enabled") == "1"}
    expect(enabled == {"tls1.2", "tls1.3"}, f"versions: {enabled}")
    ciphers = {(one.get("sslversion"), one.get("cipher")) for one in found.iter("cipher")}
    wanted = {(version, name) for version, names in CIPHERS.items() for name in names
              if not name.startswith("ECDHE") or name.split("-")[1] in kinds}
    expect(ciphers == wanted, f"ciphers: {ciphers ^ wanted}")
    groups = {one.get("name").split()[0] for one in found.iter("group")}
    expect(groups == GROUPS, f"groups: {groups}")
    weak = [one.get("name") for one in found.iter("connection-signature-algorithm")
            if any(word in one.get("name").lower() for word in ("sha1", "md5", "dsa_any", "any"))]
    expect(not weak, f"signatures: {weak}")
    # What each old attack would need.
    # sslscan of an OpenSSL without compression asks for none; scenario_tls.py sees that there is none.
    expect(all(one.get("supported") == "0" for one in found.iter("compression")), "CRIME")
    expect(found.find("renegotiation").get("supported") == "0", "keys are negotiated anew")
    expect(all(one.get("vulnerable") == "0" for one in found.iter("heartbleed")), "Heartbleed")
    for name in ("self-signed", "expired"):
        expect(all(one.text == "false" for one in found.iter(name)), f"the certificate is {name}")


def check_fallback(port: int) -> None:
    """RFC 7507: who comes with less than it can, because somebody made it believe so, is told."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2", "-fallback_scsv"],
                          input="Q\n", capture_output=True, text=True, timeout=60)
    expect("inappropriate fallback" in done.stderr, f"a fallback is taken for what it is not: {done.stderr}")


def run(context) -> None:
    authority = Authority(context.folder)
    first = authority.issue("gw", "DNS:gw.test")
    second = authority.issue("gw2", "DNS:gw.test", kind="rsa")
    pairs = (f"certificate: file:{first[0]}, key: file:{first[1]}, "
             f"by_name: [{{certificate: file:{first[0]}, key: file:{first[1]}}}, "
             f"{{certificate: file:{second[0]}, key: file:{second[1]}}}]")
    gateway = Gateway(context, Target(context).port, listener=f"tls: {{{pairs}}}").start()
    check(scan(gateway.port), {"ECDSA", "RSA"})
    check_fallback(gateway.port)
    gateway.stop()

    secret = context.folder / "secret"
    secret.write_text("unused")
    gateway = Gateway(context, Target(context).port, name="gw-postgres", protocol="postgres", policies=ALLOW_ALL,
                      target=f"credential: {{user: app, password: file:{secret}}}",
                      listener=f"tls: {{certificate: file:{first[0]}, key: file:{first[1]}}}").start()
    check(scan(gateway.port, "--starttls-psql"), {"ECDSA"})
    gateway.stop()
    gateway.expect_verified()
