# shellcheck shell=bash
# steps.sh - what build.sh is made of: quiet steps with a log each, the set-up of a machine, and the count of tests.
# Sourced in the root of the repository.

logs=$PWD/build/logs
mkdir -p "$logs"
step=0 steps=0 passed=0 failed=0 summary=()

die() {
    echo "build.sh: $1" >&2
    exit 1
}

# progress TEXT: says which step begins. Set `steps` first.
progress() {
    step=$((step + 1))
    echo "[$step/$steps] $1…"
}

# logged NAME COMMAND...: runs it with its output in build/logs/NAME.log; shows the end of that if it fails.
logged() {
    local name=$1 status=0
    shift
    { "$@" || status=$?; } >"$logs/$name.log" 2>&1 </dev/null
    if [ $status != 0 ]; then
        echo "--- exit status $status; the end of build/logs/$name.log:"
        # Without what CTest says of tests that pass.
        grep -avE '^ +Start +[0-9]+: | Passed +[0-9.]+ sec' "$logs/$name.log" | tail -n "${TAIL:-30}" | cut -c-300 || true
        echo "---"
    fi
    return $status
}

# need NAME COMMAND...: a step without which nothing goes on.
need() { logged "$@" || die "this step failed; build/logs/$1.log has all that it said"; }

# count SUITE STATUS PASSED FAILED: adds a suite up. It failed if it says so, if it ended badly, if it ran nothing.
count() {
    local good=${3:-0} bad=${4:-0}
    if [ "$bad" = 0 ] && { [ "$2" != 0 ] || [ "$good" = 0 ]; }; then bad=1; fi
    passed=$((passed + good)) failed=$((failed + bad))
    summary+=("$(printf '%-34s %6d passed %4d failed' "$1" "$good" "$bad")")
}

# check WHAT NAME COMMAND...: a step that is no suite: it counts only if it fails.
check() {
    local what=$1
    shift
    if logged "$@"; then
        summary+=("$(printf '%-34s     ok' "$what")")
    else
        count "$what" 1
        return 1
    fi
}

# start_counting: from here on the last line is the sum, also if the script ends early.
start_counting() { trap 'echo "$passed passed, $((failed + 1)) failed"' EXIT; }

# finish: the summary and, alone on the last line, the sum. Fails if anything failed.
finish() {
    trap - EXIT
    printf '\nafter %d min %d s:\n' $((SECONDS / 60)) $((SECONDS % 60))
    printf '  %s\n' "${summary[@]}"
    printf '\n%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" = 0 ]
}

# attribute NAME XML: the number that an element has there, 0 if it has none.
attribute() { [[ $2 =~ [[:space:]]$1=\"([0-9]+)\" ]] && echo "${BASH_REMATCH[1]}" || echo 0; }

# count_ctest SUITE STATUS REPORT: what `ctest --output-junit` wrote.
count_ctest() {
    local sums all bad out
    sums=$(tr '\n' ' ' 2>/dev/null <"$3" | grep -ao -m 1 '<testsuite [^>]*>' || true)
    all=$(attribute tests "$sums") bad=$(attribute failures "$sums")
    out=$(($(attribute skipped "$sums") + $(attribute disabled "$sums")))
    count "$1" "$2" $((all - bad - out)) "$bad"
}

# count_trx SUITE STATUS REPORT: what `dotnet test --logger trx` wrote.
count_trx() {
    local sums
    sums=$(grep -ao -m 1 '<Counters [^>]*>' "$3" 2>/dev/null || true)
    count "$1" "$2" "$(attribute passed "$sums")" $(($(attribute failed "$sums") + $(attribute error "$sums")))
}

# count_line SUITE STATUS LOG: a program that ends with "N passed, N failed".
count_line() {
    local good=0 bad=0
    read -r good bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$3" 2>/dev/null | tail -n 1) || true
    count "$1" "$2" "$good" "$bad"
}

# set_up COMMAND-OR-FILE=PACKAGE...: names what is missing; what is in Debian is installed if root runs this.
set_up() {
    local item thing missing=()
    command -v dotnet >/dev/null || die "dotnet is missing: install the .NET SDK that global.json names"
    # Without the ICU libraries the SDK only starts if it is told to do without.
    compgen -G '/usr/lib*/**/libicuuc.so*' >/dev/null || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    dotnet --version >"$logs/sdk.log" 2>&1 || { cat "$logs/sdk.log" && die "install the .NET SDK that global.json names"; }
    for thing in cc c++ cmake; do
        command -v $thing >/dev/null || die "$thing is missing: install a C++ compiler and CMake (Debian: g++ cmake)"
    done
    local version
    version=$(cmake --version | sed -n '1s/[^0-9]*//p')
    printf '3.21\n%s\n' "$version" | sort -CV || die "CMake $version is too old: install 3.21 or later"
    for item in "$@"; do
        thing=${item%%=*}
        command -v "$thing" >/dev/null || [ -e "$thing" ] || missing+=("${item#*=}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        die "packages are missing. On Debian: sudo apt-get install ${missing[*]}"
    fi
    echo "      installing ${missing[*]}"
    need apt-update apt-get -q update
    need apt-install env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "${missing[@]}"
}
