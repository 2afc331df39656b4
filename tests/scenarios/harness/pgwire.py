"""PostgreSQL's protocol 3 by hand: for what no driver would send."""
import socket
import struct

from harness.context import expect

TEXT, BINARY = 0, 1


def message(tag: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return tag.encode() + struct.pack("!I", 4 + len(body)) + body


def text(value: str | bytes) -> bytes:
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def startup(user: str, database: str, *parameters: tuple[str, str], version: int = 3 << 16) -> bytes:
    pairs = (("user", user), ("database", database), *parameters)
    body = struct.pack("!I", version) + b"".join(text(name) + text(value) for name, value in pairs) + b"\0"
    return struct.pack("!I", 4 + len(body)) + body


def password(secret: str) -> bytes:
    return message("p", text(secret))


def query(sql: str | bytes) -> bytes:
    return message("Q", text(sql))


def parse(sql: str | bytes, name: str = "", types=()) -> bytes:
    return message("P", text(name), text(sql), struct.pack("!H", len(types)),
                   *(struct.pack("!I", oid) for oid in types))


def bind(statement: str = "", portal: str = "", values=(), *, formats=(), results=()) -> bytes:
    parts = [text(portal), text(statement), struct.pack(f"!H{len(formats)}h", len(formats), *formats),
             struct.pack("!H", len(values))]
    for value in values:
        parts.append(struct.pack("!i", -1) if value is None else struct.pack("!I", len(value)) + value)
    parts.append(struct.pack(f"!H{len(results)}h", len(results), *results))
    return message("B", *parts)


def describe(name: str = "", kind: str = "P") -> bytes:
    return message("D", kind.encode(), text(name))


def execute(portal: str = "", rows: int = 0) -> bytes:
    return message("E", text(portal), struct.pack("!i", rows))


def close(name: str = "", kind: str = "P") -> bytes:
    return message("C", kind.encode(), text(name))


def call(function: int, *arguments: bytes, result=BINARY) -> bytes:
    """A function call with binary arguments."""
    return message("F", struct.pack("!IHHH", function, 1, BINARY, len(arguments)),
                   *(struct.pack("!I", len(value)) + value for value in arguments), struct.pack("!H", result))


SYNC, FLUSH, TERMINATE = message("S"), message("H"), message("X")
COPY_DONE = message("c")


def copy_data(data: bytes) -> bytes:
    return message("d", data)


def run(sql: str, *values: bytes, results=(), types=()) -> bytes:
    """A statement by the extended protocol, its result in `results`' formats."""
    return parse(sql, types=types) + bind(values=values, results=results) + execute() + SYNC


class Message:
    def __init__(self, tag: str, body: bytes):
        self.tag, self.body = tag, body

    def __repr__(self):
        return f"{self.tag}{self.body!r}"

    def fields(self) -> dict[str, str]:
        """Of an error or a notice."""
        return {part[:1].decode(): part[1:].decode(errors="replace") for part in self.body.split(b"\0") if part}

    def values(self) -> list[bytes | None]:
        """Of a row."""
        at, got = 2, []
        for _ in range(struct.unpack_from("!H", self.body)[0]):
            size = struct.unpack_from("!i", self.body, at)[0]
            at += 4
            got.append(None if size < 0 else self.body[at:at + size])
            at += max(size, 0)
        return got


class Client:
    """byte_by_byte: each byte is a TCP segment of its own."""

    def __init__(self, port: int, *, timeout: float = 10.0, byte_by_byte: bool = False):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self._byte_by_byte = byte_by_byte
        self.received = bytearray()  # All of it.
        self.has_ended = False
        self.messages: list[Message] = []  # For the caller to keep what it read.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        try:
            if self._byte_by_byte:
                for at in range(len(data)):
                    self._socket.sendall(data[at:at + 1])
            else:
                self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # What was read tells the rest.

    def read_raw(self) -> bytes:
        """Some bytes; none at the end."""
        try:
            piece = self._socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.has_ended = self.has_ended or not piece
        self.received += piece
        return piece

    def read(self) -> Message | None:
        """The next message; None at the end."""
        while len(self._unread) < 5 or len(self._unread) < 1 + self._size():
            piece = self.read_raw()
            if not piece:
                return None
            self._unread += piece
        size = 1 + self._size()
        taken, self._unread = self._unread[:size], self._unread[size:]
        return Message(chr(taken[0]), taken[5:])

    def _size(self) -> int:
        return struct.unpack_from("!I", self._unread, 1)[0]

    def read_until(self, tag: str) -> list[Message]:
        """Up to the first message of a kind, or the end."""
        got = []
        while True:
            one = self.read()
            if one is None:
                return got
            got.append(one)
            if one.tag == tag:
                return got

    def ask(self, data: bytes) -> list[Message]:
        """Sends, and reads up to ReadyForQuery."""
        self.send(data)
        return self.read_until("Z")

    def log_in(self, user: str, secret: str, database: str = "shop") -> "Client":
        self.send(startup(user, database))
        asked = self.read()
        expect(asked and asked.tag == "R" and asked.body == struct.pack("!I", 3), f"no password asked: {asked}")
        got = self.ask(password(secret))
        expect(got and got[-1].tag == "Z", f"not let in: {got}")
        return self
