"""The admin interface and the verbs that use it; keys that come, go and expire
while the gateway runs."""
import json
import os
import stat

from harness import prometheus, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.processes import free_port
from harness.target import Target


def check_endpoints(gateway: Gateway, tcp_port: int) -> None:
    mode = stat.S_IMODE(os.stat(gateway.admin_socket).st_mode)
    expect(mode == 0o600, f"the admin socket's mode is {mode:o}")
    for path, status in (("/livez", 200), ("/readyz", 200), ("/v1/status", 200), ("/metrics", 200),
                         ("/nothing", 404), ("/v1/reload", 405), ("/v1/drain", 405)):
        expect(gateway.admin("GET", path)[0] == status, f"{path}: {gateway.admin('GET', path)}")
        over_tcp = wire.request(tcp_port, "GET", path).status
        steers = path == "/v1/status"
        expect(over_tcp == (403 if steers else status), f"{path} over TCP: {over_tcp}")
    for path in ("/v1/reload", "/v1/drain"):
        expect(wire.request(tcp_port, "POST", path).status == 403, f"{path} is open over TCP")


def total(families, name: str, **labels) -> float:
    return sum(value for (_, found), value in families[name]["samples"].items()
               if labels.items() <= dict(found).items())


def check_metrics(gateway: Gateway) -> None:
    before = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    for _ in range(5):
        expect(wire.request(gateway.port, "GET", "/a", [gateway.auth]).status == 200, "allowed")
    for _ in range(3):
        expect(wire.request(gateway.port, "GET", "/forbidden/x", [gateway.auth]).status == 403, "denied")
    for _ in range(2):
        expect(wire.request(gateway.port, "GET", "/a").status == 401, "unauthenticated")
    after = prometheus.parse(gateway.admin("GET", "/metrics")[1])
    expect(all(name.startswith("sluice_") for name in after), f"{list(after)}")
    for ruling, grown in (("allowed", 5), ("denied", 3), ("unauthenticated", 2)):
        difference = (total(after, "sluice_requests_total", ruling=ruling)
                      - total(before, "sluice_requests_total", ruling=ruling))
        expect(difference == grown, f"{ruling}: {difference} instead of {grown}")


def measured(gateway: Gateway) -> dict[str, int]:
    """How many requests were timed, by target; /metrics and /status agree."""
    family = prometheus.parse(gateway.admin("GET", "/metrics")[1])["sluice_request_duration_seconds"]
    counts = {dict(labels)["target"]: int(value) for (name, labels), value in family["samples"].items()
              if name.endswith("_count")}
    page = json.loads(gateway.admin("GET", "/v1/status")[1])
    shown = {latency["target"]: latency["count"] for latency in page["latency_us"]}
    expect(counts == shown, f"/metrics: {counts}, /status: {shown}")
    return counts


def target_entry(name: str, port: int) -> str:
    return f"""
  - name: {name}
    addresses: ["127.0.0.1:{port}"]"""


def check_latencies(gateway: Gateway, second_port: int, port: int) -> None:
    """Each target has its own histogram, and keeps it across reloads."""
    def ask(port: int, times: int) -> None:
        for _ in range(times):  # a connection each, so that both workers take part
            expect(wire.request(port, "GET", "/a", [gateway.auth]).status == 200, "allowed")

    def reload(edit) -> None:
        gateway.configuration.write_text(edit(gateway.configuration.read_text()))
        gateway.sluice("reload", "--socket", gateway.admin_socket, check=True)

    before = measured(gateway)
    expect(set(before) == {"api", "second"}, f"{before}")
    ask(gateway.port, 20)
    ask(second_port, 7)
    after = measured(gateway)
    grown = {target: after[target] - before[target] for target in after}
    expect(grown == {"api": 20, "second": 7}, f"{grown}")

    # "second" stays, a target comes before it, and its listener goes to that one.
    reload(lambda text: text.replace("target: second", "target: fresh").replace(
        target_entry("second", port), target_entry("fresh", port) + target_entry("second", port)))
    expect(measured(gateway) == after | {"fresh": 0}, f"{measured(gateway)} is not {after} and a new one")
    ask(gateway.port, 1)
    ask(second_port, 5)
    expected = {"api": after["api"] + 1, "second": after["second"], "fresh": 5}
    expect(measured(gateway) == expected, f"{measured(gateway)} instead of {expected}")

    # A target that is no longer named is no longer shown.
    reload(lambda text: text.replace(target_entry("second", port), ""))
    del expected["second"]
    expect(measured(gateway) == expected, f"{measured(gateway)} instead of {expected}")


def check_verbs(gateway: Gateway) -> None:
    socket = ("--socket", gateway.admin_socket)
    page = gateway.sluice("status", *socket, "--json", check=True).json()
    expect(page["state"] == "running" and page["listeners"][0]["name"] == "main", f"{page}")
    text = gateway.sluice("status", "-c", gateway.configuration, check=True).out
    expect("running" in text and "listener main" in text, text)
    page = gateway.sluice("reload", *socket, "--json", check=True).json()
    expect(page["configuration"] > 1, f"{page}")
    expect(gateway.sluice("status", "--socket", "/nonexistent/admin.sock").code == 1, "no gateway is 1")
    checked = gateway.sluice("check", "-c", gateway.configuration, "--json", check=True).json()
    listener = checked["listeners"][0]
    expect([rule["name"] for rule in listener["rules"]] == ["nothing forbidden", "testers may everything"],
           f"strictest first: {listener['rules']}")
    expect(listener["limits"]["head_bytes_max"] == 16384, f"{listener['limits']}")


def check_keys(gateway: Gateway) -> None:
    def status(key: str) -> int:
        return wire.request(gateway.port, "GET", "/a", [("Authorization", f"Bearer {key}")]).status

    fresh = gateway.new_key("newcomer", "testers")
    wait_until(lambda: status(fresh) == 200, "a new key to work without a restart", 5)
    expired = gateway.new_key("latecomer", "testers", expires="2020-01-01T00:00:00Z")
    brief = gateway.new_key("brief", "testers", expires="3s")
    wait_until(lambda: status(brief) == 200, "the brief key to work", 2.5)
    expect(status(expired) == 401, "an expired key works")
    wait_until(lambda: status(brief) == 401, "the brief key to expire", 5)

    # Rotation: the file without the newcomer's entry, put in place by renaming.
    entries = gateway.keys_file.read_text().split("- id:")
    kept = [entry for entry in entries if "newcomer" not in entry]
    swap = gateway.folder / "swap.yaml"
    swap.write_text("- id:".join(kept))
    swap.rename(gateway.keys_file)
    wait_until(lambda: status(fresh) == 401, "the removed key to stop working", 5)
    expect(status(gateway.key) == 200, "the tester's key was lost")

    # A broken file keeps the keys that are in force.
    good = gateway.keys_file.read_text()
    gateway.keys_file.write_text("nonsense: [")
    wait_until(lambda: json.loads(gateway.admin("GET", "/v1/status")[1])["reload_failures"] > 0,
               "the broken keys file to be noticed", 5)
    expect(status(gateway.key) == 200, "a broken keys file locked everyone out")
    gateway.keys_file.write_text(good)
    wait_until(lambda: json.loads(gateway.admin("GET", "/v1/status")[1])["last_reload_error"] == "",
               "the repaired file to be taken up", 5)


def run(context) -> None:
    target = Target(context)
    tcp_port = free_port()
    second_port = free_port()
    gateway = Gateway(
        context, target.port, workers=2,
        listener=f"""
  - name: second
    address: 127.0.0.1:{second_port}
    protocol: http
    target: second""",
        target=target_entry("second", target.port))
    text = gateway.configuration.read_text()
    gateway.configuration.write_text(text.replace(
        "admin: {", f"admin: {{tcp: 127.0.0.1:{tcp_port}, "))
    gateway.start()
    check_endpoints(gateway, tcp_port)
    check_metrics(gateway)
    check_latencies(gateway, second_port, target.port)
    check_verbs(gateway)
    check_keys(gateway)
    second = gateway.sluice("run", "-c", gateway.configuration)
    expect(second.code == 1, f"a second gateway on the same files: {second.out}{second.err}")
    expect(wire.request(gateway.port, "GET", "/a", [gateway.auth]).status == 200, "the first one suffered")
    gateway.stop()
    gateway.expect_verified()
