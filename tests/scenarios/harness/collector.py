"""An OpenTelemetry collector that takes logs by OTLP/HTTP in JSON, over TLS, and nothing that the
specification does not have."""
import http.server
import json
import re
import ssl
import threading
import time

from harness.certificates import Authority
from harness.context import Context

# opentelemetry-proto, logs.proto and common.proto, as JSON: what each message may have. A nested
# list is a repeated message.
SHAPES = {
    "request": {"resourceLogs": ["resource_logs"]},
    "resource_logs": {"resource": "resource", "scopeLogs": ["scope_logs"], "schemaUrl": "text"},
    "resource": {"attributes": ["key_value"], "droppedAttributesCount": "uint32"},
    "scope_logs": {"scope": "scope", "logRecords": ["log_record"], "schemaUrl": "text"},
    "scope": {"name": "text", "version": "text", "attributes": ["key_value"], "droppedAttributesCount": "uint32"},
    "log_record": {"timeUnixNano": "uint64", "observedTimeUnixNano": "uint64", "severityNumber": "severity",
                   "severityText": "text", "body": "any_value", "attributes": ["key_value"],
                   "droppedAttributesCount": "uint32", "flags": "uint32", "traceId": "hex", "spanId": "hex",
                   "eventName": "text"},
    "key_value": {"key": "text", "value": "any_value"},
    "any_value": {"stringValue": "text", "boolValue": "flag", "intValue": "int64", "doubleValue": "real",
                  "arrayValue": "array", "kvlistValue": "list", "bytesValue": "text"},
    "array": {"values": ["any_value"]},
    "list": {"values": ["key_value"]},
}
LEAVES = {
    "text": lambda value: isinstance(value, str),
    "flag": lambda value: isinstance(value, bool),
    "real": lambda value: isinstance(value, (int, float)),
    "uint32": lambda value: type(value) is int and 0 <= value < 1 << 32,
    # "64-bit integer numbers in JSON-encoded payloads are encoded as decimal strings"
    "uint64": lambda value: isinstance(value, str) and re.fullmatch(r"\d{1,20}", value) and int(value) < 1 << 64,
    "int64": lambda value: isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value),
    "severity": lambda value: type(value) is int and 1 <= value <= 24,  # never by name
    "hex": lambda value: isinstance(value, str) and re.fullmatch(r"([0-9a-fA-F]{2})*", value),
}


def fault(shape, value, place: str = "request") -> str:
    """What of a message is not as the specification says; empty when all is."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is no list"
        return next(filter(None, (fault(shape[0], one, f"{place}[{i}]") for i, one in enumerate(value))), "")
    if shape in LEAVES:
        return "" if LEAVES[shape](value) else f"{place} is no {shape}: {value!r}"
    members = SHAPES[shape]
    if not isinstance(value, dict):
        return f"{place} is no {shape}"
    if unknown := set(value) - set(members):
        return f"{place} has {sorted(unknown)}"
    if shape == "any_value" and len(value) != 1:
        return f"{place} has {len(value)} values"
    return next(filter(None, (fault(members[name], one, f"{place}.{name}") for name, one in value.items())), "")


class Collector:
    """Answers with what `answers` holds, one for each request, and then with success."""
    TOKEN = "Bearer of-the-collector"

    def __init__(self, context: Context):
        self.records: list[dict] = []       # of all requests that were taken, in order
        self.resources: list[dict] = []
        self.faults: list[str] = []
        self.answers: list[tuple[int, dict, dict]] = []  # status, header fields, body
        self.times: list[float] = []        # when requests came that were let in
        folder = context.folder / "collector"
        folder.mkdir()
        self.authority = Authority(folder)
        certificate, key = self.authority.issue("127.0.0.1", "IP:127.0.0.1")
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, fields, answer = collector.take(self.path, self.headers, body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # Who does not trust the certificate goes away.
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.endpoint = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        context.on_exit(self._server.shutdown)

    def take(self, path: str, headers, body: bytes) -> tuple[int, dict, dict]:
        if path != "/v1/logs" or headers["Content-Type"] != "application/json":
            self.faults.append(f"{path} {headers['Content-Type']}")
            return 404, {}, {"message": "not here"}
        if headers["Authorization"] != self.TOKEN:
            return 401, {}, {"message": "who are you?"}
        self.times.append(time.monotonic())
        request = json.loads(body)
        if wrong := fault("request", request):
            self.faults.append(wrong)
            return 400, {}, {"message": wrong}
        answer = self.answers.pop(0) if self.answers else (200, {}, {})
        if answer[0] == 200 and answer[2].get("partialSuccess", {}).get("rejectedLogRecords", "0") == "0":
            self.keep(request)
        return answer

    def keep(self, request: dict) -> None:
        for logs in request["resourceLogs"]:
            self.resources.append(attributes(logs["resource"]["attributes"]))
            for scope in logs["scopeLogs"]:
                self.records += scope["logRecords"]

    def indices(self) -> list[int]:
        return [attributes(record["attributes"])["sluice.index"] for record in self.records]


def attributes(key_values: list[dict]) -> dict:
    def plain(value: dict):
        (kind, content), = value.items()
        if kind == "arrayValue":
            return [plain(one) for one in content["values"]]
        return int(content) if kind == "intValue" else content
    return {one["key"]: plain(one["value"]) for one in key_values}
