#!/usr/bin/env bash
# exports_test.sh LIBRARY SONAME INTEROP - compares what the library exports with INTEROP/abi.txt and with what the
# headers declare (INTEROP/Generated/exports.txt), and reads the soname and the flags that a guest in a process needs.
set -euo pipefail
library=$1 soname=$2 interop=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

report() { # report STATUS WHAT
    if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2" && failed=1; fi
}
compare() { # compare WHAT EXPECTED ACTUAL
    local status=0
    diff -u --label expected --label actual "$2" "$3" || status=1
    report $status "$1"
}

grep -v -e '^#' -e '^$' "$interop/abi.txt" | LC_ALL=C sort >"$work/abi"
# Not ours to promise: the compiler's debug header, and the name of the version itself (the absolute symbol).
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    grep -vx DotNetRuntimeDebugHeader | LC_ALL=C sort >"$work/exported"
compare "the library exports what abi.txt lists" "$work/abi" "$work/exported"
if [ -e "$interop/Generated/exports.txt" ]; then
    sed 's/:.*//' "$interop/Generated/exports.txt" | LC_ALL=C sort >"$work/declared"
    compare "the headers declare what abi.txt lists" "$work/abi" "$work/declared"
fi

readelf -dW "$library" >"$work/dynamic"
status=0
grep -qF "Library soname: [$soname]" "$work/dynamic" || status=1
report $status "the soname is $soname"
status=0
grep -q 'FLAGS_1.*NODELETE' "$work/dynamic" || status=1
report $status "dlclose does not unmap it (NODELETE)"
status=0
readelf -lW "$library" | grep 'GNU_STACK' | grep -q 'RWE' && status=1
report $status "it asks for no executable stack"
exit $failed
