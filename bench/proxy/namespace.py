"""A network namespace of the benchmark's own: loopback without the host's pacing.

bbr, where it is the host's default, paces on loopback and distorts everything.
"""
import socket
import subprocess
import time


class Namespace:
    def __init__(self, name="sluice-bench"):
        self.name = name
        self.congestion_control = "?"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run(["ip", "link", "set", "lo", "up"], check=True)
        for choice in ("cubic", "reno"):  # cubic where the host allows it to namespaces
            if self.run(["sysctl", "-qw", f"net.ipv4.tcp_congestion_control={choice}"],
                        stderr=subprocess.DEVNULL).returncode == 0:
                self.congestion_control = choice
                break
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def _inside(self, command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, command, **options):
        return subprocess.run(self._inside(command), **options)

    def popen(self, command, **options):
        # exec replaces `ip`, so the pid is the program's own.
        return subprocess.Popen(self._inside(command), stderr=subprocess.STDOUT, **options)

    def fetch(self, port, headers=None) -> bytes:
        options = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
        return self.run(["curl", "-s", "--max-time", "5", *options, f"http://127.0.0.1:{port}/v1/payment"],
                        check=True, capture_output=True).stdout

    def await_port(self, port, seconds=15):
        probe = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"]
        end = time.monotonic() + seconds
        while self.run(probe, stderr=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError(f"nothing listens on port {port}")
            time.sleep(0.1)


def free_ports(count):
    """Ports that nobody has here; the namespace is fresh, so they are free there too."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
