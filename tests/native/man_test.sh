#!/usr/bin/env bash
# man_test.sh ROOT: the manual pages are clean, and every exported function is on one.
set -euo pipefail
cd "$1"
failed=0
for page in native/man/*.[1-9n]; do
    if command -v groff >/dev/null && ! complaints=$(groff -mdoc -Tascii -ww "$page" 2>&1 >/dev/null) || [ -n "${complaints-}" ]; then
        echo "$page: ${complaints-groff fails}"
        failed=1
    fi
done
while read -r symbol; do
    # Under its own name, or that of the original.
    if ! grep -qE "^\.(Nm|Fn|Fa|Li).*\b(${symbol}|${symbol#fj_})\b|^\.Fn.*\b${symbol}\b" native/man/*.3; then
        echo "no manual page names $symbol"
        failed=1
    fi
done < <(grep -oE '^(ec|fj)_[a-z0-9_]+' interop/FastJobs.Interop/abi.txt | sed 's/_$//')
exit $failed
