/*
 * worker.h - a worker's thread: its interpreter, the scripts that it has compiled, and what it cleans up.
 */
#ifndef NS_JOB_WORKER_H
#define NS_JOB_WORKER_H

#include "ns_job.h"

/* ---- scripts: script.c ---- */

enum { FJT_CACHED_SCRIPTS = 256, FJT_CACHED_SCRIPT_SIZE = 16384 };

typedef struct fjt_cached_script {
    uint64_t hash;
    Tcl_Obj *script; /* or NULL */
} fjt_cached_script;

/* ---- what is cleaned: clean.c, globals.c, environment.c, watch.c ---- */

enum { FJT_AFTER, FJT_TRACE, FJT_UPVAR, FJT_NAMESPACE_UPVAR, FJT_LOAD, FJT_WATCHED };

/* A command whose use is noted. */
typedef struct fjt_watch {
    Tcl_CmdInfo info; /* as it is without us */
    int used;
    int blind; /* it cannot be watched, and so may have been used */
} fjt_watch;

/* A global variable of the initial state. */
typedef struct fjt_global {
    fjt_worker *worker;
    Tcl_Obj *name;
    Tcl_Obj *value; /* NULL: an array, or one that is left as it is */
    Tcl_Obj *array; /* its keys and values; NULL: a scalar */
    int keep;       /* not restored: a cache of the library, or the environment */
    int dirty;      /* written or unset by a job */
    int traced;
} fjt_global;

/* What an element of env was before a job changed it. */
typedef struct fjt_env_change {
    Tcl_Obj *name, *value; /* value NULL: there was none */
} fjt_env_change;

typedef struct fjt_clean {
    Tcl_HashTable globals; /* by name: fjt_global */
    Tcl_CmdInfo list;      /* the command that lists them */
    Tcl_Obj *list_name;    /* its name */
    Tcl_Obj *names;        /* the globals as they were listed when no job had left any */
    Tcl_Obj *channels;     /* their names */
    Tcl_Obj *channel_keys; /* those in Tcl's table of them; NULL: it is not known */
    fjt_watch watches[FJT_WATCHED];
    int dirty;     /* some global is */
    int links;     /* there are globals that lead elsewhere */
    int restoring; /* the traces are our own doing */
    int env_lost;  /* a job unset all of env: only a new interpreter has it again */
    fjt_env_change *env;
    size_t env_count, env_room;
} fjt_clean;

struct fjt_worker {
    pthread_mutex_t lock;   /* guards interp against stop, and goes with wake */
    pthread_cond_t wake;    /* stop ends a sleep */
    Tcl_Interp *interp;     /* NULL: it could not be made */
    atomic_int stopped;     /* the job in hand was cancelled; set by stop, reset after the job */
    Tcl_AsyncHandler holds; /* marked by stop: cancels the script */
    atomic_int deferred;    /* not yet: the asker marks it again */
    pthread_t asker;
    int has_asker;
    fj_run *run;         /* the job in hand */
    unsigned generation; /* of the initial state */
    char *init_error;    /* why there is no initial state: each job fails with this */
    int broken;          /* a job destroyed the interpreter, or called exit: another one is needed */
    int exited;          /* the job in hand called exit */
    int exit_status;
    int abandoned; /* its thread ended in the middle of a script: nothing of Tcl can be used any more */
    fjt_cached_script scripts[FJT_CACHED_SCRIPTS];
    fjt_clean clean;
};

/* The worker of the calling thread, or NULL. */
fjt_worker *fjt_this_worker(void);

void *fjt_thread_start(void *closure);
void fjt_after_job(void *thread_state, void *closure);
void fjt_thread_exit(void *thread_state, void *closure);

/* ---- cancel.c ---- */

void fjt_cancel_begin(fjt_worker *worker);
void fjt_cancel_finish(fjt_worker *worker);
/* The same for a worker whose interpreter is left as it is. */
void fjt_cancel_abandon(fjt_worker *worker);
/* fj_work's stop. */
void fjt_cancel_stop(fj_run *run, void *state);
/* After the job: takes back a cancel that came too late to end anything. 0: the interpreter stays cancelled.
 */
int fjt_cancel_end(fjt_worker *worker);
/* No script of the job goes on, whatever it catches. */
void fjt_cancel_hold(fjt_worker *worker, int code);
/* Limits the time that scripts have from now on; negative: no limit. */
void fjt_limit(Tcl_Interp *interp, long seconds);
int fjt_has_children(Tcl_Interp *interp);

int fjt_evaluate(fjt_worker *worker, const fjt_script *script);
void fjt_scripts_drop(fjt_worker *worker);

/* A new interpreter: notes from now on what is used in it. */
void fjt_clean_watch(fjt_worker *worker, Tcl_Interp *interp);
/* Remembers the interpreter as it is now: what comes later is a job's. */
void fjt_clean_begin(fjt_worker *worker, Tcl_Interp *interp);
void fjt_clean_end(fjt_worker *worker, Tcl_Interp *interp);
/* Restores it; 0: it cannot be, and a new interpreter is needed. */
int fjt_clean_run(fjt_worker *worker);

void fjt_globals_begin(fjt_worker *worker, Tcl_Interp *interp);
void fjt_globals_end(fjt_worker *worker, Tcl_Interp *interp);
/* A list of the globals there are, with a reference for the caller; NULL: it cannot be had. */
Tcl_Obj *fjt_globals_list(fjt_worker *worker, Tcl_Interp *interp);
/* Whether none of them is a job's. */
int fjt_globals_same(const fjt_worker *worker, Tcl_Obj *names);
/* Restores them. `names` are those there are, or NULL; may_link: a job may have made links to other
 * variables. 0: it cannot be done. */
int fjt_globals_restore(fjt_worker *worker, Tcl_Obj *names, int may_link);

void fjt_watch_begin(fjt_worker *worker, Tcl_Interp *interp);
int fjt_watch_used(const fjt_worker *worker, int which);
void fjt_watch_reset(fjt_worker *worker, int which);

Tcl_VarTraceProc fjt_env_trace;
void fjt_env_restore(fjt_worker *worker);
void fjt_env_forget(fjt_worker *worker);

/* exit.c: exit in a job ends the job. */
Tcl_ObjCmdProc fjt_exit_cmd;
void fjt_exit_install(void);

#endif
