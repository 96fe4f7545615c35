#!/usr/bin/env bash
# emptied.sh BUILD [SYMBOL...]: for each exported function (default: all of abi.txt), puts an empty one in its place and
# checks that some native test notices: fails, crashes or hangs.
#
# BUILD is a build directory whose tests are built. Takes some minutes; not part of the test run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:?the build directory}" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mapfile -t tests < <(find "$build/tests/native" -maxdepth 1 -type f -perm -u+x ! -name '*.*' \
    \( -name 'test_*' -o -name 'host_*' \) | sort)
((${#tests[@]} > 0)) || { echo "emptied.sh: no test programs in $build/tests/native: build them first" >&2; exit 2; }
for test in "${tests[@]}"; do
    nm -D --undefined-only "$test" | awk -v t="$test" '{ sub(/@.*/, "", $2); print $2, t }'
done >"$work/users"
symbols=("$@")
((${#symbols[@]} > 0)) || mapfile -t symbols < <(grep -oE '\b(ec|fj)_[a-z0-9_]+' "$root/interop/FastJobs.Interop/abi.txt" | sort -u)

missed=()
for symbol in "${symbols[@]}"; do
    printf 'long %s(void) { return 0; }\n' "$symbol" >"$work/empty.c"
    "${CC:-cc}" -shared -fPIC -w -o "$work/empty.so" "$work/empty.c"
    noticed=
    while read -r test; do
        if ! (cd "$work" && LD_PRELOAD=$work/empty.so timeout -s KILL 20 "$test" >/dev/null 2>&1); then
            noticed=$(basename "$test")
            break
        fi
    done < <(awk -v s="$symbol" '$1 == s { print $2 }' "$work/users")
    printf '%-44s %s\n' "$symbol" "${noticed:-NOBODY NOTICES}"
    [ -n "$noticed" ] || missed+=("$symbol")
done
((${#missed[@]} == 0)) || { echo "no test notices: ${missed[*]}"; exit 1; }
