#!/usr/bin/env bash
# ecsum_test.sh ECSUM - compares ecsum with sha256sum. Prints "ok - what" or "not ok - what: why" a check and exits
# with 1 if any failed. Needs coreutils, findutils, and script and setpriv of util-linux; about 500 MB of sparse files
# and 120 MB of real ones in ${TMPDIR:-/tmp}.
set -u
export LC_ALL=C.UTF-8
ecsum=$(realpath -- "${1:?usage: ecsum_test.sh ECSUM}")
work=$(mktemp -d "${TMPDIR:-/tmp}/ecsum_test.XXXXXX")
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work" || exit 1
failures=0

report() { # report STATUS NAME [DETAIL]
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        failures=$((failures + 1))
        echo "not ok - $2: ${3:-}"
    fi
}
same() { # same NAME EXPECTED-FILE ACTUAL-FILE
    local difference
    difference=$(diff -a "$2" "$3" 2>&1 | head -n 6)
    report $((${#difference} > 0)) "$1" "$difference"
}
equal() { # equal NAME EXPECTED ACTUAL
    [ "$2" = "$3" ]
    report $? "$1" "expected '$2', got '$3'"
}
# Runs ecsum and sha256sum with the same arguments and compares both streams and the status.
like_sha256sum() { # like_sha256sum NAME ARGUMENT... (standard input goes to both)
    local name=$1 status
    shift
    cat >stdin.bin
    sha256sum "$@" <stdin.bin >expected.out 2>expected.raw
    echo "status $?" >>expected.raw
    sed "s/^sha256sum: /ecsum: /; s/'sha256sum --/'ecsum --/" expected.raw >expected.err
    "$ecsum" "$@" <stdin.bin >actual.out 2>actual.err
    echo "status $?" >>actual.err
    same "$name" expected.out actual.out
    same "$name (messages, status)" expected.err actual.err
}
# The regular files below a directory, in the order of ecsum: by the bytes of the entries, so '/' sorts first.
files_below() {
    find "$1" -type f -print0 | tr / '\001' | LC_ALL=C sort -z | tr '\001' /
}
walks() { # walks NAME DIRECTORY
    files_below "$2" | xargs -0 -r sha256sum -- >expected.out
    "$ecsum" "$2" >actual.out 2>actual.err
    equal "$1 (status)" 0 $?
    same "$1" expected.out actual.out
    equal "$1 (no messages)" "" "$(cat actual.err)"
}
bytes() { # bytes COUNT: the same bytes each time, no two blocks alike
    seq 100000000 | head -c "$1"
}

# --- Names and sizes in a directory ---
mkdir -p tree/sub/deeper tree/a tree/empty
for size in 0 1 55 56 63 64 65 65535 65536 65537 262143 262144 262145 524287 524288 524289 1048576 1048577; do
    bytes $size >"tree/size-$size"
done
for name in 'with space' $'new\nline' 'back\slash' $'carriage\rreturn' $'bytes\xff\xfe' 'héllo' '-dash' $'\\\n\r' a.txt \
    a-b 'a b' "apo's" '*' $'tab\there' 'ends\' $'ends\n'; do
    printf '%s' "$name" >"tree/$name"
    printf '%s' "$name" >"tree/sub/$name"
done
echo inside >tree/a/inside
echo deep >tree/sub/deeper/deep
cp tree/size-65537 tree/sub/duplicate
bytes 50000000 >tree/sub/large
truncate -s 9M tree/sub/sparse
ln -s size-65536 tree/link
ln -s nowhere tree/dangling
ln -s sub tree/link-to-directory
mkfifo tree/fifo
walks "a tree with awkward names, sizes, links and a FIFO" tree
walks "a directory with a trailing slash" tree/
(cd tree && files_below . | xargs -0 sha256sum --) >expected.out
(cd tree && exec "$ecsum" .) >actual.out
same "the directory ." expected.out actual.out
walks "an empty directory" tree/empty

# --- Operands ---
like_sha256sum "regular files in the order given, one twice" tree/size-1 tree/a.txt tree/size-1 tree/sub/large </dev/null
like_sha256sum "names that are escaped" tree/*$'\n'* tree/*\\* tree/*$'\r'* </dev/null
like_sha256sum "-z does not escape" -z tree/*$'\n'* tree/*\\* tree/a.txt </dev/null
like_sha256sum "--zero" --zero tree/size-0 </dev/null
like_sha256sum "a link on the command line is followed" tree/link tree/a.txt </dev/null
like_sha256sum "a dangling link" tree/dangling tree/a.txt </dev/null
like_sha256sum "missing files among others" missing tree/a.txt tree/missing '' tree/size-1 missing/too tree/a.txt/x </dev/null
like_sha256sum "a device" /dev/null tree/a.txt </dev/null
like_sha256sum "a file of unknown size" /proc/self/mountinfo /proc/version </dev/null
like_sha256sum "no operand: standard input" </dev/null
bytes 300000 | like_sha256sum "no operand: data on standard input"
echo data | like_sha256sum "- among files, twice" tree/a.txt - tree/size-1 - tree/size-64
bytes 2000000 | like_sha256sum "-z -" -z -
like_sha256sum "messages quote names as GNU does" 'no such' "apo'strophe" 'a"b' $'new\nline' $'tab\tx' 'back\slash' '~x' 'x~' \
    '#' '{' '{}' 'a:b' 'a=b' "a'\$b" $'\xff' 'é' $'\x7f' "a'é" 'a?' '[x' ']' 'x;y' $'\e[0m' </dev/null
like_sha256sum "a name that is too long" "$(printf '%300s' x)" </dev/null
like_sha256sum "an unknown option" --nonsense </dev/null
like_sha256sum "an unknown letter" -q </dev/null
mkdir dashes && echo dash >dashes/-dash && cd dashes || exit 1
like_sha256sum "-- ends the options" -- -dash </dev/null
like_sha256sum "a name with a leading dash is an option" -dash </dev/null
cd ..
"$ecsum" tree/link-to-directory | cut -c67- | head -n 1 >actual.out
equal "a link to a directory on the command line is walked" \
    "$(files_below tree/sub | tr '\0' '\n' | head -n 1 | sed s/sub/link-to-directory/)" "$(cat actual.out)"
mkfifo pipe
bytes 700000 >pipe &
"$ecsum" tree/a.txt pipe tree/size-1 >actual.out
wait
bytes 700000 >fifo-content
sha256sum tree/a.txt fifo-content tree/size-1 | sed s/fifo-content/pipe/ >expected.out
same "a FIFO on the command line is read" expected.out actual.out
"$ecsum" - <&- >actual.out 2>actual.err
equal "a closed standard input (status)" 1 $?
equal "a closed standard input" "ecsum: -: Bad file descriptor" "$(cat actual.err)"
{ sha256sum tree/a.txt missing tree/size-1 missing tree/size-0 2>&1 | sed 's/^sha256sum:/ecsum:/'; } >expected.out
"$ecsum" tree/a.txt missing tree/size-1 missing tree/size-0 >actual.out 2>&1
same "lines and messages are in the order of the input" expected.out actual.out

# --- --files0-from ---
files_below tree >list
xargs -0 sha256sum -- <list >expected.out
"$ecsum" --files0-from=list >actual.out
same "--files0-from=FILE" expected.out actual.out
"$ecsum" --files0-from=- <list >actual.out
same "--files0-from=-" expected.out actual.out
printf 'tree/a.txt\0tree/size-1' | "$ecsum" --files0-from - >actual.out
sha256sum tree/a.txt tree/size-1 >expected.out
same "a last name without NUL" expected.out actual.out
printf 'tree/a.txt\0\0-\0tree/size-1\0' | "$ecsum" --files0-from=- >actual.out 2>actual.err
equal "bad names in a list (status)" 1 $?
same "bad names in a list: the others are hashed" expected.out actual.out
printf '%s\n' "ecsum: -:2: invalid zero-length file name" \
    "ecsum: -:3: no file name of '-' allowed in standard input" >expected.err
same "bad names in a list (messages)" expected.err actual.err
"$ecsum" --files0-from=missing 2>actual.err
equal "a missing list (status)" 1 $?
equal "a missing list" "ecsum: missing: No such file or directory" "$(cat actual.err)"
equal "an empty list" "" "$("$ecsum" --files0-from=/dev/null </dev/null)"
"$ecsum" --files0-from=list tree 2>actual.err
equal "a list and operands (status)" 1 $?
equal "a list and operands" "ecsum: extra operand tree" "$(head -n 1 actual.err)"

# --- What cannot be read ---
as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
mkdir -p locked/dir locked/open
for name in a b dir/x open/y z; do echo $name >locked/$name; done
chmod 000 locked/b locked/dir
as_user "$ecsum" locked >actual.out 2>actual.err
equal "unreadable entries (status)" 1 $?
sha256sum locked/a locked/open/y locked/z >expected.out
same "unreadable entries: the others are hashed" expected.out actual.out
printf '%s\n' "ecsum: locked/b: Permission denied" "ecsum: locked/dir: Permission denied" >expected.err
same "unreadable entries (messages)" expected.err actual.err
as_user "$ecsum" locked/dir >actual.out 2>actual.err
equal "an unreadable directory as operand (status)" 1 $?
equal "an unreadable directory as operand" "ecsum: locked/dir: Permission denied" "$(cat actual.err)"
chmod 755 locked/dir

# --- The output ---
"$ecsum" tree/a.txt >/dev/full 2>actual.err
equal "/dev/full (status)" 1 $?
equal "/dev/full" "ecsum: write error: No space left on device" "$(cat actual.err)"
"$ecsum" tree/a.txt >&- 2>actual.err
equal "a closed standard output (status)" 1 $?
equal "a closed standard output" "ecsum: write error: Bad file descriptor" "$(cat actual.err)"
"$ecsum" --help >/dev/full 2>/dev/null
equal "--help to /dev/full (status)" 1 $?
"$ecsum" --help >actual.out 2>actual.err
equal "--help (status)" 0 $?
equal "--help" "Usage: ecsum [OPTION]... [FILE]..." "$(head -n 1 actual.out)"
"$ecsum" --version >actual.out
equal "--version (status)" 0 $?
grep -Eq '^ecsum \(FastJobs\) [0-9]+\.[0-9]+' actual.out
report $? "--version" "$(cat actual.out)"

# --- Many files ---
for d in {1..30}; do
    mkdir -p "many/d$((d % 3))/e$d/f"
    for f in {1..50}; do
        bytes $((f * d)) >"many/d$((d % 3))/e$d/$f"
        bytes $((f + d)) >"many/d$((d % 3))/e$d/f/$f"
    done
done
for i in 1 2 3 4 5 6 7 8; do bytes $((3000000 + i)) >"many/d1/e1/large$i"; done
walks "3,000 small files and some large ones in nested directories" many
cp actual.out reference.out
for i in {1..10}; do "$ecsum" many | cmp - reference.out || break; done >cmp.out 2>&1
equal "ten runs print the same" "" "$(cat cmp.out)"
sha256sum --check --quiet actual.out >check.out 2>&1
equal "sha256sum --check accepts the output" "" "$(cat check.out)"

"$ecsum" many | head -c 1 >/dev/null
equal "a closed pipe ends it by SIGPIPE, as sha256sum" 141 "${PIPESTATUS[0]}"
(
    trap '' PIPE
    "$ecsum" many 2>actual.err | head -c 1 >/dev/null
    equal "a closed pipe with SIGPIPE ignored (status)" 1 "${PIPESTATUS[0]}"
    exit $failures
)
failures=$?
equal "a closed pipe with SIGPIPE ignored" "ecsum: write error: Broken pipe" "$(cat actual.err)"

# --- Depth ---
(
    for d in {1..400}; do mkdir -p deep/d && cd deep && mv d "d$d" && cd "d$d" && echo "$d" >f || exit 1; done
)
(
    ulimit -n 64
    "$ecsum" deep >actual.out 2>actual.err
    equal "800 levels with 64 descriptors (status)" 0 $?
    equal "800 levels with 64 descriptors" "400 " "$(wc -l <actual.out) $(head -n 1 actual.err)"
    exit $failures
)
failures=$?
long=$(printf '%0200d' 0)
(
    mkdir long && cd long && for d in {1..40}; do mkdir "$long" && cd "$long" || exit 1; done
    echo bottom >file && sha256sum file | cut -c-64 >"$work/expected.out"
)
"$ecsum" long >actual.out 2>actual.err
equal "a path of 8,000 bytes (status)" 0 $?
cut -c-64 actual.out >actual.digest
same "a path of 8,000 bytes" expected.out actual.digest
equal "a path of 8,000 bytes (name)" $((4 + 40 * 201 + 5)) "$(cut -c67- actual.out | tr -d '\n' | wc -c)"

# --- The progress line ---
script -qec "'$ecsum' many tree >actual.out" /dev/null >typescript </dev/null
"$ecsum" many tree | cmp - actual.out >cmp.out 2>&1
equal "with a progress line the output is the same" "" "$(cat cmp.out)"
grep -aq 'ecsum: [0-9]* files, [0-9.]* MiB' typescript
report $? "a terminal gets a progress line" "$(head -c 200 typescript)"
equal "the progress line is erased at the end" $'\r\e[K' "$(tail -c 4 typescript)"
script -qec "'$ecsum' many missing" /dev/null </dev/null | tr '\r' '\n' | sed 's/^.*\x1b\[K//' | grep -av '^$' |
    grep -av '^ecsum: [0-9]* files' >actual.out
{ cat reference.out && echo "ecsum: missing: No such file or directory"; } >expected.out
same "lines and messages on the terminal are whole" expected.out actual.out

# --- Memory ---
# ecsum has printed all before it reads the standard input, so its peak can be read while it waits there.
peak() { # peak LINES OPERAND...
    local lines=$1 pid tries=0
    shift
    rm -f hold && mkfifo hold && : >peak.out
    "$ecsum" "$@" - <hold >peak.out &
    pid=$!
    exec 9>hold
    while [ "$(wc -l <peak.out)" -lt "$lines" ] && [ $((tries++)) -lt 600 ]; do sleep 0.1; done
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"
    exec 9>&-
    wait "$pid"
}
small=$(peak 1 tree/a.txt)
mkdir huge
for i in 1 2 3 4 5 6; do truncate -s 64M huge/$i; done
big=$(peak $((16 * 3008 + 6)) many many many many many many many many many many many many many many many many huge)
limit=${ECSUM_TEST_KB:-24576} # a sanitizer needs more
[ "$small" -gt 0 ] && [ $((big - small)) -lt "$limit" ]
report $? "48,000 files and 400 MB take at most $limit kB more than one file" "$small kB, $big kB"
echo "# peak: $small kB for one file, $big kB for all"

[ "$failures" = 0 ]
