#!/usr/bin/env bash
# Measures ecsum beside its rivals on 20,000 small files with a warm cache: xargs with sha256sum in two processes, and one
# thread that reads and hashes with libcrypto. Runs alternate; prints medians and the median of the ratios pair by pair.
#
#   bench/native/ecsum.sh [ROUNDS]        default 9
#
# Needs cmake, a C compiler, OpenSSL's headers (libssl-dev), xargs and sha256sum.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bench-ecsum
rounds=${1:-9}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { sed -n '2,8p' "$0"; exit 2; }

mkdir -p "$out"
echo "building ecsum and the loop" >&2
cmake -S "$root" -B "$out/library" -DFASTJOBS_TESTS=OFF >"$out/build.log"
cmake --build "$out/library" -j2 >>"$out/build.log"
"${CC:-cc}" -O2 -D_GNU_SOURCE "$root/tests/native/ecsum_loop.c" -lcrypto -o "$out/ecsum_loop"

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
echo "making 20,000 files of 200 to 14,000 bytes" >&2
python3 - "$files" <<'P'
import os, random, sys
random.seed(1)
for d in range(200):
    folder = os.path.join(sys.argv[1], f"d{d:03}")
    os.mkdir(folder)
    for f in range(100):
        with open(os.path.join(folder, f"f{f:03}"), "wb") as file:
            file.write(random.randbytes(random.randint(200, 14_000)))
P
list=$out/list
find "$files" -type f -print0 | LC_ALL=C sort -z >"$list"
ROUNDS=$rounds python3 - "$out" "$files" "$list" <<'P'
import os, statistics, subprocess, sys, time
out, files, listing = sys.argv[1:]
def run(command):
    began = time.perf_counter()
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
ecsum = f"{out}/library/bin/ecsum {files}"
rivals = {
    "one thread, read and libcrypto": (f"{out}/ecsum_loop {listing}", 0.7),
    "xargs -0 -P 2 -n 200 sha256sum": (f"xargs -0 -P 2 -n 200 sha256sum < {listing}", 0.5),
}
missed = False
for name, (command, goal) in rivals.items():
    run(ecsum), run(command)  # warm
    ours, theirs = [], []
    for _ in range(int(os.environ["ROUNDS"])):
        ours.append(run(ecsum))
        theirs.append(run(command))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    print(f"ecsum {statistics.median(ours):.3f} s, {name} {statistics.median(theirs):.3f} s, ratio {ratio:.2f} (goal {goal})")
    missed |= ratio > goal
sys.exit(1 if missed else 0)
P
