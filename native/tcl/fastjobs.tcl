# fastjobs.tcl - the part of ns_job that is written in Tcl: fastjobs::config.

namespace eval ::fastjobs {
    # What a configuration file of NaviServer sets for ns_job, and the option of ns_job configure that it stands for.
    variable Parameters {
        joblogminduration -logminduration
        jobsperthread     -jobsperthread
        jobtimeout        -timeout
    }
}

# fastjobs::config FILE
#
# Configures ns_job from the section ns/parameters of a configuration file, and returns what is configured then.
# The file is evaluated in a safe interpreter, with $env, ns_section and ns_param; its other sections and commands
# of the server (ns_...) have no effect.
proc ::fastjobs::config {file} {
    variable Parameters
    set channel [open $file]
    fconfigure $channel -encoding utf-8
    set script [try {read $channel} finally {close $channel}]
    set interp [interp create -safe]
    try {
        set found [ReadConfig $interp $file $script]
    } finally {
        interp delete $interp
    }
    set options {}
    dict for {parameter value} $found {
        if {[dict exists $Parameters $parameter]} {
            set option [dict get $Parameters $parameter]
            CheckParameter $file $parameter $option $value
            lappend options $option $value
        }
    }
    return [ns_job configure {*}$options]
}

# The parameters of ns/parameters in the file; the last value counts.
proc ::fastjobs::ReadConfig {interp file script} {
    variable Section ""
    variable Found {}
    interp alias $interp ns_section {} ::fastjobs::Section $interp
    interp alias $interp ns_param {} ::fastjobs::Param
    interp alias $interp file {} ::fastjobs::File
    interp eval $interp [list array set ::env [array get ::env]]
    interp eval $interp {
        proc ::unknown {name args} {
            if {![string match {ns_*} [string trimleft $name :]]} {
                return -code error "invalid command name \"$name\""
            }
        }
    }
    # Caught inside: there the line is one of the file.
    if {[interp eval $interp [list catch $script ::fastjobs_message ::fastjobs_options]] == 1} {
        set line [dict get [interp eval $interp {set ::fastjobs_options}] -errorline]
        set message [interp eval $interp {set ::fastjobs_message}]
        return -code error -errorcode {FASTJOBS CONFIG} "$file, line $line: $message"
    }
    return $Found
}

# Names of files, and whether there are such files; no more of `file` than that.
proc ::fastjobs::File {subcommand args} {
    set known {
        dirname exists extension isdirectory isfile join nativename normalize pathtype readable rootname separator split
        tail
    }
    if {$subcommand ni $known} {
        return -code error "file $subcommand is not for configuration files: only [join $known {, }] are"
    }
    return [file $subcommand {*}$args]
}

proc ::fastjobs::Section {interp name {body {}}} {
    variable Section
    set before $Section
    set Section [string trim $name /]
    if {$body ne {}} {
        interp eval $interp $body
        set Section $before
    }
}

proc ::fastjobs::Param {name args} {
    variable Section
    variable Found
    if {[string tolower $Section] eq "ns/parameters"} {
        dict set Found [string tolower $name] [lindex $args 0]
    }
}

# Nothing is changed if one of the values is wrong, so each is looked at before.
proc ::fastjobs::CheckParameter {file parameter option value} {
    if {$option ne "-jobsperthread"} {
        set wrong [catch {Time $value} message]
    } elseif {![string is integer -strict $value]} {
        set wrong 1
        set message "expected integer but got \"$value\""
    } else {
        set wrong [expr {$value < 0}]
        set message "expected integer in range \[0,MAX\], but got $value"
    }
    if {$wrong} {
        return -code error -errorcode {FASTJOBS CONFIG} "$file: $parameter: $message"
    }
}
