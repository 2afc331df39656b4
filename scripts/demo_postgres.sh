#!/usr/bin/env bash
# demo_postgres.sh [COMMAND…]: shows the gateway in front of a PostgreSQL 15 of its own,
# then runs COMMAND while both stay up, and ends with its status.
#
# The server runs on a free loopback port, in a temporary folder, never as root.
# SLUICE=PATH picks the binary; COMMAND finds SLUICE_DEMO_PSQL, a way in.
set -euo pipefail

began_in=$PWD
sluice=$(realpath "${SLUICE:-build/release/cli/sluice}")
bin=/usr/lib/postgresql/15/bin
folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-demo-postgres-XXXXXX")
server='' gateway='' command=''
as_owner=()
if [ "$(id -u)" -eq 0 ]; then as_owner=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi

stop() {  # stop PID SIGNAL: by its number, and waits for its end
  [ -z "$1" ] || { kill "-$2" "$1" && wait "$1"; } 2>/dev/null || true
}
clean_up() {
  stop "$command" TERM
  stop "$gateway" TERM
  stop "$server" INT  # PostgreSQL's fast shutdown
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { echo "the PostgreSQL part of the demo: $1" >&2; cat "$folder"/*.log >&2 2>/dev/null || true; exit 1; }

free_port() {
  local port
  while port=$((20000 + RANDOM)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

wait_for() {  # wait_for WHAT COMMAND…
  local what=$1 tries
  shift
  for ((tries = 0; tries < 200; ++tries)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  fail "$what does not come up"
}

# The server: what the gateway logs in with is not what its clients have.
server_port=$(free_port)
of_target=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
chmod 711 "$folder"
mkdir "$folder/postgres"
printf %s "$of_target" >"$folder/of_target"
cp "$folder/of_target" "$folder/postgres/password"
[ ${#as_owner[@]} -eq 0 ] || chown -R postgres: "$folder/postgres"
(cd "$folder/postgres" && "${as_owner[@]}" "$bin/initdb" -D "$folder/postgres/data" -U app -A scram-sha-256 \
  --pwfile="$folder/postgres/password" -E UTF8 --locale C.UTF-8 --no-sync) >"$folder/initdb.log" 2>&1 ||
  fail "initdb failed"
cd "$folder/postgres"
"${as_owner[@]}" "$bin/postgres" -D "$folder/postgres/data" -p "$server_port" -k "$folder/postgres" \
  -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB >"$folder/server.log" 2>&1 &
server=$!
cd /
wait_for "PostgreSQL" "$bin/pg_isready" -q -h 127.0.0.1 -p "$server_port"
direct() { PGPASSWORD=$of_target "$bin/psql" -X -q -A -t -h 127.0.0.1 -p "$server_port" -U app -d postgres "$@"; }
direct -c "CREATE TABLE people (name text, ssn text, note text);
  INSERT INTO people VALUES ('Ada', '123-45-6789', '4111111111111111'), ('Ben', '987-65-4321', 'paid in cash')"

# The gateway.
port=$(free_port)
"$sluice" key signing --file "$folder/audit.key" --origin demo.postgres >"$folder/gateway.vkey" 2>/dev/null
key=$("$sluice" key new --subject carla --group support --scram --expires 12h --append-to "$folder/api_keys.yaml" |
  sed -n 's/^secret, shown only now: //p')
cat >"$folder/sluice.yaml" <<EOF
version: 1
listeners:
  - {name: people, address: "127.0.0.1:$port", protocol: postgres, target: people-db}
targets:
  - name: people-db
    addresses: ["127.0.0.1:$server_port"]
    credential: {user: app, password: "file:$folder/of_target"}
identity:
  api_keys: file:$folder/api_keys.yaml
policies:
  - name: support works with people
    principals: {groups: [support]}
    ruling: allow
  - name: nothing is deleted
    operations: {sql: {classes: [delete, truncate, drop]}}
    ruling: deny
    reason: People are archived, never deleted.
masks:
  - {name: ssn, find: {columns: [people.ssn]}, show: {partial: {first: 0, last: 4}}}
  - {name: pan, find: builtin:payment-card, show: {partial: {first: 6, last: 4}}}
audit:
  directory: $folder/audit
  signing_key: file:$folder/audit.key
admin: {socket: $folder/admin.sock}
workers: {count: 1, pin: false, connections: 256, buffers: 8MiB}
EOF
"$sluice" run -c "$folder/sluice.yaml" >"$folder/gateway.log" 2>&1 &
gateway=$!
through() { PGPASSWORD=$key "$bin/psql" -X -q -A -t -h 127.0.0.1 -p "$port" -U carla -d postgres "$@" 2>&1 || true; }
wait_for "the gateway" "$sluice" status --socket "$folder/admin.sock"

show() {  # show TITLE STATEMENT
  printf '\n%s\n   carla> %s\n' "$1" "$2"
  through -c "$2" | sed 's/^/   /'
}
echo "A PostgreSQL 15 listens on port $server_port; Sluice listens on port $port in front of it."
printf '\nWhat the table holds:\n'
direct -c "SELECT * FROM people" | sed 's/^/   /'
show "Carla asks through the gateway, by SCRAM-SHA-256 with a key of her own: masked." "SELECT name, ssn, note FROM people"
show "Another name and a function do not help." "SELECT reverse(ssn) AS x, upper(note) FROM people"
show "What a rule forbids never reaches the server." "DELETE FROM people WHERE name = 'Ada'"
show "The session goes on, and nothing is gone." "SELECT count(*) FROM people"
printf '\nEach of these left a record before it ran, without its constants:\n'
recorded() { "$sluice" audit --directory "$folder/audit" | grep -q "count("; }
wait_for "the log" recorded
"$sluice" audit --directory "$folder/audit" | sed 's/^/   /'
printf '\n`sluice verify` on the log: '
"$sluice" verify "$folder/audit" --key "$(cat "$folder/gateway.vkey")" | head -n 1

export SLUICE_DEMO_PSQL="PGPASSWORD=$key $bin/psql -h 127.0.0.1 -p $port -U carla -d postgres"
[ $# -gt 0 ] || exit 0
printf '\nWhile the rest of the demo runs, try it yourself:\n   %s\n\n' "$SLUICE_DEMO_PSQL"
cd "$began_in"
"$@" &
command=$!
status=0
wait "$command" || status=$?
command=''
exit "$status"
