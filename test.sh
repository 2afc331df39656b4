#!/usr/bin/env bash
# Builds Sluice and tests everything. The last line is "N passed, N failed".
#
#   ./test.sh                        all sections
#   ./test.sh --only unit,format     some of them; see the list below
#   ./test.sh --full                 scenarios at their full size (hours, not minutes)
#
# Sections: unit sanitizers format headers structure docs tidy scenarios
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

all_sections=(unit sanitizers format headers structure docs tidy scenarios)
sections=("${all_sections[@]}")
scenario_options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --only) IFS=, read -ra sections <<<"${2:?--only needs section names}"; shift ;;
    --full) scenario_options+=(--full) ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "test.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

python=/usr/bin/python3
passed=0
failed=0
failures=()
mkdir -p build/test-logs

count() {  # count NAME STATUS: one check
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$1")
  fi
}

quietly() {  # quietly NAME COMMAND…: output goes to a log, shown when the command fails
  local log="build/test-logs/$1.log"
  shift
  "$@" >"$log" 2>&1 && return 0
  tail -n 60 "$log"
  echo "(all of it: $log)"
  return 1
}

check() {  # check NAME COMMAND…: runs quietly and counts as one test
  quietly "$@"
  count "$1" $?
}

build() {  # build NAME CONFIGURE-ARGUMENTS…: into build/NAME
  local name=$1
  shift
  quietly "configure-$name" cmake "$@" && quietly "build-$name" cmake --build "build/$name"
}

unit_tests() {  # unit_tests NAME: ctest in build/NAME, each case counts
  local name=$1 report="build/test-logs/ctest-$1.xml" totals
  rm -f "$report"
  quietly "ctest-$name" ctest --test-dir "build/$name" --output-on-failure --no-tests=error \
    --timeout 300 -j 2 --output-junit "$PWD/$report"
  totals=$("$python" scripts/junit_totals.py "$report") || { count "ctest in build/$name" 1; return; }
  read -r ok bad <<<"$totals"
  passed=$((passed + ok))
  failed=$((failed + bad))
  [ "$bad" -eq 0 ] || failures+=("$bad unit tests in build/$name")
}

section_unit() {
  build release --preset release || { count "build release" 1; return; }
  unit_tests release
}

# One build proves two things: clang takes the code without a warning, and the
# tests run clean under the address and undefined-behaviour sanitizers.
section_sanitizers() {
  build asan --preset asan -DCMAKE_CXX_COMPILER=clang++ || { count "build asan (clang)" 1; return; }
  unit_tests asan
}

section_format() {
  git ls-files -z '*.cc' '*.h' | check format xargs -0 clang-format --dry-run -Werror
}

section_headers() { check headers "$python" scripts/check_headers.py build/release; }
section_structure() { check structure "$python" scripts/check_structure.py; }
section_docs() { check generated-docs scripts/generate_docs.sh --check build/release; }
section_tidy() { check tidy "$python" scripts/tidy.py build/asan; }

section_scenarios() {
  local name scenario names
  if [ ! -x build/release/cli/sluice ]; then
    build release --preset release || { count "build release" 1; return; }
  fi
  names=$("$python" tests/scenarios/run.py --list) || { count "list of scenarios" 1; return; }
  for scenario in $names; do
    name="scenario-$scenario"
    local began=$SECONDS
    check "$name" "$python" tests/scenarios/run.py "${scenario_options[@]}" "$scenario"
    echo "   $scenario: $((SECONDS - began)) s"
  done
}

scripts/install_packages.sh build test || {
  # A developer may lack a tool; continuous integration may not.
  [ "${CI:-}" != true ] || { count packages 1; sections=(); }
}

for section in "${sections[@]}"; do
  [ "$(type -t "section_$section")" = function ] || {
    echo "test.sh: no section '$section' (${all_sections[*]})" >&2
    exit 2
  }
  echo "== $section"
  began=$SECONDS
  "section_$section"
  echo "   $section took $((SECONDS - began)) s; so far $passed passed, $failed failed"
done

for failure in "${failures[@]}"; do echo "FAILED: $failure"; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
