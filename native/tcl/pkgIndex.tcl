package ifneeded ns_job @PROJECT_VERSION@ [list apply {{dir} {
    load [file join $dir libns_job[info sharedlibextension]] Ns_job
    source [file join $dir fastjobs.tcl]
}} $dir]
package ifneeded ns_job::compat @PROJECT_VERSION@ [list source [file join $dir compat.tcl]]
