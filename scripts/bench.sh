#!/usr/bin/env bash
# What Sluice costs beside its peers, measured on this machine.
#
#   scripts/bench.sh proxy   [--only SCENARIO] [--json FILE] [--rounds N] [--beside SLUICE]
#   scripts/bench.sh growth  [the same]
#   scripts/bench.sh latency [--json FILE] [--rounds N]
#   scripts/bench.sh holds   [--json FILE] [--rounds N]
#   scripts/bench.sh postgres [--only SCENARIO] [--json FILE] [--rounds N] [--beside SLUICE]
#   scripts/bench.sh tls     [--only SCENARIO] [--json FILE] [--rounds N] [--beside SLUICE]
#   scripts/bench.sh stages  [--only SCENARIO/CONTENDER] [--flame SVG]
#   scripts/bench.sh load    [--json FILE] [--rounds N] [--seconds N]
#   scripts/bench.sh micro   [GOOGLE BENCHMARK OPTIONS]
#
# See bench/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2; }

verb=${1:-}
[ $# -gt 0 ] && shift
case "$verb" in
  proxy | growth | latency | holds | postgres | tls | stages | load | micro) ;;
  *) usage ;;
esac

scripts/install_packages.sh build bench
cmake --preset perf >/dev/null

run() {
  cmake --build build/perf --target sluice bare_relay
  exec /usr/bin/python3 "$@"
}

case "$verb" in
  proxy | growth | latency | holds) run bench/proxy/run.py "$verb" --build build/perf "$@" ;;
  postgres) run bench/postgres/run.py postgres --build build/perf "$@" ;;
  tls) run bench/tls/run.py tls --build build/perf "$@" ;;
  load) run bench/load/run.py --build build/perf "$@" ;;
  stages) run bench/proxy/stages.py --build build/perf "$@" ;;
  micro)
    cmake --build build/perf
    for program in build/perf/bench/*/bench_*; do
      [ -x "$program" ] && "$program" "$@"
    done
    ;;
esac
