#!/usr/bin/env bash
# suspend_test.sh PROGRAM - the example of a suspended connection answers with the sizes of files, and with errors.
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

: >"$work/empty"
head -c 12345 /dev/zero >"$work/file"
names=() expected=()
for i in $(seq 100); do # the one connection is suspended 300 times
    names+=("$work/empty" "$work/file" "$work/none")
    expected+=("$work/empty: 0 bytes" "$work/file: 12345 bytes" "$work/none: No such file or directory")
done
printf '%s\n' "${expected[@]}" >"$work/expected"
LC_ALL=C "$program" "${names[@]}" >"$work/answers"
diff -u "$work/expected" "$work/answers"
echo "ok - ${#names[@]} answers"
