"""PostgreSQL's protocol 3 as a client speaks it: enough to ask, and to compare what comes byte by byte."""
import socket
import struct


def message(tag: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return tag.encode() + struct.pack("!I", 4 + len(body)) + body


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def simple(statement: str) -> bytes:
    return message("Q", _text(statement))


def _run(name: str, values) -> bytes:
    """As libpq asks: the columns are described each time."""
    bound = b"".join(struct.pack("!I", len(value)) + value for value in values)
    return (message("B", _text(""), _text(name), struct.pack("!HH", 0, len(values)), bound, struct.pack("!H", 0))
            + message("D", b"P", _text("")) + message("E", _text(""), struct.pack("!I", 0)) + message("S"))


def extended(statement: str, *values: bytes) -> bytes:
    return message("P", _text(""), _text(statement), struct.pack("!H", 0)) + _run("", values)


def prepared(statement: str, *values: bytes, times: int = 2) -> bytes:
    parse = message("P", _text("point"), _text(statement), struct.pack("!H", 0)) + message("S")
    return parse + _run("point", values) * times + message("C", b"S", _text("point")) + message("S")


def messages(answer: bytes):
    """(tag, body) of each message."""
    at = 0
    while at < len(answer):
        size = struct.unpack_from("!I", answer, at + 1)[0]
        yield chr(answer[at]), answer[at + 5:at + 1 + size]
        at += 1 + size


def row(values) -> bytes:
    """A DataRow; None is a NULL."""
    parts = [struct.pack("!i", -1) if value is None else struct.pack("!I", len(value)) + value for value in values]
    return message("D", struct.pack("!H", len(parts)), *parts)


def values(body: bytes) -> list:
    """Of a DataRow's body."""
    at, got = 2, []
    for _ in range(struct.unpack_from("!H", body)[0]):
        size = struct.unpack_from("!i", body, at)[0]
        at += 4
        got.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    return got


def with_rows(answer: bytes, change) -> bytes:
    """The answer with each row's values as `change` makes them."""
    return b"".join(row(change(values(body))) if tag == "D" else message(tag, body)
                    for tag, body in messages(answer))


class Client:
    """Logged in with a password in clear text."""

    def __init__(self, port: int, user: str, password: str, database: str):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pairs = b"".join(map(_text, ("user", user, "database", database))) + b"\0"
        self.socket.sendall(struct.pack("!II", 8 + len(pairs), 3 << 16) + pairs)
        self._read_until("R")
        self.ask(message("p", _text(password)))

    def close(self) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> bytes:
        """Everything up to the ReadyForQuery that answers the request's last Sync or Query."""
        expected = sum(tag in "QS" for tag, _ in messages(request)) or 1
        self.socket.sendall(request)
        return self._read_until("Z", expected)

    def _read_until(self, wanted: str, times: int = 1) -> bytes:
        answer, at = bytearray(), 0
        while True:
            while len(answer) - at >= 5:
                size = 1 + struct.unpack_from("!I", answer, at + 1)[0]
                if len(answer) - at < size:
                    break
                tag = chr(answer[at])
                if tag == "E":
                    raise RuntimeError(f"refused: {bytes(answer[at:at + size])!r}")
                at += size
                times -= tag == wanted
                if times == 0:
                    return bytes(answer)
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise RuntimeError(f"the connection ended after {bytes(answer[-200:])!r}")
            answer += piece
