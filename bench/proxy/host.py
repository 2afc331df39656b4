"""This machine: a network of the benchmark's own, its processes, and what they use.

bbr, where it is the host's default, paces on loopback and distorts everything;
so the runner enters namespaces of its own, sets cubic there, and nothing that
it started outlives it.
"""
import dataclasses
import http.client
import os
import pathlib
import platform
import resource
import socket
import ssl
import subprocess
import sys
import time

INSIDE = "--inside"


def enter_namespaces() -> None:
    """Runs this program again in network and process namespaces of its own, unless it is there."""
    if INSIDE in sys.argv:
        sys.argv.remove(INSIDE)
        return
    if os.geteuid() != 0:
        sys.exit("the end-to-end benchmarks need root, for a network namespace of their own")
    os.execvp("unshare", ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                          sys.executable, *sys.argv, INSIDE])


def set_up_network() -> str:
    """Loopback up, many ports, no pacing; returns the congestion control that is in force."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["sysctl", "-qw", "net.ipv4.ip_local_port_range=10240 65535", "net.core.somaxconn=16384"],
                   check=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for choice in ("cubic", "reno"):  # cubic where the host allows it to namespaces
        if subprocess.run(["sysctl", "-qw", f"net.ipv4.tcp_congestion_control={choice}"],
                          stderr=subprocess.DEVNULL).returncode == 0:
            break
    return pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


def description() -> dict:
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in cpuinfo if "model name" in line), "unknown")
    return {"machine": f"{model}, {os.cpu_count()} cores", "kernel": platform.release()}


def start(command, log: pathlib.Path, user: str | None = None) -> subprocess.Popen:
    with open(log, "wb") as output:
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, user=user)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_port(port: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise TimeoutError(f"nothing listens on port {port}") from None
            time.sleep(0.05)


def client_tls() -> ssl.SSLContext:
    """TLS 1.3 towards a contender. Every one shows the same certificate, made for the run: it is not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fetch(port: int, path: str, headers: dict, times: int = 1, scheme: str = "http") -> list:
    """The bodies of some requests on one connection; anything but 200 is an error."""
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=client_tls()) \
        if scheme == "https" else http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    bodies = []
    for _ in range(times):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"port {port} answers {response.status}: {body[:200]!r}")
        bodies.append(body)
    connection.close()
    return bodies


@dataclasses.dataclass
class Usage:
    """What a process, its threads and its children have used."""
    cpu_us: float = 0           # schedstat: nanoseconds of threads that live
    cpu_stat_us: float = 0      # /proc/PID/stat: in ticks, threads that ended included
    context_switches: int = 0
    memory_kib: int = 0         # PSS: pages shared by several count once

    def __sub__(self, earlier: "Usage") -> "Usage":
        return Usage(self.cpu_us - earlier.cpu_us, self.cpu_stat_us - earlier.cpu_stat_us,
                     self.context_switches - earlier.context_switches, self.memory_kib)


def usage(pid: int) -> Usage:
    total = Usage()
    tick_us = 1e6 / os.sysconf("SC_CLK_TCK")
    waiting = [pid]
    while waiting:
        process = pathlib.Path(f"/proc/{waiting.pop()}")
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        total.cpu_stat_us += (int(fields[11]) + int(fields[12])) * tick_us
        rollup = (process / "smaps_rollup").read_text()
        total.memory_kib += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        for task in (process / "task").iterdir():
            total.cpu_us += int((task / "schedstat").read_text().split()[0]) / 1e3
            total.context_switches += sum(int(line.split()[1]) for line in (task / "status").read_text().splitlines()
                                          if "ctxt_switches" in line)
            waiting += map(int, (task / "children").read_text().split())
    return total
