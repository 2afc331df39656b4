"""Drain and SIGTERM: what is under way is finished, nothing new is taken, the
process ends with 0 and the log is whole."""
import signal
import threading

from harness import wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target, plain


def check(context, name: str, ask) -> None:
    release = threading.Event()

    def answer(request):
        if request.target == "/slow":
            release.wait(20)
        return plain(b"answer")

    target = Target(context, answer)
    gateway = Gateway(context, target.port, name=name).start()
    slow = wire.Client(gateway.port)
    idle = wire.Client(gateway.port)
    expect(idle.request("GET", "/quick", [gateway.auth]).status == 200, "the gateway serves")
    slow.send(wire.encode("GET", "/slow", [gateway.auth]))
    wait_until(lambda: "/slow" in target.seen(), "the slow request at the target")

    ask(gateway)
    wait_until(lambda: gateway.admin("GET", "/readyz")[0] == 503, "readiness to go")
    expect(gateway.admin("GET", "/livez")[0] == 200, "it still lives")

    def refuses() -> bool:
        try:
            with wire.Client(gateway.port, timeout=2) as late:
                reply = late.request("GET", "/late", [gateway.auth])
                expect(reply.status == 503 and reply.header("Connection") == "close", f"{reply}")
        except (OSError, wire.Closed):
            pass
        return True
    refuses()
    expect("/late" not in target.seen(), "a new request was taken while draining")

    release.set()
    reply = slow.read_reply()
    expect(reply.status == 200 and reply.body == b"answer", f"the slow request got {reply}")
    expect(idle.read_all() == b"", "an idle connection got bytes at the end")
    status = gateway.process.wait(15)
    expect(status == 0, f"the gateway ended with {status}: {gateway.process.output()}")
    expect(not gateway.admin_socket.exists(), "the admin socket was left behind")
    report = gateway.expect_verified()
    expect(report["unsigned_tail_records"] == 0, f"unsigned records after a clean stop: {report}")
    events = [record.get("event") for record in gateway.records() if record["phase"] == "control"]
    expect("started" in events and events[-2:] == ["stopped", "log-closed"], f"control records: {events}")
    slow.close()
    idle.close()


def run(context) -> None:
    check(context, "verb", lambda gateway: gateway.sluice(
        "drain", "--socket", gateway.admin_socket, check=True))
    check(context, "sigterm", lambda gateway: gateway.process.signal(signal.SIGTERM))
