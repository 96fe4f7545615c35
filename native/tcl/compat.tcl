# compat.tcl - ns_job::compat: nsv_* and ns_mutex over Tcl's Thread package, in this interpreter and in all workers.

package require ns_job
if {[catch {package require Thread} message]} {
    return -code error "ns_job::compat needs the Thread package (Debian: apt-get install tcl-thread): $message"
}

namespace eval ::ns_job::compat {
    variable Held {}
}

proc ::ns_job::compat::WrongArgs {text} {
    return -level 2 -code error -errorcode {TCL WRONGARGS} "wrong # args: should be \"$text\""
}

proc ::ns_job::compat::NoArray {array} {
    return -level 2 -code error -errorcode [list TCL LOOKUP NSV $array] "no such array: $array"
}

proc ::ns_job::compat::NoKey {key} {
    return -level 2 -code error -errorcode [list TCL LOOKUP NSV $key] "no such key: $key"
}

proc ::ns_job::compat::HasArray {array} {
    set pattern [string map {\\ \\\\ * \\* ? \\? \[ \\\[ \] \\\]} $array]
    return [expr {[llength [tsv::names $pattern]] > 0}]
}

# ---- nsv_* ----

# nsv_set ?-default? ?-reset? array key ?value?
proc ::nsv_set {args} {
    set usage "nsv_set ?-default? ?-reset? /array/ /key/ ?/value/?"
    set default 0
    set reset 0
    while {[llength $args] > 2 && [lindex $args 0] in {-default -reset}} {
        set args [lassign $args option]
        set [string range $option 1 end] 1
    }
    if {[llength $args] == 2} {
        lassign $args array key
        return [nsv_get $array $key]
    } elseif {[llength $args] != 3} {
        ns_job::compat::WrongArgs $usage
    }
    lassign $args array key value
    if {$default || $reset} {
        # Both give what there was before, if there was something.
        tsv::lock $array {
            set before [expr {[tsv::exists $array $key] ? [list [tsv::get $array $key]] : {}}]
            if {$reset || $before eq {}} {
                tsv::set $array $key $value
            }
        }
        return [expr {$before ne {} ? [lindex $before 0] : $reset ? {} : $value}]
    }
    return [tsv::set $array $key $value]
}

# nsv_get array key ?varName?
proc ::nsv_get {array key args} {
    if {[llength $args] > 1} {
        ns_job::compat::WrongArgs "nsv_get /array/ /key/ ?/varName/?"
    }
    if {[llength $args] == 1} {
        upvar 1 [lindex $args 0] value
        return [tsv::get $array $key value]
    }
    if {[tsv::get $array $key value]} {
        return $value
    }
    if {[ns_job::compat::HasArray $array]} {
        ns_job::compat::NoKey $key
    }
    ns_job::compat::NoArray $array
}

# nsv_exists array ?key?
proc ::nsv_exists {array args} {
    if {[llength $args] > 1} {
        ns_job::compat::WrongArgs "nsv_exists /array/ ?/key/?"
    }
    return [expr {[llength $args] ? [tsv::exists $array [lindex $args 0]] : [ns_job::compat::HasArray $array]}]
}

# nsv_incr array key ?increment?
proc ::nsv_incr {array key {increment 1}} {
    return [tsv::incr $array $key $increment]
}

# nsv_append array key value ?value ...?
proc ::nsv_append {array key value args} {
    return [tsv::append $array $key $value {*}$args]
}

# nsv_lappend array key value ?value ...?
proc ::nsv_lappend {array key value args} {
    return [tsv::lappend $array $key $value {*}$args]
}

# nsv_unset ?-nocomplain? array ?key?
proc ::nsv_unset {args} {
    set complain 1
    if {[llength $args] > 1 && [lindex $args 0] eq "-nocomplain"} {
        set complain 0
        set args [lrange $args 1 end]
    }
    if {[llength $args] ni {1 2}} {
        ns_job::compat::WrongArgs "nsv_unset ?-nocomplain? /array/ ?/key/?"
    }
    set array [lindex $args 0]
    if {[catch {tsv::unset {*}$args}] && $complain} {
        if {[llength $args] == 2 && [ns_job::compat::HasArray $array]} {
            ns_job::compat::NoKey [lindex $args 1]
        }
        ns_job::compat::NoArray $array
    }
    return
}

# nsv_names ?pattern?
proc ::nsv_names {{pattern *}} {
    # Our own bookkeeping is no array of the application's.
    return [lsearch -all -inline -not -exact [tsv::names $pattern] ns_job::compat]
}

# nsv_array set|reset|get|names|size|exists array ?...?
proc ::nsv_array {subcommand array args} {
    set count [llength $args]
    switch -- $subcommand {
        set - reset {
            if {$count != 1} {
                ns_job::compat::WrongArgs "nsv_array $subcommand /array/ /valueList/"
            }
            tsv::array $subcommand $array [lindex $args 0]
            return
        }
        get - names {
            if {$count > 1} {
                ns_job::compat::WrongArgs "nsv_array $subcommand /array/ ?/pattern/?"
            }
            return [expr {[ns_job::compat::HasArray $array] ? [tsv::array $subcommand $array {*}$args] : {}}]
        }
        size - exists {
            if {$count != 0} {
                ns_job::compat::WrongArgs "nsv_array $subcommand /array/"
            }
            if {$subcommand eq "exists"} {
                return [ns_job::compat::HasArray $array]
            }
            return [expr {[ns_job::compat::HasArray $array] ? [tsv::array size $array] : 0}]
        }
    }
    return -code error "bad subcommand \"$subcommand\": must be exists, get, names, reset, set, or size"
}

# nsv_dict append|exists|get|getdef|incr|keys|lappend|set|size|unset array key ?...?
#
# Those that change a dictionary are atomic, and give the new dictionary.
proc ::nsv_dict {subcommand array key args} {
    switch -- $subcommand {
        append - incr - lappend - set - unset {
            tsv::lock $array {
                set value [expr {[tsv::exists $array $key] ? [tsv::get $array $key] : {}}]
                dict $subcommand value {*}$args
                tsv::set $array $key $value
            }
            return $value
        }
        exists {
            return [expr {[tsv::get $array $key value] && [dict exists $value {*}$args]}]
        }
        get - keys - size {
            return [dict $subcommand [nsv_get $array $key] {*}$args]
        }
        getdef {
            set keys [lrange $args 0 end-1]
            if {[tsv::get $array $key value] && [dict exists $value {*}$keys]} {
                return [dict get $value {*}$keys]
            }
            return [lindex $args end]
        }
    }
    return -code error "bad subcommand \"$subcommand\": must be append, exists, get, getdef, incr, keys, lappend, set,\
        size, or unset"
}

# ---- ns_mutex ----

# ns_mutex create ?name? | destroy mutex | eval mutex script | lock mutex | unlock mutex
proc ::ns_mutex {subcommand args} {
    set count [llength $args]
    set mutex [lindex $args 0]
    switch -- $subcommand {
        create {
            if {$count > 1} {
                ns_job::compat::WrongArgs "ns_mutex create ?/name/?"
            }
            return [ns_job::compat::CreateMutex {*}$args]
        }
        destroy - lock - unlock {
            if {$count != 1} {
                ns_job::compat::WrongArgs "ns_mutex $subcommand /mutex/"
            }
            ns_job::compat::Mutex $subcommand [ns_job::compat::MutexHandle $mutex]
            return
        }
        eval {
            if {$count != 2} {
                ns_job::compat::WrongArgs "ns_mutex eval /mutex/ /script/"
            }
            set handle [ns_job::compat::MutexHandle $mutex]
            ns_job::compat::Mutex lock $handle
            catch {uplevel 1 [lindex $args 1]} result options
            ns_job::compat::Mutex unlock $handle
            dict incr options -level
            return -options $options $result
        }
    }
    return -code error "bad subcommand \"$subcommand\": must be create, destroy, eval, lock, or unlock"
}

# A mutex with a name is made by the first who asks for it, and given to all.
proc ::ns_job::compat::CreateMutex {{name {}}} {
    if {$name eq {}} {
        return [thread::mutex create]
    }
    tsv::lock ns_job::compat {
        if {![tsv::get ns_job::compat $name handle]} {
            set handle [thread::mutex create]
            tsv::set ns_job::compat $name $handle
        }
    }
    return $handle
}

proc ::ns_job::compat::MutexHandle {mutex} {
    return [expr {[tsv::get ns_job::compat $mutex handle] ? $handle : $mutex}]
}

# Held knows what this interpreter has locked, for Unwound.
proc ::ns_job::compat::Mutex {subcommand handle} {
    variable Held
    thread::mutex $subcommand $handle
    switch -- $subcommand {
        lock { lappend Held $handle }
        unlock { set Held [lsearch -all -inline -not -exact $Held $handle] }
        destroy {
            tsv::lock ns_job::compat {
                if {[HasArray ns_job::compat]} {
                    foreach {name other} [tsv::array get ns_job::compat] {
                        if {$other eq $handle} {
                            tsv::unset ns_job::compat $name
                        }
                    }
                }
            }
        }
    }
}

# Called in a worker when its job was cancelled: no `finally` of the job has run, and what it has locked would stay so.
proc ::ns_job::compat::Unwound {} {
    variable Held
    foreach handle $Held {
        catch {thread::mutex unlock $handle}
    }
    set Held {}
}

# ---- in all workers ----

package provide ns_job::compat @PROJECT_VERSION@
if {[fastjobs::Prelude] eq ""} { # the workers find it set
    fastjobs::Prelude [list apply {{load file} {
        if {[catch {package present Thread}]} {
            uplevel #0 $load
        }
        source $file
    } ::} [package ifneeded Thread [package present Thread]] [file normalize [info script]]]
}
