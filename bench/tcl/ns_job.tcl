#!/usr/bin/env tclsh
# ns_job.tcl ?ROUNDS? - how fast ns_job is; the median of so many rounds (7).
#
#   TCLLIBPATH=build/tcl tclsh bench/tcl/ns_job.tcl
#
# Runs where the original runs too: without the package, ns_job is taken as it is.

catch {package require ns_job}
set rounds [expr {$argc ? [lindex $argv 0] : 7}]
set script {set x 1}
set trips 10000
set jobs 20000
set backlog 20000

proc median {values} {
    return [lindex [lsort -real $values] [expr {[llength $values] / 2}]]
}

# The median of the times of queueing a trivial script and waiting for it, in microseconds.
proc round_trip {queue count} {
    set times {}
    for {set i 0} {$i < $count} {incr i} {
        set began [clock microseconds]
        ns_job wait $queue [ns_job queue $queue $::script]
        lappend times [expr {[clock microseconds] - $began}]
    }
    return [median $times]
}

# All queued, then all waited for; jobs a second.
proc throughput {queue count} {
    set ids {}
    set began [clock microseconds]
    for {set i 0} {$i < $count} {incr i} {
        lappend ids [ns_job queue $queue $::script]
    }
    set right 0
    foreach id $ids {
        incr right [ns_job wait $queue $id]
    }
    set took [expr {[clock microseconds] - $began}]
    if {$right != $count} {
        error "$right of $count results are right"
    }
    return [expr {$count * 1e6 / $took}]
}

# Jobs queued behind one that runs; jobs a second. They are run afterwards, when no time is taken.
proc enqueue {queue count} {
    set began [clock microseconds]
    for {set i 0} {$i < $count} {incr i} {
        ns_job queue $queue $::script
    }
    return [expr {$count * 1e6 / ([clock microseconds] - $began)}]
}

set results {}
proc note {what value} {
    dict lappend ::results $what $value
}

ns_job create bench_trip
ns_job create bench_bulk
ns_job create bench_full 1
round_trip bench_trip 2000 ;# until all is warm
throughput bench_bulk $jobs

for {set round 0} {$round < $rounds} {incr round} {
    note "queue and wait, p50, microseconds" [round_trip bench_trip $trips]
    note "$jobs queued, then waited for, jobs a second" [throughput bench_bulk $jobs]
    # The job that holds the queue ends by itself, so that this runs on the original too.
    set stop [file join [expr {[info exists env(TMPDIR)] ? $env(TMPDIR) : "/tmp"}] ns_job_bench_[pid]]
    close [open $stop w]
    set holder [ns_job queue bench_full "while {\[file exists [list $stop]\]} {after 5}"]
    note "enqueue into an empty queue, jobs a second" [enqueue bench_full $backlog]
    note "enqueue behind $backlog, jobs a second" [enqueue bench_full $backlog]
    note "queue and wait beside a queue with [expr {2 * $backlog}] jobs, p50, microseconds" [round_trip bench_trip 2000]
    file delete $stop
    foreach id [ns_job jobs bench_full] {
        ns_job wait bench_full $id
    }
}

dict for {what values} $results {
    puts [format "%12.1f  %s" [median $values] $what]
}
