#!/usr/bin/env bash
# Builds Sluice and tests everything. The last line is "N passed, N failed".
#
#   ./test.sh                        all sections
#   ./test.sh --only unit,format     some of them; see the list below
#   ./test.sh --full                 scenarios at their full size, every source under the
#                                    sanitizers and clang-tidy (hours, not minutes)
#
# Sections: unit sanitizers format headers structure docs tidy vm scenarios
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

all_sections=(unit sanitizers format headers structure docs tidy vm scenarios)
sections=("${all_sections[@]}")
scenario_options=()
full=false
tidy_seconds=300
while [ $# -gt 0 ]; do
  case "$1" in
    --only) IFS=, read -ra sections <<<"${2:?--only needs section names}"; shift ;;
    --full) full=true scenario_options+=(--full) tidy_seconds=0 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
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
  local log="build/test-logs/$1.log" status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -ne 0 ] || return 0
  tail -n 60 "$log"
  echo "(all of it: $log)"
  return "$status"
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

unit_tests() {  # unit_tests NAME [CTEST-ARGUMENTS…]: ctest in build/NAME, each case counts
  local name=$1 report="build/test-logs/ctest-$1.xml" totals ok bad status=0
  shift
  rm -f "$report"
  quietly "ctest-$name" ctest --test-dir "build/$name" --output-on-failure --no-tests=error \
    --timeout 300 -j 2 --output-junit "$PWD/$report" "$@" ||
    status=1
  totals=$("$python" scripts/junit_totals.py "$report") || { count "ctest in build/$name" 1; return; }
  read -r ok bad <<<"$totals"
  passed=$((passed + ok))
  failed=$((failed + bad))
  if [ "$bad" -ne 0 ]; then
    failures+=("$bad unit tests in build/$name")
  elif [ "$status" -ne 0 ]; then
    count "ctest in build/$name" 1  # unhappy for a reason that its report does not hold
  fi
}

section_unit() {
  build release --preset release || { count "build release" 1; return; }
  unit_tests release
}

# One build proves two things: clang takes the code without a warning, and the
# tests run clean under the address and undefined-behaviour sanitizers. It has the
# rooms that touch foreign bytes and the simulation; --full adds what only
# operators talk to (control, load, cli).
section_sanitizers() {
  local targets=() programs=(base parsers matcher audit config identity sql dataplane sim)
  if ! $full; then
    local corpus program
    for program in "${programs[@]}"; do targets+=("test_$program"); done
    for corpus in tests/fuzz/corpus/*/; do targets+=("fuzz_$(basename "$corpus")"); done
    targets=(--target "${targets[@]}" http1_oracle)
  fi
  quietly configure-asan cmake --preset asan -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -gline-tables-only" &&
    quietly build-asan cmake --build build/asan "${targets[@]}" ||
    { count "build asan (clang)" 1; return; }
  # ctest names a program that was not built as a test; those are the ones left out.
  if $full; then unit_tests asan; else unit_tests asan -E '_NOT_BUILT'; fi
}

all_formatted() { git ls-files -z '*.cc' '*.h' | xargs -0 clang-format --dry-run -Werror; }
# A function of its own: `check` counts, and what counts in a pipe is lost with its subshell.
section_format() { check format all_formatted; }

section_headers() { check headers "$python" scripts/check_headers.py build/release; }
section_structure() { check structure "$python" scripts/check_structure.py; }
section_docs() { check generated-docs scripts/generate_docs.sh --check build/release; }

# Reads build/asan's compile commands, so it needs no build, only a configured tree.
section_tidy() {
  [ -f build/asan/compile_commands.json ] ||
    quietly configure-asan cmake --preset asan -DCMAKE_CXX_COMPILER=clang++ ||
    { count "configure asan (clang)" 1; return; }
  check tidy "$python" scripts/tidy.py --seconds "$tidy_seconds" build/asan
  tail -n 1 build/test-logs/tidy.log
}

# A kernel with TLS of its own, in a virtual machine.
section_vm() {
  [ -x build/release/cli/sluice ] || build release --preset release || { count "build release" 1; return; }
  local status=0
  quietly ktls-vm scripts/ktls_vm_test.sh build/release || status=$?
  tail -n 1 build/test-logs/ktls-vm.log
  # A developer may lack a tool; continuous integration may not.
  if [ "$status" -ne 77 ] || [ "${CI:-}" = true ]; then count ktls-vm "$status"; fi
}

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
