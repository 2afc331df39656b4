"""Runs a scenario: answers checked first, contenders in turns, medians and paired ratios."""
import pathlib
import subprocess
import tempfile
import threading
import time

import figures
import host
import pg_contenders as site_of
import rounds
from pg_contenders import BIN, DATABASE, FIRST_PORT, USER, Direct, Proxy, Server, Site
from pg_scenarios import DIRECT, Case, Scenario
from wire import Client

INTERRUPTIONS_MAX = 5  # rounds that a suspended machine may spoil in a row
BEGIN_SECONDS_MAX = 60
LOGIN_SECONDS = 1  # of pgbench's time its clients log in; more when that was not enough


class Pgbench:
    """`pgbench -S`, whose log says when each transaction ended and how long it took."""

    def __init__(self, proxy, case: Case, key: str, seconds: int, folder: pathlib.Path):
        self._folder = folder
        self._process = subprocess.Popen(
            [str(BIN / "pgbench"), "-n", "-S", "-M", case.question.pgbench, "-c", str(case.connections), "-j", "1",
             "-T", str(seconds), "-l", f"--log-prefix={folder}/log"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=site_of.environment(proxy.port, USER, key))

    def has_begun(self) -> bool:
        return self._process.poll() is not None or any(log.stat().st_size for log in self._folder.iterdir())

    def finish(self) -> list:
        """(when it ended, µs it took) of each transaction."""
        output = self._process.communicate()[0]
        if self._process.returncode != 0 or "number of failed transactions: 0 " not in output:
            raise RuntimeError(f"pgbench was not answered cleanly:\n{output}")
        return [entry for log in self._folder.iterdir() for entry in figures.pgbench_log(log.read_text())]


class Bulk:
    """Clients that ask for the same large answer again and again, and take it as fast as it comes."""

    def __init__(self, proxy, case: Case, key: str, answer_bytes: int):
        self._case, self._answer_bytes = case, answer_bytes
        self._log, self._faults, self._over = [], [], False
        self._clients = [Client(proxy.port, USER, key, DATABASE) for _ in range(case.connections)]
        self._threads = [threading.Thread(target=self._ask, args=(client,)) for client in self._clients]
        for thread in self._threads:
            thread.start()

    def _ask(self, client: Client) -> None:
        room = bytearray(1 << 20)
        try:
            while not self._over:
                begun, missing = time.time(), self._answer_bytes
                client.socket.sendall(self._case.question.check)
                while missing > 0:
                    got = client.socket.recv_into(room, min(missing, len(room)))
                    if got == 0:
                        raise RuntimeError("the connection ended")
                    missing -= got
                self._log.append((time.time(), (time.time() - begun) * 1e6))
        except (OSError, RuntimeError) as fault:
            self._faults.append(fault)
        client.close()

    def has_begun(self) -> bool:
        return bool(self._log) or bool(self._faults)

    def finish(self) -> list:
        self._over = True
        for thread in self._threads:
            thread.join()
        if self._faults:
            raise RuntimeError(f"not answered cleanly: {self._faults}")
        return self._log


def load(proxy, case: Case, key: str, seconds: int, answer_bytes: int) -> dict:
    """One round. What came while the clients logged in is not in it."""
    for attempt in range(INTERRUPTIONS_MAX):
        with tempfile.TemporaryDirectory(prefix="sluice-bench-log-") as name:
            clients = (Pgbench(proxy, case, key, seconds + LOGIN_SECONDS * (attempt + 1), pathlib.Path(name)) if case.question.pgbench
                       else Bulk(proxy, case, key, answer_bytes))
            end = time.monotonic() + BEGIN_SECONDS_MAX
            while not clients.has_begun():
                if time.monotonic() > end:
                    raise TimeoutError(f"nothing is answered through {proxy.name}")
                time.sleep(0.01)
            before, begun = _usage(proxy), time.time()
            time.sleep(seconds)
            used, over = _usage(proxy) - before, time.time()
            log = clients.finish()
        lasted = max((when for when, _ in log), default=0)
        if over - begun < 2 * seconds and lasted >= over:
            break  # else the machine stood still: once more
    answered = [took for when, took in log if begun < when <= over]
    return figures.log_sample(answered, over - begun, rows=case.question.rows, answer_bytes=answer_bytes, **vars(used))


def _usage(proxy) -> host.Usage:
    return host.usage(proxy.process.pid) if proxy.process else host.Usage()


def answer(proxy, case: Case, key: str) -> bytes:
    client = Client(proxy.port, USER, key, DATABASE)
    try:
        return client.ask(case.question.check)
    finally:
        client.close()


def check_answer(proxy, case: Case, key: str, of_server: bytes) -> None:
    got, expected = answer(proxy, case, key), case.shown(of_server)
    if got != expected:
        at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
        raise RuntimeError(f"{proxy.name} answers {len(got)} bytes instead of {len(expected)}; from byte {at} on\n"
                           f"{got[at:at + 80]!r}\ninstead of\n{expected[at:at + 80]!r}")


def run_scenario(scenario: Scenario, build: pathlib.Path, times: int, seconds: int) -> list:
    """Starts what the scenario needs, checks every case's answer, then measures all of them in turns."""
    started = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        try:
            site = Site.prepare(folder, build, FIRST_PORT)
            started.append(Server(folder, FIRST_PORT, site.key))
            direct = Direct(site)
            of_server = answer(direct, scenario.cases[0], site.key)
            proxies = {}
            for number, case in enumerate(scenario.cases, start=1):
                is_direct = case.contender == DIRECT
                proxies[case] = direct if is_direct else Proxy(case.contender, site, folder / str(number),
                                                               FIRST_PORT + number)
                started.append(proxies[case])

            def check_all():
                for case, proxy in proxies.items():
                    check_answer(proxy, case, site.key, of_server)

            def measure(case, length):
                return load(proxies[case], case, site.key, length, len(case.shown(of_server)))

            check_all()
            for case in scenario.cases:
                measure(case, 1)  # warm-up
            measured = rounds.in_turns(scenario, times, lambda case: measure(case, seconds))
            check_all()
        finally:
            for process in reversed(started):
                process.stop()
    return [rounds.row_of(case, scenario, measured) for case in scenario.cases]
