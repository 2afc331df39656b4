"""curl, wrk, ab and h2load through the gateway to nginx, cleanly."""
import json
import os
import re
import subprocess

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port

NGINX = """
daemon off;
master_process off;  # A worker would outlive a master that is killed.
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/www;
    default_type application/json;
    location /large {{ default_type application/octet-stream; }}
    location /echo {{ return 200 '{{"ok":true}}'; }}
  }}
}}
"""
SMALL = json.dumps({"id": 1001, "note": "x" * 160, "card": "4111 1111 1111 1111"}).encode()
MASKED = SMALL.replace(b"4111 1111 1111 1111", b"4111 11** **** 1111")
LARGE = bytes(range(32, 127)) * 11000


def start_nginx(context) -> int:
    port = free_port()
    www = context.folder / "www"
    www.mkdir()
    (www / "small").write_bytes(SMALL)
    (www / "large").write_bytes(LARGE)
    configuration = context.folder / "nginx.conf"
    configuration.write_text(NGINX.format(
        folder=context.folder, port=port,
        # As root nginx would give up rights that reading a private folder needs.
        user="user root;" if os.geteuid() == 0 else ""))
    context.start(["/usr/sbin/nginx", "-c", configuration, "-p", context.folder], name="nginx")

    def answers() -> bool:
        try:
            return wire.request(port, "GET", "/small").status == 200
        except OSError:
            return False
    wait_until(answers, "nginx to answer")
    return port


def output_of(*arguments) -> str:
    done = subprocess.run([str(word) for word in arguments], capture_output=True, text=True, timeout=120)
    expect(done.returncode == 0, f"{arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def run(context) -> None:
    gateway = Gateway(context, start_nginx(context), masks="""
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
""").start()
    base = f"http://127.0.0.1:{gateway.port}"
    header = f"Authorization: Bearer {gateway.key}"
    seconds = 30 if context.full else 2
    requests = 200_000 if context.full else 5_000

    # curl: small and masked, large and unchanged, HEAD, POST with and without Expect.
    got = subprocess.run(["curl", "-sS", "-H", header, f"{base}/small"], capture_output=True, check=True,
                         timeout=60)
    expect(got.stdout == MASKED, f"curl got {got.stdout!r}")
    got = subprocess.run(["curl", "-sS", "-H", header, f"{base}/large"], capture_output=True, check=True,
                         timeout=60)
    expect(got.stdout == LARGE, "curl got another large file")
    got = output_of("curl", "-sS", "-I", "-H", header, f"{base}/large")
    # A mask might change the length, so a HEAD response need not tell one; a wrong one is a lie.
    expect("200 OK" in got, got)
    expect("ength:" not in got or f"ength: {len(LARGE)}" in got, got)
    for extra in ([], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]):
        got = output_of("curl", "-sS", "-f", "-H", header, *extra, "--data-binary",
                        f"@{context.folder}/www/large", f"{base}/echo")
        expect(got == '{"ok":true}', f"curl got {got!r}")
    got = output_of("curl", "-sS", "-H", header, f"{base}/small", f"{base}/small", "-w", "%{num_connects}")
    expect(got.count("4111 11** **** 1111") == 2, got)

    # wrk: no socket errors, nothing but 2xx.
    got = output_of("wrk", "-t", 1, "-c", 32, "-d", f"{seconds}s", "-H", header, f"{base}/small")
    expect("Non-2xx" not in got and "Socket errors" not in got, got)
    expect(int(re.search(r"(\d+) requests in", got).group(1)) > 0, got)

    # ab speaks HTTP/1.0, with and without keep-alive.
    for keep_alive in (["-k"], []):
        got = output_of("ab", "-q", *keep_alive, "-n", requests // 5, "-c", 8, "-H", header, f"{base}/small")
        expect(re.search(r"Failed requests:\s+0\n", got) and "Non-2xx" not in got, got)
        expect(re.search(rf"Complete requests:\s+{requests // 5}\n", got), got)

    # h2load in HTTP/1.1 mode checks what it gets.
    got = output_of("h2load", "--h1", "-n", requests, "-c", 16, "-H", header, f"{base}/small")
    expect(f"{requests} succeeded, 0 failed, 0 errored" in got, got)
    expect(f"status codes: {requests} 2xx" in got, got)

    # And our own.
    got = gateway.sluice("load", f"{base}/small", "-c", 16, "-n", requests, "-H", header, "--json",
                         check=True).json()
    expect(got["statuses"] == {"200": requests} and got["read_errors"] == 0, f"{got}")

    gateway.stop()
    gateway.expect_verified()
