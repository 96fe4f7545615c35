#!/bin/sh
# smoke.sh PROGRAM: every workload of the arena with few jobs. The program checks the answers itself; here: that each
# says "ok", and that a wrong command line is an error.
set -eu
program=$1
export ARENA_SPINS_PER_US=100
run() {
    said=$("$program" "$@" jobs=2000) || { echo "$*: exit status $?: $said"; exit 1; }
    case $said in
    *'"status":"ok"'*) echo "$said" ;;
    *) echo "$*: $said"; exit 1 ;;
    esac
}
run throughput
run throughput producers=4 workers=3
run throughput us=1
run throughput batch=1
run bursts
run round-trip
run lanes scale=0.05
run fan-out
run tree
run tree-wait
run pipeline
run ping-pong
run backlog
run idle seconds=0.1
run completion window=1
run completion window=64
run echo connections=1
run echo connections=32
for wrong in "" "no-such-workload" "throughput producers" "throughput producers=x"; do
    # shellcheck disable=SC2086 # words
    if "$program" $wrong >/dev/null 2>&1; then
        echo "'$wrong' was taken"
        exit 1
    fi
done
