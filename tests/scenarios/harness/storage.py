"""S3-compatible storage with one bucket. Signatures are worked out anew with botocore, Amazon's own
code; a locked object is never replaced."""
import base64
import datetime
import hashlib
import http.server
import re
import threading

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.context import Context


class Storage:
    ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "AKSCENARIO", "a secret/key+of=40", "eu-test-1", "evidence"

    def __init__(self, context: Context, *, locks: bool):
        self.objects: dict[str, bytes] = {}
        self.locked_until: dict[str, str] = {}
        self.refusals: list[str] = []
        self.fails = 0  # So many answers are 503 first.
        self.locks = locks
        storage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, code = storage.put(self.path, self.headers, body)
                if code:
                    storage.refusals.append(code)
                answer = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        context.on_exit(self._server.shutdown)

    def put(self, path: str, headers, body: bytes) -> tuple[int, str]:
        if self.fails:
            self.fails -= 1
            return 503, "SlowDown"
        digest = hashlib.sha256(body)
        if headers["x-amz-content-sha256"] != digest.hexdigest():
            return 400, "XAmzContentSHA256Mismatch"
        if headers["x-amz-checksum-sha256"] != base64.b64encode(digest.digest()).decode():
            return 400, "BadDigest"
        if not self.is_signed(path, headers, body):
            return 403, "SignatureDoesNotMatch"
        if not path.startswith(f"/{self.BUCKET}/"):
            return 404, "NoSuchBucket"
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        until = headers.get("x-amz-object-lock-retain-until-date")
        if self.locks and (headers.get("x-amz-object-lock-mode") != "COMPLIANCE" or not until or until <= now):
            return 400, "InvalidRequest"
        key = path.removeprefix(f"/{self.BUCKET}/")
        # As with versions: what was there stays what it was.
        if key in self.objects and self.objects[key] != body:
            return 403, "AccessDenied"
        self.objects[key] = body
        self.locked_until[key] = until or ""
        return 200, ""

    def is_signed(self, path: str, headers, body: bytes) -> bool:
        found = re.fullmatch(rf"AWS4-HMAC-SHA256 Credential={self.ACCESS_KEY}/(\d{{8}})/{self.REGION}/s3/aws4_request, ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})", headers["Authorization"])
        if not found:
            return False
        signed = found.group(2).split(";")
        # Else somebody between could shorten the lock.
        if any(name.startswith("x-amz-") and name not in signed for name in map(str.lower, headers)) or "host" not in signed:
            return False
        request = AWSRequest(method="PUT", url=self.endpoint + path, data=body,
                             headers={name: headers[name] for name in signed})
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = S3SigV4Auth(Credentials(self.ACCESS_KEY, self.SECRET_KEY), "s3", self.REGION)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return signer.signature(text, request) == found.group(3)

    def lines(self) -> list[str]:
        """Of all objects, in the order of their keys."""
        return [line for key in sorted(self.objects) for line in self.objects[key].decode().splitlines()]
