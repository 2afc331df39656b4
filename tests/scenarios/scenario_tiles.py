"""A plain file server serves the log, and Go's transparency log packages prove it from the tiles alone."""
import functools
import http.server
import json
import shutil
import threading

from harness import go_judge, wire
from harness.context import expect, wait_until
from harness.gateway import Gateway
from harness.target import Target


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def serve(context, folder) -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context.on_exit(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def flip(path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def run(context) -> None:
    judge = go_judge.build(context)
    target = Target(context, keeps_bytes=False)
    gateway = Gateway(context, target.port, workers=2).start()
    www = context.folder / "www"
    made = www / "log"

    def traffic(requests: int) -> None:
        with wire.Client(gateway.port) as client:
            for number in range(requests):
                client.request("GET", f"/served/{number}", [gateway.auth])

    def tiles(folder, *words) -> int:
        return gateway.sluice("tiles", gateway.audit, "-o", folder, "--json", *words, check=True).json()["records"]

    # Of a running gateway, twice; the second continues what the first served.
    traffic(400)
    wait_until(lambda: len(gateway.intents()) == 400, "the records to be in segments")
    first = tiles(made, "--entries")
    expect(first >= 800, f"only {first} records")
    url = serve(context, www)
    verdict = judge(url + "/log", gateway.verifier)
    expect(verdict.returncode == 0 and f"{first} records" in verdict.stdout, f"{verdict}")
    older = context.folder / "older"
    shutil.copy(made / "checkpoint", older)
    shutil.copytree(made, www / "first")

    follower = context.start([context.sluice, "tiles", gateway.audit, "-o", made, "--entries", "--follow", "--json"],
                             name="tiles")
    traffic(400)
    gateway.stop()
    records = gateway.expect_verified()["records"]
    wait_until(lambda: int((made / "checkpoint").read_text().splitlines()[1]) == records, "the tiles to follow")
    expect(follower.stop() == 0, f"following ended badly: {follower.output()}")
    expect(json.loads(follower.output())["records"] == records, follower.output())
    verdict = judge(url + "/log", gateway.verifier, older)
    print(verdict.stdout.strip())
    expect(verdict.returncode == 0 and f"which continues that of {first}" in verdict.stdout, f"{verdict}")

    # In one go they are the same files, and without entries they tell nothing.
    tiles(www / "again", "--entries")
    def content(folder) -> dict:
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*")
                if path.is_file() and path.parent.suffix != ".p"}
    expect(content(made) == content(www / "again"), "tiles depend on when they were made")
    tiles(www / "hashes")
    everything = b"".join(path.read_bytes() for path in (www / "hashes").rglob("*") if path.is_file())
    expect(b"/served/" not in everything, "a record is among the hashes")

    def expect_refused(name: str, spoil, *more, key=gateway.verifier) -> None:
        shutil.copytree(made, www / "spoilt")
        spoil(www / "spoilt")
        verdict = judge(url + "/spoilt", key, *more)
        expect(verdict.returncode == 1 and "refused" in verdict.stderr, f"{name}: {verdict}")
        print(f"{name}: {verdict.stderr.strip()}")
        shutil.rmtree(www / "spoilt")

    expect_refused("a record is another", lambda log: flip(log / "tile/entries/001"))
    expect_refused("a bundle is missing", lambda log: (log / "tile/entries/001").unlink())
    expect_refused("bundles change places", lambda log: (
        (log / "tile/entries/000").rename(log / "spare"), (log / "tile/entries/001").rename(log / "tile/entries/000"),
        (log / "spare").rename(log / "tile/entries/001")))
    expect_refused("a hash is another", lambda log: flip(log / "tile/0/001"))
    expect_refused("a tile is missing", lambda log: (log / "tile/0/001").unlink())
    expect_refused("the checkpoint is changed", lambda log: flip(log / "checkpoint"))
    expect_refused("the checkpoint is an older one",
                   lambda log: shutil.copy(older, log / "checkpoint"), made / "checkpoint")

    # The gateway's own key, and another past: consistent in itself, not with what was seen.
    gateway.begin_another_past()
    gateway.start()
    traffic(900)
    gateway.stop()
    expect(tiles(www / "other", "--entries") > records, "the other past is shorter")
    expect(judge(url + "/other", gateway.verifier).returncode == 0, "another past is consistent in itself")
    verdict = judge(url + "/other", gateway.verifier, older)
    expect(verdict.returncode == 1 and "does not continue" in verdict.stderr, f"another past: {verdict}")
    mixed = gateway.sluice("tiles", gateway.audit, "-o", made, "--entries")
    expect(mixed.code == 1 and "does not continue the tiles" in mixed.err, f"{mixed.code} {mixed.err}")
    stranger = gateway.sluice("key", "signing", "--file", gateway.folder / "stranger.key", "--origin",
                              "scenario.test", "--json", check=True).json()["verifier"]
    expect_refused("another key", lambda log: None, key=stranger)
