#!/usr/bin/env bash
# From a clone to a running demo: installs what is missing, builds, shows the gateway in
# front of a PostgreSQL 15 and of an HTTP API.
#
#   ./run.sh          stays up, so that you can try the lines it prints
#   ./run.sh --once   plays the scripted part and ends
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

scripts/install_packages.sh build

echo "building sluice (release); the first time takes a few minutes"
log=build/run.log
mkdir -p build
{ cmake --preset release && cmake --build build/release --target sluice; } >"$log" 2>&1 || {
  tail -n 40 "$log" >&2
  echo "the build failed; all of its output is in $log" >&2
  exit 1
}

show=()
if scripts/install_packages.sh demo; then
  show=(scripts/demo_postgres.sh)
else
  echo "PostgreSQL 15 cannot be installed here: its part of the demo is left out"
fi
exec "${show[@]}" build/release/cli/sluice demo "$@"
