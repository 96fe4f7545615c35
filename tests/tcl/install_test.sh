#!/usr/bin/env bash
# install_test.sh BUILD TCLSH - installs the build below a prefix, moves the prefix, and uses the packages from there.
set -euo pipefail
build=$1 tclsh=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH TCLLIBPATH DESTDIR

cmake --install "$build" --prefix "$work/installed" >/dev/null
mv "$work/installed" "$work/moved"
index=$(find "$work/moved" -name pkgIndex.tcl)
[ "$(wc -l <<<"$index")" = 1 ] || { echo "not ok - one pkgIndex.tcl is installed: $index" && exit 1; }
directory=$(dirname "$index")
if grep -rlaF -e "$work/installed" -e "$build" "$directory"; then
    echo "not ok - the files above name the build or the prefix" && exit 1
fi
[ -e "$work/moved/share/man/mann/ns_job.n" ] || { echo "not ok - the manual page is not installed" && exit 1; }
echo "ok - installed: ${directory#"$work/moved/"}"

cat >"$work/script.tcl" <<'END'
package require ns_job
package require ns_job::compat
ns_job create q
nsv_set shared value 6
puts [ns_job wait q [ns_job queue q {expr {[nsv_get shared value] * 7}}]]
puts [llength [info commands ::fastjobs::config]]
END
said=$(cd / && TCLLIBPATH=$(dirname "$directory") "$tclsh" "$work/script.tcl" 2>&1)
[ "$said" = $'42\n1' ] || { echo "not ok - $said" && exit 1; }
echo "ok - tclsh finds the packages by TCLLIBPATH"

# As below /usr or /usr/local: a directory that tclsh searches anyway.
said=$(cd / && "$tclsh" <<<"lappend auto_path [list "$(dirname "$directory")"]; puts [package require ns_job]" 2>&1)
[[ $said =~ ^[0-9.]+$ ]] || { echo "not ok - $said" && exit 1; }
echo "ok - tclsh finds the package by auto_path"
