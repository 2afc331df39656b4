#!/usr/bin/env bash
# install_packages.sh GROUP…: makes sure that Debian's packages of a group are there.
#
#   build   what the gateway is compiled with
#   test    what the tests add: formatters, load tools, servers to stand behind the gateway
#   demo    what ./run.sh shows the gateway in front of
#   bench   what the benchmarks add
#   vm      what the test in a virtual machine adds (scripts/ktls_vm_test.sh)
#
# Asks dpkg first, so that a second run needs neither network nor root.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config ccache mold
  liburing-dev libhyperscan-dev libyaml-dev libssl-dev zlib1g-dev libzstd-dev libfmt-dev
  libexpected-dev libmimalloc-dev libzip-dev libcurl4-openssl-dev librdkafka-dev libseccomp-dev
  libp11-kit-dev libsqlite3-dev libxml2-dev libxmlsec1-dev nlohmann-json3-dev libcli11-dev libpg-query-dev catch2
)
test_packages=(
  clang clang-format clang-tidy libclang-rt-14-dev llvm
  python3 python3-jsonschema curl nginx-light wrk apache2-utils nghttp2-client haproxy
  libcbor-dev python3-h11 sslscan golang-go golang-golang-x-mod-dev openssh-client zstd
  postgresql-15 python3-psycopg2 python3-asyncpg rsyslog rsyslog-openssl python3-botocore age asciinema softhsm2
  python3-psycopg libpq-dev libpostgresql-jdbc-java openjdk-17-jdk-headless nodejs npm
  groff-base mandoc zsh fish dpkg-dev systemd python3-seccomp iproute2
)
demo_packages=(postgresql-15)
bench_packages=(
  libbenchmark-dev iproute2 procps nginx-light haproxy wrk valgrind
  libnginx-mod-http-lua libnginx-mod-http-js
  pgbouncer postgresql-15
  python3 python3-jsonschema
)

vm_packages=(qemu-system-x86 busybox-static kmod cpio curl openssl)

wanted=()
for group in "$@"; do
  case "$group" in
    build) wanted+=("${build_packages[@]}") ;;
    test) wanted+=("${test_packages[@]}") ;;
    demo) wanted+=("${demo_packages[@]}") ;;
    bench) wanted+=("${bench_packages[@]}") ;;
    vm) wanted+=("${vm_packages[@]}") ;;
    *) echo "install_packages.sh: no group '$group' (build, test, demo, bench, vm)" >&2; exit 2 ;;
  esac
done

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | head -c 9)" = installed ]
}

# Another flavour of a package will do when it brings the same program.
has_substitute() {
  case "$1" in
    nginx-light) [ -x /usr/sbin/nginx ] ;;
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;  # Debian's conflicts with the one that other nodes bring.
    *) return 1 ;;
  esac
}

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || has_substitute "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install these packages as root, then run this again: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

# Server packages start their service when installed. We only want the programs:
# policy-rc.d is how Debian lets an administrator say so.
shim=/usr/sbin/policy-rc.d
if [ ! -e "$shim" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$shim" >/dev/null
  "${as_root[@]}" chmod 755 "$shim"
  trap '"${as_root[@]}" rm -f "$shim"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
}
