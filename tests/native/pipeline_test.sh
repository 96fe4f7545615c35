#!/usr/bin/env bash
# pipeline_test.sh PIPELINE - the example pipeline against cksum: files of all sizes, in order, more than its window and
# one larger than its budget of memory; files that cannot be read.
set -euo pipefail
pipeline=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C

: >empty
printf 'no newline' >short
head -c 1000003 /dev/zero | tr '\0' 'x' >million
truncate -s 70M hole # above the budget of 64 MiB
mkdir many
for i in $(seq 1 500); do
    seq 1 "$i" >"many/file $i"
done
find . -type f | sort >names
mapfile -t files <names

cksum "${files[@]}" >expected
"$pipeline" "${files[@]}" >actual
cmp expected actual
"$pipeline" - <names >actual
cmp expected actual
echo "ok - ${#files[@]} files, as cksum prints them"

status=0
"$pipeline" short missing . million >actual 2>errors || status=$?
[ $status = 1 ]
cksum short million >expected
cmp expected actual
grep -q '^pipeline: missing: No such file or directory$' errors
grep -q '^pipeline: \.: Is a directory$' errors
echo "ok - files that cannot be read are named, the others are printed"

status=0
"$pipeline" 2>errors || status=$?
[ $status = 2 ]
grep -q '^usage:' errors
echo "ok - no arguments"
