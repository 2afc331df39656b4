"""The control API holds to its own document: each role makes the calls that it may and no other,
each change is in the log, and whatever is sent, what comes back is as the document says."""
import http.client
import json
import os
import socket
import string
import subprocess
import sys
import threading
import urllib.parse

import jsonschema
from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.remote import ROLES
from harness.target import Target, plain

NOBODY = 65534
# As another account of the host: the kernel tells the gateway which one connects.
AS_OTHER = """
import json, sys
sys.path.insert(0, sys.argv[2])
from scenario_control_api import call
for line in sys.stdin:
    print(json.dumps(call(sys.argv[1], **json.loads(line))), flush=True)
"""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call(path: str, method: str, target: str, key: str = "", body: str | None = None):
    """Status, media type and text."""
    connection = _Connection(path)
    try:
        connection.request(method, target, body=None if body is None else body.encode("utf-8", "surrogatepass"),
                           headers={"Authorization": f"Bearer {key}"} if key else {})
        return said(connection.getresponse())
    finally:
        connection.close()


def said(reply) -> tuple[int, str, str]:
    """Status, media type and text; of a stream what is there at once."""
    media = reply.getheader("Content-Type")
    text = reply.read1(1 << 16) if media == "text/event-stream" else reply.read()
    return reply.status, media, text.decode(errors="replace")


class Other:
    """An account that is nobody in particular, in the group that may open the socket."""

    def __init__(self, context, gateway):
        os.chmod(context.folder, 0o711)
        self._process = subprocess.Popen(
            [sys.executable, "-c", AS_OTHER, str(gateway.admin_socket), os.path.dirname(__file__)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[])
        context.on_exit(self._process.kill)

    def call(self, **what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Document:
    def __init__(self, page: dict):
        self.page = page
        self.operations = [(method.upper(), path, what) for path, item in page["paths"].items()
                           for method, what in item.items()]

    def validator(self, schema: dict):
        return jsonschema.Draft202012Validator({**schema, "components": self.page["components"]})

    def schema_of(self, ref: dict) -> dict:
        return self.page["components"]["schemas"][ref["$ref"].rsplit("/", 1)[1]]

    def check(self, method: str, path: str, what: dict, status: int, media: str, text: str) -> None:
        place = f"{method} {path}: {status} {media} {text[:300]}"
        expect(str(status) in what["responses"], f"a status that the document does not have: {place}")
        content = what["responses"][str(status)]["content"]
        expect(media in content, f"a media type that the document does not have: {place}")
        if "json" not in media:
            return
        for error in self.validator(content[media].get("schema", {})).iter_errors(json.loads(text)):
            raise AssertionError(f"{place}: {error.message}")


def value_for(schema: dict):
    """One that is as the schema says."""
    if schema["type"] == "object":
        raise AssertionError("bodies have no objects in them")
    if schema["type"] == "array":
        return ["x"]
    if schema["type"] == "integer":
        return 1
    return schema.get("enum", ["x"])[0]


def target_for(path: str, what: dict, value=value_for) -> str:
    query = []
    for parameter in what.get("parameters", []):
        if parameter["in"] == "path":
            text = urllib.parse.quote(str(value(parameter["schema"])), safe="")
            path = path.replace("{" + parameter["name"] + "}", text)
        elif parameter["required"]:
            query.append((parameter["name"], str(value(parameter["schema"]))))
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def body_for(document: Document, what: dict) -> str | None:
    if "requestBody" not in what:
        return None
    schema = document.schema_of(what["requestBody"]["content"]["application/json"]["schema"])
    return json.dumps({name: value_for(schema["properties"][name]) for name in schema["required"]})


def check_roles(context, gateway, document, keys) -> None:
    """By keys, of an account that has no role itself."""
    other = Other(context, gateway)
    for method, path, what in document.operations:
        for role, key in {**keys, "nobody": gateway.key}.items():
            may = not what["x-roles"] or role in what["x-roles"] or "x-besides" in what
            if may and path == "/v1/drain":
                continue  # The last of all checks.
            status, media, text = other.call(method=method, target=target_for(path, what), key=key,
                                             body=body_for(document, what))
            document.check(method, path, what, status, media, text)
            # A decision is refused for reasons of its own, too: there is no such request.
            expect((status != 403) == may, f"{role} {method} {path}: {status} {text}")
        if what["x-roles"] and what.get("x-besides") != "this-host":
            status, *_ = other.call(method=method, target=target_for(path, what), body=body_for(document, what))
            expect(status == 403, f"an account without a role: {method} {path}: {status}")
    expected = {(subject, what["operationId"]) for _, _, what in document.operations if what["x-roles"]
                for subject, role in [*((role, role) for role in ROLES), ("tester", None), ("nobody", None)]
                # Whom a credential proves may make some without a role, and whoever is on this host others.
                if role not in what["x-roles"] and what.get("x-besides") != "this-host"
                and not (what.get("x-besides") == "proved" and subject != "nobody")}

    def denied() -> set:
        return {(one["subject"], one["detail"]) for one in gateway.records() if one.get("event") == "api-denied"}
    wait_until(lambda: denied() >= expected, "each denied call to be in the log")
    expect(denied() == expected, f"recorded as denied, and was not: {denied() - expected}")


def check_changes_are_recorded(gateway, document) -> None:
    """And what is disclosed. The list is the document's."""
    changing = [one for one in document.operations if one[2]["x-changes"] or one[2].get("x-discloses")]
    expect(len(changing) >= 8, f"{len(changing)} calls change or disclose something")
    for method, path, what in changing:
        if path == "/v1/drain":
            continue
        def count() -> int:
            return sum(one.get("event") == "api-called" and one["detail"] == what["operationId"]
                       for one in gateway.records())
        before = count()
        call(str(gateway.admin_socket), method, target_for(path, what), body=body_for(document, what))
        expect(count() == before + 1, f"{method} {path} left {count() - before} records")


class Fuzz:
    """Calls that are nearly what the document says, or not at all."""

    def __init__(self, random, document):
        self.random = random
        self.document = document

    def text(self) -> str:
        r = self.random
        odd = ["", "..", "/", "%", "\0", "\n", "é", "\ud800", "x" * 2000, "null", "-1", "1e9", "0x1", "'", "\"", "{}"]
        return r.choice(odd) if r.random() < 0.5 else "".join(r.choices(string.printable, k=r.randrange(20)))

    def value(self, schema: dict | None = None):
        r = self.random
        if schema is not None and r.random() < 0.6:
            return value_for(schema)
        return r.choice([self.text(), r.randrange(-5, 1 << 70), r.random(), True, None, [], {}, [self.text(), 1],
                         {"a": {"b": []}}, float("1e300")])

    def body(self, what: dict) -> str | None:
        r = self.random
        if r.random() < 0.1:
            return r.choice(["", "{", "[]", "null", "1", "{}{}", "\ufeff{}", "[" * 500, self.text()])
        if "requestBody" not in what:
            return None
        schema = self.document.schema_of(what["requestBody"]["content"]["application/json"]["schema"])
        names = [name for name in schema["properties"] if r.random() < 0.7] + ([self.text()] if r.random() < 0.2 else [])
        return json.dumps({name: self.value(schema["properties"].get(name)) for name in names})

    def target(self, path: str, what: dict) -> str:
        r = self.random
        query = [(parameter["name"], str(self.value(parameter["schema"]))) for parameter in what.get("parameters", [])
                 if parameter["in"] == "query" and r.random() < 0.5]
        if r.random() < 0.1:
            query.append((self.text(), self.text()))
        path = target_for(path, what, lambda schema: self.value(schema) or "x")
        encoded = urllib.parse.urlencode([(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass"))
                                          for a, b in query])
        return path + ("?" + encoded if encoded else "")


def check_fuzz(context, gateway, document) -> None:
    fuzz = Fuzz(context.random, document)
    operations = [one for one in document.operations if one[1] not in ("/v1/drain", "/v1/reload")]
    for _ in range(20_000 if context.full else 1_500):
        method, path, what = context.random.choice(operations)
        try:
            target = fuzz.target(path, what)
        except UnicodeEncodeError:
            continue
        status, media, text = call(str(gateway.admin_socket), method, target, body=fuzz.body(what))
        if status == 404 and "404" not in what["responses"]:
            continue  # The path became another.
        document.check(method, path, what, status, media, text)
    expect(gateway.admin("GET", "/readyz")[0] == 200, "it is not ready any more")


def sessions(gateway, *words) -> list[dict]:
    return gateway.sluice("sessions", "--socket", gateway.admin_socket, "--json", *words, check=True).json()["sessions"]


def check_sessions(gateway, target) -> None:
    with wire.Client(gateway.port) as idle, wire.Client(gateway.port) as busy:
        expect(idle.request("GET", "/a", [gateway.auth]).status == 200, "allowed")
        busy.send(wire.encode("GET", "/slow", [gateway.auth], None))
        wait_until(lambda: "/slow" in target.seen(), "the slow request to arrive")
        found = {one["state"]: one for one in sessions(gateway, "--principal", "tester")}
        expect(set(found) == {"idle", "busy"}, f"{found}")
        expect(found["idle"]["operations"] == 1 and found["idle"]["target"] == "api", f"{found}")
        expect(sessions(gateway, "--principal", "somebody") == [], "another's are listed")
        for state in ("idle", "busy"):
            done = gateway.sluice("kill", found[state]["id"], "--reason", "scenario", "--socket", gateway.admin_socket)
            expect(done.code == 0, f"kill: {done.err}")
        expect(busy.read_reply("GET").status == 503, "what was under way is not refused")
        try:
            expect(idle.request("GET", "/a", [gateway.auth]) is None, "a killed session goes on")
        except (wire.Closed, ConnectionError):
            pass
        wait_until(lambda: sessions(gateway) == [], "the sessions to go")
        again = gateway.sluice("kill", found["idle"]["id"], "--socket", gateway.admin_socket)
        expect(again.code == 1, f"it was killed twice: {again.code}")
    results = [one["result"] for one in gateway.records() if one["phase"] == "outcome"]
    expect("killed" in results, f"{results}")


def check_many_sessions(gateway) -> None:
    """Pages are cut by places, and none is lost between them."""
    clients = [wire.Client(gateway.port) for _ in range(400)]
    try:
        for client in clients:
            expect(client.request("GET", "/a", [gateway.auth]).status == 200, "allowed")
        ids = [one["id"] for one in sessions(gateway)]
        expect(len(ids) == len(set(ids)) == 400, f"{len(ids)} sessions")
        page = json.loads(gateway.admin("GET", "/v1/sessions?limit=1")[1])
        expect(1 <= len(page["sessions"]) <= 128 and page["next"], f"{len(page['sessions'])}")
    finally:
        for client in clients:
            client.close()


def run(context) -> None:
    answers = threading.Event()

    def answer(request):
        if request.target == "/slow":
            answers.wait(60)
        return plain()
    target = Target(context, answer)
    gateway = Gateway(context, target.port, workers=2)
    keys = {role: gateway.new_key(role, group) for role, group in ROLES.items()}
    roles = ", ".join(f"{role}: [{group}]" for role, group in ROLES.items())
    group = "socket_group: nogroup, " if os.getuid() == 0 else ""
    gateway.configuration.write_text(gateway.configuration.read_text().replace(
        "admin: {", f"admin: {{{group}roles: {{{roles}}}, "))
    gateway.start()
    document = Document(json.loads(gateway.admin("GET", "/v1/openapi.json")[1]))
    expect(json.loads(gateway.sluice("check", "--print-openapi", check=True).out) == document.page, "two documents")
    if os.getuid() == 0:
        check_roles(context, gateway, document, keys)
    check_changes_are_recorded(gateway, document)
    check_fuzz(context, gateway, document)
    check_sessions(gateway, target)
    answers.set()
    check_many_sessions(gateway)
    status, _, _ = call(str(gateway.admin_socket), "POST", "/v1/drain")
    expect(status == 202, f"drain: {status}")
    wait_until(lambda: gateway.process.status() is not None, "it to end", 40)
    gateway.expect_verified()
    events = [(one.get("event"), one.get("detail")) for one in gateway.records()]
    expect(("api-called", "drain") in events, "the drain is not recorded")
