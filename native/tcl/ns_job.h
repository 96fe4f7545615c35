/*
 * ns_job.h - what the modules of the Tcl extension share. Not installed.
 *
 * One set of queues serves the process. Each interpreter that loads the package has an fjt_interp, and each
 * worker's thread of the set an fjt_worker with an interpreter of its own.
 */
#ifndef NS_JOB_H
#define NS_JOB_H

#include <fastjobs/fastjobs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <tcl.h>

#ifndef TCL_SIZE_MAX /* Tcl 8.6 */
typedef int Tcl_Size;
#endif
#ifndef TCL_INTERP_DESTROYED /* later than Tcl 9.0 */
#define TCL_INTERP_DESTROYED 0
#endif

typedef struct fjt_worker fjt_worker;

/* ---- a job: its script ---- */

typedef struct fjt_script {
    uint32_t size;
    char bytes[]; /* with a final 0 */
} fjt_script;

extern const fj_work fjt_work;

/* What wait throws for a job that failed is "RESULT\0ERRORCODE\0ERRORINFO": Tcl writes U+0000 as two bytes.
 */
enum { FJT_RESULT, FJT_ERRORCODE, FJT_ERRORINFO };
const char *fjt_part(const void *bytes, size_t size, int part, size_t *length);
/* Sets a failure as the job's result. */
void fjt_set_failure(fj_run *run, const char *message, const char *code, const char *info);

/* ---- an interpreter that has the package ---- */

enum { FJT_CACHED_QUEUES = 64 };

typedef struct fjt_cached_queue {
    Tcl_Obj *name;
    fj_queue *queue;
} fjt_cached_queue;

typedef struct fjt_interp {
    Tcl_Interp *interp;
    fjt_worker *worker; /* the worker whose interpreter it is, or NULL */
    unsigned feeds;     /* names given */
    Tcl_Obj *id;        /* what fjt_named_id has returned last */
    fjt_cached_queue queues[FJT_CACHED_QUEUES];
} fjt_interp;

/* Adds the commands to an interpreter: the worker's own, or with NULL another one. */
int fjt_install(Tcl_Interp *interp, fjt_worker *worker);

/* ---- the process: package.c, shutdown.c ---- */

/* The set, made when it is needed first; NULL leaves an error. */
fj_queue_set *fjt_set(Tcl_Interp *interp);
/* The set if there is one. */
fj_queue_set *fjt_set_or_null(void);
extern atomic_int fjt_ending;  /* the process ends: workers make no interpreter any more */
extern atomic_int fjt_exiting; /* and did not wait for all of them: they must not touch anything of Tcl */
void fjt_end_for_exit(void);
/* Closes the set for good: 1, or 0 if there was none or it was closed before. */
int fjt_close(int drain_ms, long long *discarded);

/* The script that makes a worker's initial state, and its generation. */
enum { FJT_PRELUDE, FJT_INIT, FJT_LOG, FJT_SETTINGS };
unsigned fjt_init_generation(void);
/* A copy of a setting, to be freed with ckfree; NULL if it is not set. */
char *fjt_setting(int which);
void fjt_set_setting(int which, const char *value);

/* ---- arguments: objv.c, times.c ---- */

typedef enum { FJT_FLAG, FJT_STRING, FJT_TIME, FJT_COUNT, FJT_NUMBER } fjt_kind;

typedef struct fjt_option {
    const char *name;
    fjt_kind kind;
    void *value; /* int, Tcl_Obj *, long long (microseconds), int, double */
    int least;   /* FJT_COUNT */
} fjt_option;

typedef struct fjt_syntax {
    const char *command; /* "ns_job wait" */
    const char *usage;   /* its arguments */
    int first;           /* the first word after the command */
    int required, most;  /* arguments after the options */
} fjt_syntax;

/* Reads the options; *args and *count are the rest. If there are just as many words as arguments are needed,
 * none of them is an option. */
int fjt_parse(Tcl_Interp *interp, const fjt_syntax *syntax, int objc, Tcl_Obj *const objv[],
              const fjt_option *options, size_t option_count, Tcl_Obj *const **args, int *count);
int fjt_wrong_args(Tcl_Interp *interp, const fjt_syntax *syntax);
int fjt_count(Tcl_Interp *interp, Tcl_Obj *obj, const char *name, int least, int *value);
/* Microseconds of a time value; an error names what is wrong. */
int fjt_time(Tcl_Interp *interp, Tcl_Obj *obj, const char *option, long long *microseconds);
/* Rounded up, so that a short time is not none; at most what an int holds. FJT_NO_TIME gives -1. */
#define FJT_NO_TIME (-1LL)
int fjt_milliseconds(long long microseconds);

/* ---- errors: objv.c ---- */

int fjt_error(Tcl_Interp *interp, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fjt_error_code(Tcl_Interp *interp, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The text of ns_job for the last error of the library. */
int fjt_queue_error(Tcl_Interp *interp, const char *queue, const char *job);

/* ---- queues of an interpreter: queues.c ---- */

/* Where a queue came from: a look-up, what is kept, or a second look-up since what was kept did not do. */
typedef enum { FJT_FOUND, FJT_KEPT, FJT_AGAIN } fjt_from;

/* The queue of this name, kept by the interpreter: valid until its next command. *from is FJT_FOUND at first.
 * NULL leaves an error. */
fj_queue *fjt_queue(fjt_interp *data, Tcl_Obj *name, fjt_from *from);
/* A reference to it, to be released; NULL leaves an error. */
fj_queue *fjt_find_queue(Tcl_Interp *interp, Tcl_Obj *name);
void fjt_forget(fjt_interp *data, Tcl_Obj *name);
void fjt_forget_all(fjt_interp *data);
/* After a failed call: whether to try once more, with the queue that has the name now, and what *id is now.
 * For a call that names no job both ids are NULL. */
int fjt_again(fjt_interp *data, Tcl_Obj *name, fjt_from *from, fj_job_id *id, Tcl_Obj *id_text);

/* ---- names and ids: names.c ---- */

/* As the library takes it: the object or another one, with a reference for the caller; NULL: it is none,
 * since it has U+0000 or half of a surrogate pair. */
Tcl_Obj *fjt_name(Tcl_Obj *obj);
/* TCL_ERROR, and an error that says what is none. */
int fjt_check_name(Tcl_Interp *interp, Tcl_Obj *name, const char *what);
/* A name of the library's. */
Tcl_Obj *fjt_name_object(const char *name);
/* The job of this id, or of this id of its own; valid until the interpreter's next one. */
fj_job_id fjt_job_id(fjt_interp *data, Tcl_Obj *obj);
fj_job_id fjt_named_id(fjt_interp *data, Tcl_Obj *obj);

/* ---- commands ---- */

Tcl_ObjCmdProc fjt_ns_job_cmd;   /* queue_cmds.c */
Tcl_ObjCmdProc fjt_ns_log_cmd;   /* log.c */
Tcl_ObjCmdProc fjt_ns_sleep_cmd; /* waiting.c */
int fjt_queue_job(fjt_interp *data, Tcl_Obj *queue_name, Tcl_Obj *script, const fj_job_options *options);
int fjt_queue_command(fjt_interp *data, int objc, Tcl_Obj *const objv[], int extended);
int fjt_create_command(fjt_interp *data, int objc, Tcl_Obj *const objv[], int extended);
int fjt_wait_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_waitany_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_waitall_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_jobs_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_joblist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_queues_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_queuelist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_threadlist_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
int fjt_configure_command(fjt_interp *data, int objc, Tcl_Obj *const objv[]);
/* The fastjobs:: commands. */
void fjt_install_fastjobs(fjt_interp *data);
void fjt_install_inside(fjt_interp *data);
void fjt_install_reading(fjt_interp *data);
void fjt_install_application(fjt_interp *data);

typedef struct fjt_command {
    const char *name;
    Tcl_ObjCmdProc *proc;
} fjt_command;
void fjt_add_commands(fjt_interp *data, const fjt_command *commands, size_t count);

/* ---- listings: lists.c ---- */

void fjt_put(Tcl_Obj *list, const char *name, Tcl_Obj *value);
void fjt_put_text(Tcl_Obj *list, const char *name, const char *value);
Tcl_Obj *fjt_job_entry(const fj_job_info *job, int extended);
const char *fjt_code_name(int code);
/* What came of a job, as the code and the text that wait gives. */
int fjt_outcome(enum fj_outcome outcome, int code, const void *bytes, size_t size, const char **text,
                size_t *length, const char **error_code, size_t *error_code_length, const char **error_info,
                size_t *error_info_length);

/* ---- waiting, also in a job that may be cancelled meanwhile: waiting.c ---- */

/* One step of a wait: 1, or 0 and the library's last error. */
typedef int (*fjt_step)(void *what, int timeout_ms);
enum { FJT_CANCELLED = -1 };
/* Waits; FJT_CANCELLED: the calling job was cancelled, and its interpreter says so. */
int fjt_block(Tcl_Interp *interp, fjt_step step, void *what, int timeout_ms);

/* ---- the log: log.c ---- */

void fjt_log_event(const fj_queue_event *event, void *closure);
/* Hands the entries that this thread has gathered to the log command. */
void fjt_log_flush(Tcl_Interp *interp);
void fjt_log_gather(int on);
void fjt_log_add(const char *severity, const char *message);
void fjt_log_line(const char *severity, const char *message);

#endif
