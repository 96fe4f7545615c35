/*
 * fj_base.h - what every FastJobs header shares: linkage, the opaque types of the original, error codes.
 *
 * Everything here is safe to call from any thread. No function of the library lets a C++ exception or a
 * signal disposition escape: a failed call returns 0, -1 or NULL as its comment says, and fj_last_error()
 * tells why.
 */
#ifndef FASTJOBS_FJ_BASE_H
#define FASTJOBS_FJ_BASE_H

#include <stddef.h>

#ifdef __cplusplus
#define FJ_BEGIN_DECLS extern "C" {
#define FJ_END_DECLS }
#else
#define FJ_BEGIN_DECLS
#define FJ_END_DECLS
#endif

#if defined(__GNUC__)
#define FJ_API __attribute__((visibility("default")))
#else
#define FJ_API
#endif

FJ_BEGIN_DECLS

typedef struct _Event Event;                        /**< event.h */
typedef struct validate_context validate_context;   /**< opaque: fj_validate_context_create in sp_async.h */
typedef struct ec_scheduler_inst ec_scheduler_inst; /**< opaque: fj_scheduler_create in scheduler.h */
typedef struct generic_module_infrastructure generic_module_infrastructure; /**< opaque, may be NULL */

/** Why a call failed. The numbers are part of the ABI. */
enum fj_error {
    FJ_OK = 0,
    FJ_EINVAL = 1,     /**< an argument is wrong: the text names it */
    FJ_ENOCLASS = 2,   /**< no pool has this job class or name */
    FJ_ENOTSUP = 3,    /**< this completion mode is not available in this version */
    FJ_ESHUTDOWN = 4,  /**< ec_thread_pool_shutdown has been called */
    FJ_EFORKED = 5,    /**< the library was started before fork(): its threads do not exist in the child */
    FJ_EDEADLK = 6,    /**< the calling thread would wait for itself */
    FJ_EBUSY = 7,      /**< too late: the pool has threads already, or the job is queued already */
    FJ_EEXIST = 8,     /**< the name is taken */
    FJ_ENOMEM = 9,     /**< out of memory or of threads */
    FJ_EINTERNAL = 10, /**< a defect of FastJobs: the text says where */
    FJ_ETHREAD = 11,   /**< only the thread of that scheduler may call this */
    FJ_ETIMEDOUT = 12, /**< the time-out passed first */
    FJ_EIO = 13,       /**< a stream did not take what was written */
    FJ_ENOQUEUE = 14,  /**< no queue has this name, or it was deleted and its last job collected */
    FJ_ENOJOB = 15,    /**< the queue has no such job: there never was, or it was collected */
    FJ_EWAITED = 16,   /**< somebody waits for the job already */
    FJ_EDETACHED = 17, /**< nobody can wait for a detached job */
    FJ_EREFUSED = 18,  /**< the queue is being deleted, or its set is being closed */
    FJ_ECANCELED = 19  /**< the job that waits was cancelled */
};

/** The code and the text of the last failed call of this thread; FJ_OK and "" if none failed yet. The text is
 * valid until the thread's next failing call. A call that succeeds does not clear them. */
FJ_API int fj_last_error_code(void);
FJ_API const char *fj_last_error(void);

/** The version of the library, "MAJOR.MINOR.PATCH". */
FJ_API const char *fj_version(void);

FJ_END_DECLS
#endif
