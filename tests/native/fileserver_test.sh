#!/usr/bin/env bash
# fileserver_test.sh SERVER CLIENT [REQUESTS]: the example fileserver with 200 real connections at once, and its end.
set -euo pipefail
server=$1 client=$2 requests=${3:-100000}
files=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$files"' EXIT
pid=
for i in 0 1 2 3 4 5 6 7 8 9; do
    head -c $((i * i * 1500)) /dev/urandom >"$files/f$i"
done
echo secret >"$files.secret"

"$server" "$files" >"$files/port" &
pid=$!
until [ -s "$files/port" ]; do
    kill -0 "$pid" || { echo "the server ended"; exit 1; }
    sleep 0.05
done
port=$(cat "$files/port")
"$client" "$port" "$files" 200 "$requests"

# A connection that is open, and one in the middle of a line, do not hold up the end.
exec 3<>"/dev/tcp/127.0.0.1/$port" 4<>"/dev/tcp/127.0.0.1/$port"
printf 'half a li' >&4
printf 'one line\n' >&3
read -r line <&3
[ "$line" = "one line" ] || { echo "echoed: $line"; exit 1; }
kill -TERM "$pid"
wait "$pid" || { echo "the server's exit code: $?"; exit 1; }
pid=
rm -f "$files.secret"
