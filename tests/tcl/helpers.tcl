# helpers.tcl - what the tests share. Sourced by each.

package require tcltest 2.2
namespace import -force ::tcltest::test ::tcltest::cleanupTests
package require ns_job

namespace eval helpers {
    variable Directory [file dirname [file normalize [info script]]]
    variable Queues 0
}

# A queue of this test's own.
proc new_queue {args} {
    return [ns_job create {*}[lrange $args 0 end-1] queue[incr helpers::Queues] {*}[lrange $args end end]]
}

# The message and the error code of a script that fails.
proc fails {script} {
    set code [catch {uplevel 1 $script} message options]
    if {$code != 1} {
        return [list "no error (code $code)" $message]
    }
    return [list $message [dict get $options -errorcode]]
}

# The message alone.
proc message {script} {
    return [lindex [uplevel 1 [list fails $script]] 0]
}

# Queues a script and waits for it.
proc run {queue script} {
    return [ns_job wait $queue [ns_job queue $queue $script]]
}

# Waits until the condition holds. The time is only for a test that fails.
proc eventually {condition {seconds 60}} {
    set end [expr {[clock seconds] + $seconds}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock seconds] > $end} {
            error "it does not become true: $condition"
        }
        after 2
    }
    return true
}

# One field of a job in joblist.
proc field {queue job name} {
    foreach entry [ns_job joblist $queue] {
        if {[dict get $entry id] eq $job} {
            return [dict get $entry $name]
        }
    }
    error "no job $job in $queue"
}

# A job that runs until it is cancelled.
proc endless {queue args} {
    set job [ns_job queue {*}$args $queue {while 1 {ns_sleep 1h}}]
    eventually {[field $queue $job state] eq "running"}
    return $job
}

# Holds all places of a queue, so that what is queued waits. Ended by release.
proc hold {queue {places 1}} {
    set jobs {}
    for {set i 0} {$i < $places} {incr i} {
        lappend jobs [endless $queue]
    }
    return $jobs
}

proc release {queue jobs} {
    foreach job $jobs {
        ns_job cancel $queue $job
        catch {ns_job wait $queue $job}
    }
}

# Runs a script in a tclsh of its own; what it wrote to both outputs, and its exit status last.
proc in_tclsh {script} {
    set file [tcltest::makeFile $script "script[incr helpers::Queues].tcl"]
    set status 0
    if {[catch {exec [info nameofexecutable] $file 2>@1} output options]} {
        set code [dict get $options -errorcode]
        set status [expr {[lindex $code 0] eq "CHILDSTATUS" ? [lindex $code 2] : $code}]
        regsub {\n?child process exited abnormally$} $output {} output
    }
    tcltest::removeFile $file
    return [list $output $status]
}
