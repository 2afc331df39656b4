"""Ways around a rule that targets would fall for: each is refused, or what policy did
not see stays here. The bytes that the target got are the proof."""
import base64

from harness import wire
from harness.context import expect
from harness.gateway import ALLOW_ALL, Gateway
from harness.target import Target, json_reply, plain

RULES = ALLOW_ALL + """
  - name: no admin
    operations: {http: {paths: ["/admin/**"]}}
    ruling: deny
  - name: no debugging
    operations: {http: {headers: [{name: X-Debug, pattern: "^1$"}]}}
    ruling: deny
  - name: staging needs its mark
    principals: {groups: [marked]}
    operations: {http: {headers: [{name: X-Stage, pattern: "^test$"}]}}
    ruling: allow
  - name: no drops
    operations: {http: {methods: [POST], paths: ["/sql/**"], body: ["DROP TABLE"]}}
    ruling: deny
"""
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
CARD = "4111111111111111"


def check_requests(gateway, target) -> None:
    def status(method, path, headers=(), body=None) -> int:
        return wire.request(gateway.port, method, path, [gateway.auth, *headers], body).status

    for path in ("/ADMIN/x", "/Admin;a=b/x", "/aDmIn"):
        expect(status("GET", path) == 403, f"{path} passed")
    for method in ("TRACE", "delete", "Get"):
        expect(status(method, "/x") in (400, 501), f"{method} passed")
    for field in ("X-HTTP-Method-Override", "X-Original-URL", "Content_Length", "X_Forwarded_For"):
        expect(status("POST", "/x", [(field, "7")]) == 400, f"{field} passed")
    expect(target.count() == 0, f"the target saw {target.seen()}")

    # Policy sees what goes on, and nothing else does.
    marked = gateway.new_key("marked", "marked")
    gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)
    mark = [("X-Api-Key", marked), ("X-Stage", "test")]
    expect(wire.request(gateway.port, "GET", "/x", mark).status == 200, "the mark does not count")
    reply = wire.request(gateway.port, "GET", "/x", [*mark, ("Connection", "X-Stage")])
    expect(reply.status == 403, "a mark that does not go on counted")
    expect(status("GET", "/x", [("x_internal-TOKEN", "evil"), ("X-Forwarded-User", "root"),
                                ("X-Real-IP", "192.0.2.1"), ("Proxy", "http://x")]) == 200, "refused")
    seen = target.last()
    expect(seen.all("X-Internal-Token") == ["target-secret"], f"the credential: {seen.headers}")
    for name in ("x_internal-TOKEN", "X-Forwarded-User", "X-Real-IP", "Proxy"):
        expect(seen.header(name) is None, f"{name} went on")

    with wire.Client(gateway.port) as client:
        client.send(("POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                     f"{gateway.auth[0]}: {gateway.auth[1]}\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n0\r\nX-Debug: 1\r\n\r\n").encode())
        expect(client.read_reply().status == 200, "a chunked request was refused")
    expect(target.last().body == b"abc", "the body changed")
    expect(b"X-Debug" not in bytes(target.received), "a trailer went on that no rule had seen")
    expect(target.last().header("Content-Type") == "text/plain", f"the head: {target.last().headers}")


def check_bodies(gateway, target) -> None:
    def status(content_type, body: bytes) -> int:
        return wire.request(gateway.port, "POST", "/sql/x", [gateway.auth, content_type], body).status

    before = target.count()
    text = '{"q":"DROP TABLE x"}'
    for charset in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"):
        for kind in (JSON, ("Content-Type", "text/xml")):
            expect(status(kind, text.encode(charset)) == 415, f"{charset} passed as {kind}")
    for parameter in ("charset = utf-16", "charset*=utf-8''utf-16", 'charset="utf-7"'):
        header = ("Content-Type", f"application/json; {parameter}")
        expect(status(header, b"{}") == 415, f"{parameter} passed")
    for kind, body in ((JSON, b'{"q":"{\\"x\\":\\"\\\\u0044ROP TABLE\\"}"}'),
                       (FORM, b"p=%7B%22q%22%3A%22%5Cu0044ROP+TABLE%22%7D"),
                       (FORM, b"p=%u0044ROP+TABLE"), (JSON, b'{"q":"\\u0044ROP TABLE"}')):
        expect(status(kind, body) == 403, f"{body} passed")
    multipart = ("Content-Type", "multipart/form-data; boundary=b")
    for field, value in (("Content-Transfer-Encoding: Base64", base64.b64encode(b"DROP TABLE x")),
                         ("content-transfer-encoding:quoted-printable", b"=44ROP TABLE x"),
                         ("Content-Type: text/plain; charset=UTF-16", "DROP TABLE".encode("utf-16-le"))):
        part = (b'--b\r\nContent-Disposition: form-data; name="q"\r\n' + field.encode()
                + b"\r\n\r\n" + value + b"\r\n--b--\r\n")
        expect(status(multipart, part) == 415, f"{field} passed")
    expect(target.count() == before, f"the target saw {target.seen()[before:]}")
    fine = (b'--b\r\nContent-Disposition: form-data; name="q"\r\n'
            b"Content-Transfer-Encoding: 8bit\r\n\r\nhello\r\n--b--\r\n")
    expect(status(multipart, fine) == 200, "a plain part was refused")
    expect(status(("Content-Type", "application/octet-stream"), b"a\0b") == 200, "bytes were refused")


def check_answers(context) -> None:
    card_in_trailer = (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                       b"\r\n3\r\nabc\r\n0\r\nX-Pan: " + CARD.encode() + b"\r\n\r\n")
    replies = {"/trailer": [card_in_trailer], "/ndjson": plain(b'{"cvc":"123"}\n{"cvc":"456"}\n', content_type="application/x-ndjson")}
    target = Target(context, lambda request: replies.get(request.target, json_reply("{}")))
    gateway = Gateway(context, target.port, name="masked", masks="""
  - {name: cvc, find: {json: ["$..cvc"]}, show: redact}
  - {name: pan, find: builtin:payment-card, show: redact}
""").start()
    reply = wire.request(gateway.port, "GET", "/ndjson", [gateway.auth])
    expect(b"123" not in reply.body and b"456" not in reply.body, f"NDJSON: {reply.body}")

    with wire.Client(gateway.port) as client:
        client.send(wire.encode("GET", "/trailer", [gateway.auth, ("Connection", "close")]))
        answer = client.read_all()
    expect(CARD.encode() not in answer, f"a trailer in clear: {answer}")
    head = answer.partition(b"\r\n\r\n")[0]
    expect(b"Content-Type: text/plain" in head and b"X-Pan" not in head, f"the head: {answer}")
    expect(b"X-Pan: [redacted]" in answer, f"the trailer: {answer}")

    # Records show no value through the escapes of a path.
    for blank in ("%20", "%2D", "-"):
        wire.request(gateway.port, "GET", "/cards/" + blank.join([CARD[:4]] * 4), [gateway.auth])
    gateway.stop()
    for record in gateway.intents():
        expect("1111" not in record.get("resource", ""), f"a card is in a record: {record['resource']}")


def run(context) -> None:
    target = Target(context)
    (context.folder / "credential").write_text("target-secret")
    gateway = Gateway(context, target.port, policies=RULES,
                      target='credential: {header: "X-Internal-Token", value: "file:%s"}'
                      % (context.folder / "credential")).start()
    check_requests(gateway, target)
    check_bodies(gateway, target)
    gateway.stop()
    gateway.expect_verified()
    check_answers(context)
