#!/usr/bin/env bash
# generate_docs.sh [--check] [BUILD_FOLDER]: docs/configuration.md and the JSON Schema
# come from the table that the loader uses, docs/openapi.json from that of the control API. With --check, says whether they are current.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

check=false
[ "${1:-}" != --check ] || { check=true; shift; }
build=${1:-build/release}

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$build/cli/sluice" check --print-reference >"$fresh/configuration.md"
"$build/cli/sluice" check --print-schema >"$fresh/configuration.schema.json"

"$build/cli/sluice" check --print-openapi >"$fresh/openapi.json"

for name in configuration.md configuration.schema.json openapi.json; do
  if $check; then
    diff -u "docs/$name" "$fresh/$name" || {
      echo "docs/$name is not what the program's table says: run scripts/generate_docs.sh"
      exit 1
    }
  else
    cp "$fresh/$name" "docs/$name"
  fi
done
