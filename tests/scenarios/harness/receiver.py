"""Somebody whom webhooks tell: a server over TLS that keeps what came, and checks who signed it."""
import hashlib
import hmac
import http.server
import json
import ssl
import threading
import time

from harness.certificates import Authority
from harness.context import Context
from harness.processes import free_port


class Delivery:
    def __init__(self, path: str, headers, body: bytes):
        self.path, self.body = path, body
        self.number = int(headers["Sluice-Delivery"])
        self.signature = headers["Sluice-Signature"]
        self.content_type = headers["Content-Type"]
        self.at = time.monotonic()

    @property
    def page(self) -> dict:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """As a receiver should: the time, too."""
        parts = dict(part.split("=", 1) for part in (self.signature or "").split(",") if "=" in part)
        wanted = hmac.new(secret.encode(), parts.get("t", "").encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts.get("v1", "")) and abs(time.time() - int(parts["t"])) < 60


class Receiver:
    """Answers what `answers` holds for a path, one after the other, and then 204. Serves from start() on."""

    def __init__(self, context: Context, name: str):
        folder = context.folder / name
        folder.mkdir()
        self.authority = Authority(folder)
        self._certificate = self.authority.issue("127.0.0.1", "IP:127.0.0.1")
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.deliveries: list[Delivery] = []  # all that came, in order
        self.answers: dict[str, list[tuple[int, dict]]] = {}
        self._server = None
        context.on_exit(self.stop)

    def start(self) -> "Receiver":
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.append(Delivery(self.path, self.headers, body))
                waiting = receiver.answers.get(self.path, [])
                status, fields = waiting.pop(0) if waiting else (204, {})
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # Who does not trust the certificate goes away.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*self._certificate)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def of(self, path: str, event: str = "") -> list[Delivery]:
        return [one for one in list(self.deliveries)
                if one.path == path and (not event or one.page.get("event") == event)]
