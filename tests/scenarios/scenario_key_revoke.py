"""An API key that was taken back is refused at once, by curl and psql, on old connections and new ones, and
stays so when the gateway is killed, reloaded, or its keys file changes; only an admin may, behind a record."""
import os
import subprocess

import psycopg2

from harness import pgwire, wire
from harness.context import expect, wait_until
from harness.postgres import Cluster, PostgresGateway, environment, program
from harness.processes import free_port
from harness.remote import Remote
from harness.target import Target

OK, FAILED, USAGE, BAD_CONFIGURATION, DENIED = 0, 1, 2, 3, 5


class House:
    """A gateway with listeners for HTTP and for both ways to log in to PostgreSQL."""

    def __init__(self, context):
        self.context = context
        self.cluster = Cluster(context)
        self.target = Target(context)
        self.remote = Remote(context)
        self.gateway = PostgresGateway(context, self.cluster, workers=2, admin=self.remote.admin)
        self.http_port, self.scram_port = free_port(), free_port()
        text = self.gateway.configuration.read_text()
        self.gateway.configuration.write_text(text.replace("listeners:\n", f"""listeners:
  - {{name: web, address: "127.0.0.1:{self.http_port}", protocol: http, target: web}}
  - {{name: scram, address: "127.0.0.1:{self.scram_port}", protocol: postgres, target: api}}
""", 1).replace("targets:\n", f"""targets:
  - {{name: web, addresses: ["127.0.0.1:{self.target.port}"]}}
""", 1))
        self.remote.admit(self.gateway)
        self.secrets = [self.gateway.key, *self.remote.tokens.values()]

    def new_key(self, subject: str, *more: str) -> str:
        self.secrets.append(self.gateway.new_key(subject, "testers", "1h", *more))
        return self.secrets[-1]

    def ask(self, key: str) -> int:
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--oauth2-bearer", key,
                               f"http://127.0.0.1:{self.http_port}/pay"], capture_output=True, text=True, timeout=60)
        return int(done.stdout)

    def may_log_in(self, user: str, key: str, port: int | None = None) -> bool:
        done = program(environment(port or self.gateway.port, user, key), "psql", "-X", "-A", "-t", "-c", "SELECT 1",
                       check=False)
        expect(done.stdout == "1\n" or "authentication failed" in done.stderr, f"psql: {done}")
        return done.returncode == 0

    def here(self, *words):
        """The CLI on the admin socket."""
        return self.gateway.sluice("key", *words, "--socket", self.gateway.admin_socket)

    def states(self) -> dict[str, bool]:
        done = self.here("list", "--json")
        expect(done.code == OK, f"key list: {done.err}")
        return {one["id"]: one["revoked"] for one in done.json()["keys"]}

    def expect_refused(self, *keys: str, user: str = "batch") -> None:
        """By every worker: one takes it up between two of its turns."""
        for key in keys:
            wait_until(lambda: all(self.ask(key) == 401 for _ in range(8)), "the revoked key to be refused", 5)
            expect(not self.may_log_in(user, key), "a revoked key is a good password")


def id_of(key: str) -> str:
    return key.split("_")[1]


def check_list(house: House, keys: list[str]) -> None:
    states = house.states()
    expect(states == {id_of(key): False for key in [*house.remote.tokens.values(), house.gateway.key, *keys]},
           f"listed: {states}")
    expect(house.remote.sluice("viewer", "key", "list").returncode == DENIED, "a viewer lists keys")
    done = house.remote.sluice("auditor", "key", "list")
    expect(done.returncode == OK, f"an auditor lists no keys: {done}")
    line = next(line for line in done.stdout.splitlines() if line.startswith(id_of(keys[0])))
    expect("good" in line and "batch (testers), until 20" in line, f"shown: {line}")
    done = house.remote.sluice("auditor", "key", "list", "--json")
    expect(done.returncode == OK and "sha256" not in done.stdout, f"{done}")


def check_who_may(house: House, key: str) -> None:
    for role in ("viewer", "approver", "auditor"):
        done = house.remote.sluice(role, "key", "revoke", id_of(key))
        expect(done.returncode == DENIED, f"{role}: {done}")
        status, _ = house.remote.curl(role, f"/v1/keys/{id_of(key)}/revoke", "-X", "POST")
        expect(status == 403, f"{role} by curl: {status}")
    done = subprocess.run(["curl", "-s", "-w", "%{http_code}", "-o", os.devnull, "--cacert", house.remote.authority.ca,
                           "-X", "POST", f"{house.remote.url}/v1/keys/{id_of(key)}/revoke"],
                          capture_output=True, text=True, timeout=60)
    expect(done.stdout == "401", f"nobody: {done}")
    if os.geteuid() == 0:
        done = subprocess.run([house.context.sluice, "key", "revoke", "--socket", house.gateway.admin_socket, id_of(key)],
                              capture_output=True, text=True, timeout=60, user="nobody", group="nogroup", extra_groups=[])
        expect(done.returncode == DENIED, f"another account of the host: {done}")
    expect(house.ask(key) == 200 and not house.states()[id_of(key)], "it was revoked by who may not")
    expect(not house.gateway.revoked_keys.exists(), "a list was written")


def check_unknown(house: House, key: str) -> None:
    for unknown in ("000000000000", "batch"):
        done = house.here("revoke", unknown)
        expect(done.code == FAILED and "no API key has that id" in done.err, f"{unknown}: {done.code} {done.err}")
    for no_id in ("../status", f"batch:{key}", f"{key}x y"):
        done = house.here("revoke", no_id)
        expect(done.code == USAGE and "that is no id of a key" in done.err, f"{no_id}: {done.code} {done.err}")
    # The key itself goes nowhere, neither by the CLI nor into a record of who sends it.
    done = house.here("revoke", key)
    expect(done.code == USAGE and f"its id is {id_of(key)}" in done.err and key not in done.err, f"{done.code} {done.err}")
    for shown in ("000000000000", key):
        status, body = house.remote.curl("admin", f"/v1/keys/{shown}/revoke", "-X", "POST")
        expect(status == 404 and b'"detail"' in body, f"by curl: {status} {body}")
    expect(house.ask(key) == 200, "a key is revoked by itself")


def check_at_once(house: House, lost: str, kept: str) -> None:
    """Over connections that stand, and for what comes next."""
    session = psycopg2.connect(host="127.0.0.1", port=house.gateway.port, user="batch", password=lost, dbname="shop",
                               sslmode="disable")
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("SELECT 1")
    listener = pgwire.Client(house.gateway.port).log_in("batch", lost)
    expect(listener.ask(pgwire.query("LISTEN news"))[-1].tag == "Z", "LISTEN is refused")
    bearer = [("Authorization", f"Bearer {lost}")]
    with wire.Client(house.http_port) as client:
        expect(client.request("GET", "/pay", bearer).status == 200, "a good key is refused")
        done = house.remote.sluice("admin", "key", "revoke", id_of(lost), "--json")
        expect(done.returncode == OK and done.stdout.strip() == f'{{"revoked":"{id_of(lost)}"}}', f"revoke: {done}")
        wait_until(lambda: client.request("GET", "/pay", bearer).status == 401, "it to be refused where it was shown", 5)
        other = [("Authorization", f"Bearer {kept}")]
        expect(client.request("GET", "/pay", other).status == 200, "another key is refused on that connection")
    house.expect_refused(lost)
    try:
        with session.cursor() as cursor:
            cursor.execute("SELECT 1")
        raise AssertionError("the session of a revoked key goes on")
    except psycopg2.OperationalError:
        pass
    with (listener, pgwire.Client(house.gateway.port).log_in("batch", kept) as speaker):
        speaker.ask(pgwire.query("NOTIFY news, 'hello'"))
        told = listener.read_until("E")
        expect([m.tag for m in told] == ["E"] and told[0].fields()["C"] == "57P01", f"who only listens is told {told}")
    expect(house.ask(kept) == 200 and house.may_log_in("batch", kept), "another key of the subject is refused")
    again = house.here("revoke", id_of(lost))
    expect(again.code == OK and again.out == f"revoked {id_of(lost)}\n", f"a second time: {again.code} {again.err}")
    listed = house.here("list").out
    expect(f"{id_of(lost)}  revoked" in listed, f"listed: {listed}")


def check_scram(house: House) -> None:
    key = house.new_key("ann", "--scram")
    wait_until(lambda: house.may_log_in("ann", key, house.scram_port), "the new key to be taken up", 5)
    house.here("revoke", id_of(key))
    wait_until(lambda: not house.may_log_in("ann", key, house.scram_port), "its verifier to be refused", 5)


def check_lasting(house: House, lost: str, kept: str) -> None:
    gateway = house.gateway
    gateway.process.kill()
    gateway.start()
    house.expect_refused(lost)
    expect(house.ask(kept) == 200 and house.states()[id_of(lost)], "other keys after a kill")

    # A changed file is taken up, and the entry that still stands in it proves nobody.
    newer = house.new_key("batch")
    wait_until(lambda: house.ask(newer) == 200, "a new key to be taken up", 5)
    house.expect_refused(lost)
    gateway.reload()
    house.expect_refused(lost)
    expect(house.ask(newer) == 200 and house.ask(kept) == 200, "good keys after a reload")

    # One that is half edited keeps no key in force.
    whole = gateway.keys_file.read_text()
    gateway.keys_file.write_text(whole + "- {id: half\n")
    wait_until(lambda: "the API keys in force stay" in gateway.process.output(), "the half of an entry to be refused", 5)
    expect(house.here("revoke", id_of(newer)).code == OK, "revoke beside a broken keys file")
    house.expect_refused(newer)
    gateway.keys_file.write_text(whole)
    gateway.reload()
    house.expect_refused(lost, newer)


def check_damaged_list(house: House, lost: str, kept: str) -> None:
    gateway = house.gateway
    good = gateway.revoked_keys.read_text()
    expect(good.startswith("sluice-revoked-keys1\n") and f"{id_of(lost)} never\n" in good, f"the list: {good}")
    expect(gateway.revoked_keys.stat().st_mode & 0o022 == 0, "others may write the list")
    gateway.revoked_keys.write_text(good[:-3])
    status, text = gateway.admin("POST", "/v1/reload")
    expect(status == 422 and "is no list of revoked API keys" in text, f"reload: {status} {text}")
    expect(gateway.admin("POST", f"/v1/keys/{id_of(kept)}/revoke")[0] == 503, "it was added to what cannot be read")
    expect(house.ask(kept) == 200 and gateway.revoked_keys.read_text() == good[:-3], "something changed")
    house.expect_refused(lost)
    # Without it what was revoked would be good again.
    gateway.revoked_keys.rename(gateway.folder / "aside")
    status, text = gateway.admin("POST", "/v1/reload")
    expect(status == 422 and "is missing, and names keys that were revoked" in text, f"reload: {status} {text}")
    house.expect_refused(lost)
    (gateway.folder / "aside").rename(gateway.revoked_keys)
    gateway.stop()
    checked = gateway.sluice("check", "-c", gateway.configuration)
    expect(checked.code == BAD_CONFIGURATION and "is no list of revoked API keys" in checked.err, f"check: {checked.err}")
    began = gateway.sluice("run", "-c", gateway.configuration)
    expect(began.code == BAD_CONFIGURATION and "identity.revoked_keys: " in began.err, f"run: {began.code} {began.err}")
    gateway.revoked_keys.write_text(good)
    gateway.start()
    house.expect_refused(lost)


def check_admin_herself(house: House) -> None:
    """Whoever revokes the own key has none any more, for the control API either."""
    own = id_of(house.remote.tokens["admin"])
    expect(house.remote.sluice("admin", "key", "revoke", own).returncode == OK, "an admin's own key")
    expect(house.remote.curl("admin", "/v1/keys")[0] == 401, "a revoked key steers the gateway")


def check_records(house: House, revoked: list[str]) -> None:
    gateway = house.gateway
    gateway.expect_verified()
    records = gateway.records()
    places = {}
    for place, one in enumerate(records):
        if one.get("event") == "key-revoked":
            places.setdefault(one["credential"], place)
    expect(set(places) == {id_of(key) for key in revoked}, f"recorded: {places}")
    for key in revoked:
        place = places[id_of(key)]
        called = [at for at, one in enumerate(records) if one.get("event") == "api-called" and one["detail"] == "revokeKey"
                  and one["resource"] == f"/v1/keys/{id_of(key)}/revoke"]
        expect(called and called[0] < place, "it took effect before the call was recorded")
        expect("reloaded" in [one.get("event") for one in records[place:]], "no worker was told")
    first = records[places[id_of(revoked[0])]]
    expect((first["subject"], first["issuer"], first["detail"]) == ("batch", "api_keys", "asked by admin"), f"{first}")
    denied = {one.get("subject") for one in records if one.get("event") == "api-denied" and one["detail"] == "revokeKey"}
    expect(denied >= {"viewer", "approver", "auditor"}, f"denied: {denied}")
    failed = [one for one in records if one.get("event") == "api-failed" and one["detail"] == "revokeKey"]
    expect({one["status"] for one in failed} == {404, 503}, f"failed: {failed}")
    expect(any(one.get("event") == "closed" and one.get("detail") ==
               "the credential that this session began with is no longer valid" for one in records),
           "the end of the revoked key's session is not recorded")


def check_secrets(house: House, shown: list[tuple[str, str]]) -> None:
    gateway = house.gateway
    shown += [("audit", gateway.sluice("audit", "--directory", gateway.audit, "--json", check=True).out),
              ("output", gateway.process.output()), ("the list", gateway.revoked_keys.read_text()),
              ("the target", bytes(house.target.received).decode("latin-1"))]
    shown += [(str(path), path.read_bytes().decode("latin-1")) for path in gateway.audit.rglob("*") if path.is_file()]
    hashes = [line.split()[-1] for line in gateway.keys_file.read_text().splitlines() if "sha256:" in line]
    expect(len(hashes) >= len(house.secrets), "a key has no hash")
    for name, text in shown:
        for planted in [*(key.split("_", 2)[2] for key in house.secrets), *hashes]:
            expect(planted not in text, f"{planted} is in the clear in {name}")


def run(context) -> None:
    house = House(context)
    lost, kept = house.new_key("batch"), house.new_key("batch")
    house.gateway.start()
    check_list(house, [lost, kept])
    check_who_may(house, kept)
    check_unknown(house, kept)
    check_at_once(house, lost, kept)
    check_scram(house)
    check_lasting(house, lost, kept)
    check_damaged_list(house, lost, kept)
    shown = [("the list of the API", house.gateway.admin("GET", "/v1/keys?limit=1000")[1]),
             ("check", house.gateway.sluice("check", "-c", house.gateway.configuration, check=True).out),
             ("status", house.gateway.admin("GET", "/v1/status")[1]), ("metrics", house.gateway.admin("GET", "/metrics")[1])]
    check_admin_herself(house)
    house.gateway.stop()
    by_id = {id_of(key): key for key in house.secrets}
    listed = [line.split()[0] for line in house.gateway.revoked_keys.read_text().splitlines()[1:]]
    check_records(house, [lost, *(by_id[one] for one in listed if one != id_of(lost))])
    check_secrets(house, shown)
