"""The proxies that are compared: how each is configured and started.

Every contender forwards one port to the same nginx target, with one worker and
keep-alive on both sides, at its documented best for that.
"""
import pathlib
import subprocess

MASKS = """
masks:
  - {name: pan, find: "builtin:payment-card", show: {partial: {first: 6, last: 4}}}
  - {name: iban, find: "builtin:iban", show: {partial: {first: 4, last: 2}}}
  - {name: ssn, find: "builtin:us-ssn", show: redact}
  - {name: email, find: "builtin:email", show: redact}
  - {name: phone, find: "builtin:phone", show: redact}
  - {name: jwt, find: "builtin:jwt", show: redact}
  - {name: aws, find: "builtin:aws-key", show: redact}
  - {name: bearer, find: "builtin:bearer-token", show: redact}
  - {name: ip, find: "builtin:ip", show: redact}
  - {name: cvc, find: {json: ["$..cvc", "$..cvv"]}, show: redact}
"""

NGINX_PROXY = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  log_format json escape=json '{{"time":"$time_iso8601","peer":"$remote_addr","method":"$request_method",'
    '"path":"$request_uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time}}';
  access_log {folder}/access.log json buffer=64k flush=1s;
  keepalive_requests 100000000;
  upstream target {{ server 127.0.0.1:{target}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport;
    location / {{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""

HAPROXY_HTTP = """
global
  nbthread 1
  maxconn 4096
  log fd@1 format raw local0 info
defaults
  mode http
  log global
  log-format '{{"time":"%t","peer":"%ci","method":"%HM","path":"%HP","status":%ST,"bytes":%B,"ms":%Ta}}'
  timeout client 30s
  timeout server 30s
  timeout connect 3s
  http-reuse always
  option http-keep-alive
frontend in
  bind 127.0.0.1:{port}
  default_backend target
backend target
  server t1 127.0.0.1:{target} pool-max-conn 256
"""


class Contender:
    """Started by start(), stopped by stop(); `headers` go with each request."""

    def __init__(self, name: str, folder: pathlib.Path, namespace, port: int):
        self.name, self.folder, self.namespace, self.port = name, folder, namespace, port
        self.headers: dict = {}
        self.process = None
        folder.mkdir(parents=True)

    def start(self, command, log="stdout.log"):
        self.process = self.namespace.popen(command, stdout=open(self.folder / log, "wb"))
        try:
            self.namespace.await_port(self.port)
        except TimeoutError:
            raise RuntimeError(f"{self.name} does not start:\n{(self.folder / log).read_text()}") from None

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def nginx(folder, namespace, port, target, _build):
    contender = Contender("nginx-http-log", folder, namespace, port)
    (folder / "nginx.conf").write_text(NGINX_PROXY.format(folder=folder, port=port, target=target))
    contender.start(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    return contender


def haproxy(folder, namespace, port, target, _build):
    contender = Contender("haproxy-http-log", folder, namespace, port)
    (folder / "haproxy.cfg").write_text(HAPROXY_HTTP.format(port=port, target=target))
    contender.start(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], log="access.log")
    return contender


def bare_relay(folder, namespace, port, target, build):
    contender = Contender("bare-relay", folder, namespace, port)
    contender.start([str(build / "bench/limit/bare_relay"), str(port), str(target)])
    return contender


def _sluice(contender, build, target, identity, policies, masks):
    folder = contender.folder
    binary = str(build / "cli/sluice")
    subprocess.run([binary, "key", "signing", "--file", folder / "audit.key", "--origin", "bench"],
                   check=True, stdout=subprocess.DEVNULL)
    (folder / "sluice.yaml").write_text(f"""version: 1
listeners:
  - {{name: bench, address: "127.0.0.1:{contender.port}", protocol: http, target: api}}
targets:
  - {{name: api, addresses: ["127.0.0.1:{target}"]}}
identity: {identity}
policies:
{policies}{masks}
audit: {{directory: {folder}/audit, signing_key: "file:{folder}/audit.key"}}
admin: {{socket: {folder}/admin.sock}}
workers: {{count: 1, pin: false}}
""")
    contender.start([binary, "run", "-c", str(folder / "sluice.yaml")])
    return contender


def sluice_plain(folder, namespace, port, target, build):
    """One rule that lets everybody in, no masks. The audit log has no off switch."""
    contender = Contender("sluice-plain", folder, namespace, port)
    policies = "  - {name: open, principals: {anonymous: true}, ruling: allow}\n"
    return _sluice(contender, build, target, "{anonymous: true}", policies, "")


def sluice(folder, namespace, port, target, build):
    """Callers with keys, 20 rules, 10 masks, signed audit."""
    contender = Contender("sluice", folder, namespace, port)
    made = subprocess.run([str(build / "cli/sluice"), "key", "new", "--subject", "bench", "--group", "bench",
                           "--append-to", str(folder / "keys.yaml")],
                          check=True, capture_output=True, text=True).stdout
    key = next(word for word in made.split() if word.startswith("sk_"))
    contender.headers = {"Authorization": f"Bearer {key}"}
    rules = ['  - {name: read, principals: {groups: [bench]}, operations: {http: {methods: [GET], '
             'paths: ["/v1/**"]}}, ruling: allow}']
    rules += [f'  - {{name: closed {i}, operations: {{http: {{paths: ["/v1/closed/{i}/**"]}}}}, ruling: deny}}'
              for i in range(19)]
    return _sluice(contender, build, target, f"{{api_keys: file:{folder}/keys.yaml}}",
                   "\n".join(rules) + "\n", MASKS)


ALL = {"sluice": sluice, "sluice-plain": sluice_plain, "haproxy-http-log": haproxy,
       "nginx-http-log": nginx, "bare-relay": bare_relay}
