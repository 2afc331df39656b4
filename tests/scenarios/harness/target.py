"""A target that remembers every byte and answers as the scenario says."""
import dataclasses
import socket
import threading


@dataclasses.dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def plain(body: bytes = b"ok", status: int = 200, content_type: str = "text/plain",
          headers=()) -> list[bytes]:
    """A response with a length, as pieces to send."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}",
             f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return [("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body]


def json_reply(text: str | bytes, **options) -> list[bytes]:
    body = text.encode() if isinstance(text, str) else text
    return plain(body, content_type="application/json", **options)


class Target:
    """answer(request) returns the response's bytes as pieces, each sent on its
    own; an empty piece closes the connection."""

    def __init__(self, context, answer=lambda request: plain(), keeps_bytes: bool = True,
                 keeps_requests: bool = True):
        self._answer = answer
        self._keeps_bytes = keeps_bytes
        self._keeps_requests = keeps_requests
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self.received = bytearray()
        self.connections = 0
        self.bytes_sent = 0
        self._sockets: set[socket.socket] = set()
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()
        context.on_exit(self.close)

    def close(self) -> None:
        self._closing = True
        # Wakes the thread in accept(), which close() alone would not.
        self._shut(self._listener)
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for peer in sockets:
            self._shut(peer)

    @staticmethod
    def _shut(peer: socket.socket) -> None:
        try:
            peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def seen(self) -> list[str]:
        with self._lock:
            return [request.target for request in self.requests]

    def count(self) -> int:
        with self._lock:
            return len(self.requests)

    def last(self) -> Request:
        with self._lock:
            return self.requests[-1]

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            if self._closing:
                peer.close()
                return
            with self._lock:
                self.connections += 1
                self._sockets.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = _Recorder(peer, self)
            while True:
                request = stream.read_request()
                if request is None:
                    return
                if self._keeps_requests:
                    with self._lock:
                        self.requests.append(request)
                for piece in self._answer(request):
                    if not piece:
                        return
                    peer.sendall(piece)
                    self.bytes_sent += len(piece)
        except (OSError, ValueError):
            pass  # the gateway went away, which scenarios make it do
        finally:
            with self._lock:
                self._sockets.discard(peer)
            peer.close()


class _Recorder:
    """Reads requests; everything that arrives is kept on the target."""

    def __init__(self, peer: socket.socket, target: Target):
        self._peer = peer
        self._target = target
        self._unread = b""

    def _fill(self) -> bool:
        piece = self._peer.recv(262144)
        if self._target._keeps_bytes:
            with self._target._lock:
                self._target.received += piece
        self._unread += piece
        return bool(piece)

    def _line(self) -> bytes:
        while b"\r\n" not in self._unread:
            if not self._fill():
                raise ValueError("closed")
        line, self._unread = self._unread.split(b"\r\n", 1)
        return line

    def _exactly(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing:
            if not self._unread and not self._fill():
                raise ValueError("closed")
            piece, self._unread = self._unread[:missing], self._unread[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def read_request(self) -> Request | None:
        if not self._unread and not self._fill():
            return None
        method, target, _ = self._line().decode("latin-1").split(" ", 2)
        headers = []
        while line := self._line():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        request = Request(method, target, headers, b"")
        if (request.header("Expect") or "").lower() == "100-continue":
            self._peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (request.header("Transfer-Encoding") or "").lower() == "chunked":
            pieces = []
            while size := int(self._line().split(b";")[0], 16):
                pieces.append(self._exactly(size))
                self._line()
            while self._line():
                pass
            request.body = b"".join(pieces)
        elif request.header("Content-Length") is not None:
            request.body = self._exactly(int(request.header("Content-Length")))
        return request
