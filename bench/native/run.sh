#!/usr/bin/env bash
# Measures libfastjobs beside the C and C++ rivals: same workloads, same run, rounds interleaved.
#
#   bench/native/run.sh [--reps N] [--scale X] [--peers "textbook glib ..."] [--workloads W1,W2,...]
#
# Prints a table of medians and, for each goal, our ratio to the best rival. Keeps what it measured under
# build/bench-native. Needs the rivals' packages (apt-get install libuv1-dev libtbb-dev libglib2.0-dev libapr1-dev
# libaprutil1-dev libboost-dev pkg-config python3); a rival whose package is missing is left out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=${FASTJOBS_PEERS:-$root/../shared/peers}
out=$root/build/bench-native
reps=5 scale=1 workloads=W1,W2,W3,W4,W5,W6 names=
while [ $# -gt 0 ]; do
    case $1 in
    --reps) reps=$2 ;;
    --scale) scale=$2 ;;
    --peers) names=$2 ;;
    --workloads) workloads=$2 ;;
    *) sed -n '2,9p' "$0"; exit 2 ;;
    esac
    shift 2
done
[ -f "$peers/bench.hpp" ] || { echo "run.sh: no bench.hpp in $peers: set FASTJOBS_PEERS" >&2; exit 1; }

mkdir -p "$out"
echo "building libfastjobs, the rivals and the driver" >&2
cmake -S "$root" -B "$out/library" -DFASTJOBS_TESTS=OFF >"$out/build.log"
cmake --build "$out/library" -j2 >>"$out/build.log"
cmake --install "$out/library" --prefix "$out/prefix" >>"$out/build.log"
cmake -S "$peers" -B "$out/peers" >>"$out/build.log" 2>&1
cmake --build "$out/peers" -j2 >>"$out/build.log"
cmake -S "$here" -B "$out/fastjobs" -DFASTJOBS_PEERS="$peers" -DCMAKE_PREFIX_PATH="$out/prefix" >>"$out/build.log"
cmake --build "$out/fastjobs" >>"$out/build.log"

programs=("$out/fastjobs/bench_fastjobs")
for p in ${names:-textbook uv glib asio tbb_enqueue tbb_taskgroup apr_push apr_top}; do
    [ -x "$out/peers/bin/bench_$p" ] && programs+=("$out/peers/bin/bench_$p")
done
SPIN_ITERS=$("${programs[0]}" --calibrate)
export SPIN_ITERS
results=$out/results.jsonl
printf '{"env":{"date":"%s","kernel":"%s","cpu":"%s","cpus":%s,"commit":"%s","load_before":"%s"}}\n' \
    "$(date -u +%FT%TZ)" "$(uname -r)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(cut -d' ' -f1-3 /proc/loadavg)" >"$results"
for ((r = 1; r <= reps; r++)); do
    for p in "${programs[@]}"; do
        echo "round $r/$reps: $(basename "$p")" >&2
        "$p" --workloads "$workloads" --scale "$scale" >>"$results" || true
    done
done
echo "idle cost, all together" >&2
for p in "${programs[@]}"; do
    "$p" --workloads W7 >"$out/w7.$(basename "$p")" &
done
wait
for p in "${programs[@]}"; do cat "$out/w7.$(basename "$p")" >>"$results"; done
python3 "$peers/report.py" "$results" "$out/summary.jsonl" >"$out/table.txt"
cat "$out/table.txt"
python3 "$here/goals.py" "$out/summary.jsonl" | tee "$out/goals.txt"
