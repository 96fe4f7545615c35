#!/usr/bin/env bash
# build.sh - builds, runs and tests FastJobs. ./build.sh help says how; what it makes is below build/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/steps.sh

jobs=${JOBS:-$(nproc)}
# MSBuild: all its output in one place, no servers that outlive it; the SDK: no greetings, no telemetry.
export ArtifactsPath=$PWD/build/dotnet MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 LC_ALL=C.UTF-8
unset MAKEFLAGS CMAKE_GENERATOR

help() {
    cat <<'END'
usage: ./build.sh COMMAND

  run [DIRECTORY]  build, and print SHA-256 sums of the files below DIRECTORY (/usr/include) from C and from .NET
  test             every check and every test; the last line is "N passed, N failed"
  bench [OPTION]   run the rivals and FastJobs, write build/bench/report/report.md (25 minutes; --quick: 4)
                   --only REGEX, --reps N, --growth, --check (fails if slower than bench/results/arena), --again, --help
  format           rewrite the sources as .editorconfig and .clang-format say
  help             this

Needs the .NET SDK of global.json, a C++ compiler and CMake 3.21. Other Debian packages are installed if root runs it,
else named. JOBS=N: compile with N processes. Logs: build/logs.
END
}

native() { # native [--target NAME]
    cmake -S . -B build/cmake -DCMAKE_BUILD_TYPE=Release && cmake --build build/cmake --parallel "$jobs" "$@"
}
c_sources() { find native tests/native bench/native -name '*.[ch]' -o -name '*.[ch]pp'; }

# ---- run ----

timed() { # timed OUTPUT COMMAND...: sets `seconds`
    local start=$EPOCHREALTIME
    "${@:2}" >"$1" || echo "      exit status $?: not every file could be read"
    seconds=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }')
}

figures() { # figures WHO SECONDS FILES BYTES
    awk -v who="$1" -v s="$2" -v n="$3" -v b="$4" 'BEGIN {
        printf "  %-24s %8.3f s %10.0f files/s %9.1f MiB/s\n", who, s, n / s, b / s / 1048576 }'
}

run() {
    local tree=${1:-/usr/include} out=build/run files bytes seconds of_c
    [ -d "$tree" ] || die "$tree is not a directory"
    mkdir -p $out
    steps=5
    progress "checking the tools"
    set_up make=make /usr/include/openssl/evp.h=libssl-dev
    progress "compiling the engine (NativeAOT) and ecsum"
    need native native --target ecsum
    progress "compiling the same for .NET"
    need example dotnet build managed/examples/EcSum -c Release -o $out/EcSum
    read -r files bytes < <(find "$tree" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d %.0f\n", NR, sum }')
    find "$tree" -type f -exec cat {} + >/dev/null 2>&1 || true # so that both find the files in the cache
    progress "ecsum $tree (C)"
    timed $out/c.sums build/cmake/bin/ecsum "$tree" && of_c=$seconds
    progress "EcSum $tree (.NET)"
    timed $out/dotnet.sums $out/EcSum/EcSum "$tree"
    printf '\n%s: %s files, %s bytes\n' "$tree" "$files" "$bytes"
    figures "C (libfastjobs.so)" "$of_c" "$files" "$bytes"
    figures ".NET (start included)" "$seconds" "$files" "$bytes"
    cmp $out/c.sums $out/dotnet.sums || die "C and .NET differ: diff $out/c.sums $out/dotnet.sums"
    echo "Both printed the same $(wc -l <$out/c.sums) lines: $out/c.sums"
}

# ---- test ----

test_ctest() {
    local status=0
    rm -f "$logs/ctest.xml"
    TAIL=150 logged ctest ctest --test-dir build/cmake -j "$jobs" --output-on-failure --no-tests=error \
        --output-junit "$logs/ctest.xml" || status=$?
    count_ctest CTest $status "$logs/ctest.xml"
}

test_project() { # test_project NAME ARGUMENT...
    local status=0
    rm -f "$logs/$1.trx"
    logged "$1" timeout 1800 dotnet test "tests/$1" -c Release --logger "trx;LogFileName=$1.trx" \
        --results-directory "$logs" "${@:2}" || status=$?
    count_trx "$1" $status "$logs/$1.trx"
}

test_hello() { # the snippet of the README
    says() { [ "$(build/dotnet/bin/Hello/release/Hello)" = "$(printf '42\n3')" ]; }
    check "managed/examples/Hello" hello says || true
}

test_aot() {
    local status=0
    check "NativeAOT test build" aot-build dotnet publish tests/FastJobs.AotTests -c Release -o build/aot || return 0
    logged FastJobs.AotTests timeout 1800 build/aot/FastJobs.AotTests || status=$?
    count_line FastJobs.AotTests $status "$logs/FastJobs.AotTests.log"
}

test_package() {
    rm -rf build/packages build/consumer
    # A place of its own: MSBuild takes an assembly that is there as it is, and ours has paths of this machine in its symbols.
    ArtifactsPath=$PWD/build/packing check "dotnet pack" pack dotnet pack managed/FastJobs -c Release -p:ContinuousIntegrationBuild=true \
        -o build/packages || return 0
    ArtifactsPath=$PWD/build/consumer test_project FastJobs.PackageConsumer -p:FastJobsPackages="$PWD/build/packages"
}

check_format() {
    local sources
    check "format of C#" format-cs dotnet format FastJobs.sln --verify-no-changes --no-restore || true
    mapfile -t sources < <(c_sources)
    check "format of C and C++" format-c clang-format --dry-run -Werror "${sources[@]}" || true
}

run_tests() {
    local project
    steps=9
    start_counting
    progress "checking the tools"
    set_up make=make python3=python3 clang-format=clang-format clang=clang castxml=castxml pkg-config=pkg-config \
        /usr/include/openssl/evp.h=libssl-dev /usr/include/uv.h=libuv1-dev \
        /usr/include/event2/event.h=libevent-dev /usr/include/boost/asio.hpp=libboost-dev groff=groff-base valgrind=valgrind \
        tclsh=tcl /usr/include/tcl8.6/tcl.h=tcl-dev /usr/include/tclThread.h=tcl-thread
    progress "compiling the engine (NativeAOT), the examples and the native tests"
    check "native build" native native && native_built=1
    progress "compiling the managed projects"
    check "managed build" managed dotnet build FastJobs.sln -c Release && managed_built=1
    progress "checking the format of the sources"
    check_format
    progress "comparing the generated bindings with the headers"
    check "bindings" bindgen dotnet run -c Release --project interop/bindgen -- --check || true
    progress "C, C++ and shell tests (CTest)"
    [ -z "${native_built-}" ] || test_ctest
    progress "managed tests (dotnet test)"
    for project in tests/*/*.csproj; do
        project=$(basename "$project" .csproj)
        if [ -n "${managed_built-}" ] && [ "$project" != FastJobs.PackageConsumer ] &&
            grep -q Microsoft.NET.Test.Sdk "tests/$project/$project.csproj"; then
            test_project "$project" --no-build
        fi
    done
    if [ -n "${managed_built-}" ]; then test_hello; fi
    progress "the same contracts compiled by NativeAOT"
    test_aot
    progress "the NuGet package and a project that uses it"
    test_package
    finish
}

# ---- bench ----

bench_peers() {
    progress "compiling the engine (NativeAOT)"
    need native native --target fastjobs_library
    progress "compiling the rivals"
    need arena cmake -S bench/native/arena -B build/bench/native -DFASTJOBS_BUILD="$PWD/build/cmake"
    need arena-build cmake --build build/bench/native --parallel "$jobs"
    need arena-managed dotnet build -c Release bench/FastJobs.Benchmarks -o build/bench/managed
    progress "running them in turn"
}

bench() {
    local python=python3 arena=(-B bench/arena --native build/bench/native/bin --managed build/bench/managed
        --library build/cmake/lib/libfastjobs.so --out build/bench/report)
    steps=4
    case " $* " in *" --help "* | *" -h "*) exec "$python" "${arena[@]}" --help ;; esac
    progress "checking the tools"
    set_up pkg-config=pkg-config /usr/include/uv.h=libuv1-dev /usr/include/oneapi/tbb/task_arena.h=libtbb-dev \
        /usr/include/glib-2.0/glib.h=libglib2.0-dev /usr/include/apr-1.0/apu_version.h=libaprutil1-dev \
        /usr/include/boost/asio.hpp=libboost-dev valgrind=valgrind python3=python3 \
        /usr/lib/python3/dist-packages/matplotlib=python3-matplotlib
    # Debian's packages are for Debian's interpreter; another one may come first in PATH.
    "$python" -c 'import matplotlib' 2>/dev/null || python=/usr/bin/python3
    "$python" "${arena[@]}" --parse "$@"
    case " $* " in *" --again "*) ;; *) bench_peers ;; esac
    "$python" "${arena[@]}" "$@"
}

case ${1:-help} in
run) run "${@:2}" ;;
test) run_tests ;;
bench) bench "${@:2}" ;;
format)
    need format-cs dotnet format FastJobs.sln
    c_sources | xargs clang-format -i
    ;;
help | -h | --help) help ;;
*)
    help >&2
    exit 2
    ;;
esac
