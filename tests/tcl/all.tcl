# all.tcl ?FILE ...? - runs the tests, each file in a process of its own; "N passed, N failed" is the last line.
# A test that is skipped counts as failed: all of them are meant to run.

set directory [file dirname [file normalize [info script]]]
set files [expr {$argc ? $argv : [lsort [glob -tails -directory $directory *.test]]}]
set passed 0
set failed 0
foreach file $files {
    # A directory of its own: files that run at the same time write files of the same names (script1.tcl).
    set temporary [exec mktemp -d]
    # With the pipe's end the file's workers, if any were left, have let go of it too.
    catch {exec [info nameofexecutable] [file join $directory $file] -tmpdir $temporary 2>@1} output
    file delete -force $temporary
    puts $output
    if {[regexp {\tTotal\t(\d+)\tPassed\t(\d+)\tSkipped\t(\d+)\tFailed\t(\d+)} $output -> total good skipped bad]} {
        incr passed $good
        incr failed [expr {$total - $good}]
        if {$total == 0} { incr failed }
    } else {
        puts "$file: ended without a summary"
        incr failed
    }
}
puts "$passed passed, $failed failed"
exit [expr {$failed || !$passed}]
