"""TLS 1.3 towards clients: what is asked for, and of whom.

The contenders are those of http-small with TLS; two of them check a JWT of every request.
"""
from contenders import PEERS, Contender
from handshakes import ask_full, ask_resumed
from scenarios import Case, Scenario, case_of, clean
from tls_site import AUDIENCE, ISSUER

TLS_FOLDER = "@folder@/../tls"
HANDSHAKE_CLIENTS = 4  # processes, each with one handshake at a time
_KEYS = 'api_keys: "file:@keys@"'
_OIDC = (f'oidc: [{{name: bench, issuer: "{ISSUER}", audience: {AUDIENCE}, groups_claim: groups, '
         f'jwks: "file:{TLS_FOLDER}/jwks.json"}}]')
_SLUICE_TLS = ("target: api}\ntargets:",
               f'target: api, tls: {{certificate: "file:{TLS_FOLDER}/gateway.crt", '
               f'key: "file:{TLS_FOLDER}/gateway.key"}}}}\ntargets:')
_HAPROXY_BIND = ("backlog 16384", f"backlog 16384 ssl crt {TLS_FOLDER}/gateway.pem alpn http/1.1")
_HAPROXY_JWT = ("default_backend target",
                "http-request deny deny_status 401 unless { http_auth_bearer,"
                f'jwt_verify("RS256","{TLS_FOLDER}/issuer.pem") -m int 1 }}\n  default_backend target')


def _masks_of_sluice() -> str:
    text = (PEERS / "sluice.yaml").read_text()
    return text[text.index("masks:\n"):text.index("policies:\n")]


SLUICE = Contender("sluice", "sluice.yaml", masks="sluice", scheme="https", changes=(_SLUICE_TLS, (_KEYS, _OIDC)))
SLUICE_UNMASKED = Contender("sluice-unmasked", "sluice.yaml", scheme="https",
                            changes=(_SLUICE_TLS, (_KEYS, _OIDC), (_masks_of_sluice(), "")))
SLUICE_PLAIN = Contender("sluice-plain", "sluice-plain.yaml", scheme="https", changes=(_SLUICE_TLS, (_KEYS, _OIDC)))
HAPROXY_JWT = Contender("haproxy-jwt", "haproxy-http-log.cfg", scheme="https", changes=(_HAPROXY_BIND, _HAPROXY_JWT))
HAPROXY = Contender("haproxy-http-log", "haproxy-http-log.cfg", scheme="https", changes=(_HAPROXY_BIND,))
NGINX = Contender("nginx-http-log", "nginx-http-log.conf", scheme="https", changes=(
    ("reuseport backlog=16384;", f"ssl reuseport backlog=16384;\n    ssl_certificate {TLS_FOLDER}/gateway.crt;\n"
     f"    ssl_certificate_key {TLS_FOLDER}/gateway.key;\n    ssl_protocols TLSv1.2 TLSv1.3;"),))
_ALL = [SLUICE, SLUICE_UNMASKED, SLUICE_PLAIN, HAPROXY_JWT, HAPROXY, NGINX]


def _keep_alive(name: str, size: int) -> Scenario:
    return Scenario(name, [case_of(contender, clean(size)) for contender in _ALL], base=SLUICE.name)


def _handshakes(name: str, ask) -> Scenario:
    return Scenario(name, [Case(contender, clean(200), connections=HANDSHAKE_CLIENTS, ask=ask)
                           for contender in _ALL], base=SLUICE.name)


TLS = {scenario.name: scenario for scenario in [
    _keep_alive("tls-1k", 1024),
    _keep_alive("tls-16k", 16 * 1024),
    _keep_alive("tls-1m", 1024 * 1024),
    _handshakes("tls-full", ask_full),
    _handshakes("tls-resumed", ask_resumed),
]}
