#!/usr/bin/env bash
# install_test.sh BUILD VERSION CC CXX - installs the build below a prefix, moves the prefix, and builds a C and a C++
# program from there: by find_package, and by pkg-config where that is installed. Runs them.
set -euo pipefail
build=$1 version=$2 cc=$3 cxx=$4
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings=(-Wall -Wextra -pedantic -Werror)
unset LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH DESTDIR

cmake --install "$build" --prefix "$work/installed" >/dev/null
mv "$work/installed" "$work/moved"
prefix=$work/moved
if grep -rlF -e "$work/installed" -e "$build" "$prefix" --include='*.pc' --include='*.cmake' --include='*.h' --include='*.hpp'; then
    echo "not ok - the files above name the build or the prefix" && exit 1
fi
pc=$(find "$prefix" -name fastjobs.pc)
libdir=$(dirname "$(dirname "$pc")")
for file in "$prefix/include/fastjobs/"{fastjobs,ec_thread_pool,ec_malloc,fj_base}.h \
    "$prefix/include/fastjobs/"{fastjobs,fastjobs_asio,fjpp/base,fjpp/group}.hpp "$libdir/libfastjobs.so" \
    "$libdir/libfastjobs.so.${version%%.*}" "$libdir/libfastjobs.so.$version" \
    "$libdir/cmake/FastJobs/FastJobsConfig"{,Version}.cmake; do
    [ -e "$file" ] || { echo "not ok - $file is not installed" && exit 1; }
done
echo "ok - the library, the headers, fastjobs.pc and the CMake package are installed"

run() { # run PROGRAM: it prints the version of the library
    local said
    said=$("$1")
    [ "$said" = "$version" ] || { echo "not ok - $1 says '$said', not '$version'" && exit 1; }
    echo "ok - ${1#"$work"/}"
}

export CC=$cc CXX=$cxx
cmake -S "$here/consumer" -B "$work/by-cmake" -DCMAKE_PREFIX_PATH="$prefix" -DFASTJOBS_EXPECTED="$version" >/dev/null
cmake --build "$work/by-cmake" >/dev/null
run "$work/by-cmake/consumer_c"
run "$work/by-cmake/consumer_cpp"
run "$work/by-cmake/consumer_hpp"

if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH=${pc%/*}
    [ "$(pkg-config --modversion fastjobs)" = "$version" ] || { echo "not ok - pkg-config --modversion" && exit 1; }
    read -ra flags < <(pkg-config --cflags --libs fastjobs)
    mkdir "$work/by-pkg-config"
    export LD_LIBRARY_PATH=$libdir
    "$cc" -std=c11 "${warnings[@]}" "$here/consumer/consumer.c" -o "$work/by-pkg-config/consumer_c" "${flags[@]}"
    run "$work/by-pkg-config/consumer_c"
    "$cxx" -std=c++17 "${warnings[@]}" "$here/consumer/consumer.cpp" -o "$work/by-pkg-config/consumer_cpp" "${flags[@]}"
    run "$work/by-pkg-config/consumer_cpp"
    "$cxx" -std=c++17 "${warnings[@]}" "$here/consumer/consumer_hpp.cpp" -o "$work/by-pkg-config/consumer_hpp" "${flags[@]}"
    run "$work/by-pkg-config/consumer_hpp"
fi
