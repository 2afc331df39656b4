#!/usr/bin/env bash
# What Sluice costs beside its peers, measured on this machine.
#
#   scripts/bench.sh proxy [--json FILE] [--only SCENARIO] [--rounds N]
#   scripts/bench.sh micro [GOOGLE BENCHMARK OPTIONS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what=${1:-}
[ $# -gt 0 ] && shift
case "$what" in
  proxy | micro) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

scripts/install_packages.sh build bench
cmake --preset perf >/dev/null
if [ "$what" = micro ]; then
  cmake --build build/perf
  for program in build/perf/bench/*/bench_*; do
    [ -x "$program" ] && "$program" "$@"
  done
else
  cmake --build build/perf --target sluice bare_relay
  exec /usr/bin/python3 bench/proxy/run.py --build build/perf "$@"
fi
