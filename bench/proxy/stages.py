"""Where a request's cost goes: instructions by room (callgrind), and time by thread and code (perf).

Instructions are repeatable on any machine, and leave out the kernel; samples
have the kernel, and need a perf that may look.
"""
import argparse
import collections
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import flame
import host
import scenarios
from contenders import FIRST_PORT, Proxy, Site, Target
from profiles import Callgrind, folded_stacks
from rounds import check_answers, load

CASES = [("http-small", "sluice"), ("http-small", "sluice-plain"), ("http-1k", "sluice")]
SECONDS = 3


def case_of(scenario: str, contender: str) -> scenarios.Case:
    return next(case for case in scenarios.PROXY[scenario].cases if case.contender.name == contender)


def callgrind(case: scenarios.Case, site: Site, folder: pathlib.Path, port: int) -> tuple:
    """(requests, profile) of a gateway under load; its instrumentation covers the load alone."""
    out = folder / "callgrind"
    wrapped = dataclasses.replace(case.contender, wrapper=(
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no"), start_seconds=600)
    proxy = Proxy(wrapped, site, folder / "proxy", port)

    def control(*words):
        subprocess.run(["callgrind_control", *words, str(proxy.process.pid)], check=True, capture_output=True)

    try:
        check_answers(proxy, case, site.headers)
        load(proxy, case, site.headers, 1)
        control("--instr=on")
        control("--zero")
        figures = load(proxy, case, site.headers, SECONDS)
        control("--dump")
    finally:
        proxy.stop()
    # A dump that was asked for is the first part; what stopping adds is another.
    return figures["ops_per_s"] * SECONDS, Callgrind((folder / "callgrind.1").read_text())


def perf(case: scenarios.Case, site: Site, folder: pathlib.Path, port: int) -> tuple:
    """(CPU µs per request, folded stacks with their samples), or None where perf may not look."""
    proxy = Proxy(case.contender, site, folder / "proxy", port)
    data = folder / "perf.data"
    try:
        check_answers(proxy, case, site.headers)
        load(proxy, case, site.headers, 1)
        recording = subprocess.Popen(
            ["perf", "record", "-e", "cpu-clock", "-F", "4999", "--call-graph", "fp", "-o", str(data),
             "-p", str(proxy.process.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        figures = load(proxy, case, site.headers, SECONDS)
        recording.send_signal(2)
        recording.wait(timeout=60)
    finally:
        proxy.stop()
    script = subprocess.run(["perf", "script", "-i", str(data), "-F", "comm,ip,sym,dso"],
                            capture_output=True, text=True, check=False).stdout
    stacks = folded_stacks(script)
    return (figures["cpu_us_per_op"], stacks) if stacks else None


def show_callgrind(results: dict) -> None:
    names = [f"{scenario} {contender}" for scenario, contender in results]
    print("Instructions per request in the gateway's processes, by room (callgrind; without the kernel)\n")
    print(f"{'':22}" + "".join(f"{name:>24}" for name in names))
    rooms = collections.Counter()
    for requests, profile in results.values():
        for room, count in profile.by_room().items():
            rooms[room] = max(rooms[room], count / requests)
    for room, _ in rooms.most_common():
        print(f"{room:22}" + "".join(f"{p.by_room()[room] / n:24.0f}" for n, p in results.values()))
    print(f"{'all':22}" + "".join(f"{sum(p.by_room().values()) / n:24.0f}" for n, p in results.values()))
    print(f"{'allocations':22}" + "".join(f"{sum(count for _, count in p.allocations()) / n:24.3f}"
                                          for n, p in results.values()))
    requests, profile = next(iter(results.values()))
    print(f"\nFunctions of {names[0]} by their own instructions per request")
    for name, count, calls in profile.functions()[:20]:
        print(f"{count / requests:8.0f}  {calls / requests:6.2f} calls  {name[:110]}")
    print(f"\nWho allocates in {names[0]}, times per request")
    for name, count in profile.allocations()[:5]:
        print(f"{count / requests:8.3f}  {name[:110]}")


def show_perf(name: str, cpu_us: float, stacks: collections.Counter) -> None:
    """Time by thread, and within it by whose code ran."""
    total = sum(stacks.values())
    shares = collections.Counter()
    for stack, count in stacks.items():
        shares[(stack[0], "kernel" if stack[-1].endswith("_[k]") else "user")] += count
    print(f"\n{name}: {cpu_us:.2f} µs of CPU per request, by thread (perf, {total} samples)")
    for (thread, side), count in shares.most_common():
        print(f"  {thread:16} {side:7} {count / total:6.1%}  {cpu_us * count / total:6.2f} µs")


def main() -> None:
    host.enter_namespaces()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--only", metavar="SCENARIO/CONTENDER", choices=["/".join(each) for each in CASES])
    parser.add_argument("--flame", type=pathlib.Path, metavar="SVG", help="write a flame graph of the first")
    options = parser.parse_args()
    cases = [each for each in CASES if options.only in (None, "/".join(each))]
    host.set_up_network()
    counted, sampled = {}, {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        target = Target(folder, FIRST_PORT, {case_of(*each).body for each in cases})
        try:
            site = Site.prepare(folder, options.build.resolve(), target.port)
            port = FIRST_PORT
            for each in cases:
                for measure, into in ((callgrind, counted), (perf, sampled)):
                    port += 1
                    place = folder / str(port)
                    place.mkdir(mode=0o755)
                    if measure is callgrind or shutil.which("perf"):
                        into[each] = measure(case_of(*each), site, place, port)
        finally:
            target.stop()
    show_callgrind(counted)
    sampled = {each: result for each, result in sampled.items() if result}
    for (scenario, contender), (cpu_us, stacks) in sampled.items():
        show_perf(f"{scenario} {contender}", cpu_us, stacks)
    if not sampled:
        print("\nperf is not there, or may not sample here: no figures with the kernel in them")
    if options.flame:
        stacks = sampled[cases[0]][1] if sampled else counted[cases[0]][1].stacks()
        options.flame.write_text(flame.svg(stacks, ", ".join(cases[0])))


if __name__ == "__main__":
    sys.exit(main())
