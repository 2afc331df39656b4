"""HTTP/1.1 as bytes: just enough of a client, on a socket the scenario can hold."""
import dataclasses
import socket


@dataclasses.dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


class Closed(Exception):
    """The peer closed before a reply was whole."""


class Client:
    """One connection."""

    def __init__(self, port: int, timeout: float = 30.0, receive_buffer: int = 0, source: str = ""):
        self.socket = socket.socket()
        if source:
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb", buffering=64 * 1024)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, target: str, headers=(), body: bytes | None = None) -> Reply:
        self.send(encode(method, target, headers, body))
        return self.read_reply(method)

    def read_head(self) -> tuple[int, list[tuple[str, str]]]:
        line = self._file.readline(65536)
        if not line:
            raise Closed
        version, status = line.split(b" ", 2)[:2]
        if not version.startswith(b"HTTP/1."):
            raise AssertionError(f"not a status line: {line!r}")
        headers = []
        while True:
            line = self._file.readline(65536)
            if line == b"\r\n":
                return int(status), headers
            if not line.endswith(b"\r\n"):
                raise Closed
            name, _, value = line[:-2].partition(b":")
            headers.append((name.decode("latin-1"), value.strip().decode("latin-1")))

    def read_reply(self, method: str = "GET") -> Reply:
        status, headers = self.read_head()
        while 100 <= status < 200:
            status, headers = self.read_head()
        reply = Reply(status, headers, b"")
        if method == "HEAD" or status in (204, 304):
            return reply
        if (reply.header("Transfer-Encoding") or "").lower() == "chunked":
            reply.body = self._read_chunked()
        elif reply.header("Content-Length") is not None:
            reply.body = self.read_exactly(int(reply.header("Content-Length")))
        else:
            reply.body = self._file.read()
        return reply

    def read_exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise Closed
        return data

    def _read_chunked(self) -> bytes:
        pieces = []
        while True:
            size = int(self._file.readline(1024).split(b";")[0], 16)
            if size == 0:
                while self._file.readline(65536) not in (b"\r\n", b""):
                    pass
                return b"".join(pieces)
            pieces.append(self.read_exactly(size))
            if self.read_exactly(2) != b"\r\n":
                raise AssertionError("a chunk does not end with CRLF")

    def read_all(self) -> bytes:
        """Everything until the peer closes, or nothing more comes."""
        pieces = []
        try:
            while True:
                piece = self._file.read1(65536)
                if not piece:
                    break
                pieces.append(piece)
        except (TimeoutError, ConnectionResetError):
            pass
        return b"".join(pieces)


def encode(method: str, target: str, headers=(), body: bytes | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1"]
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        lines.append("Host: gateway.test")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def request(port: int, method: str, target: str, headers=(), body: bytes | None = None) -> Reply:
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.request(method, target, headers, body)
