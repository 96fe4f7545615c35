/*
 * fj_config.h - pools from a text: a file, a string, or the environment.
 *
 *     # Comments go to the end of the line. Keys may have any case of letters.
 *     ThreadPool "SwapOut" {
 *       Concurrency  = 5        # jobs at once; 0: in the submitter's thread
 *       Stack_Size   = 262144   # bytes; 0: the system's default
 *       Backlog      = 100      # jobs that may wait; 0: any number
 *       Idle_Timeout = 5000     # milliseconds until an idle thread ends; 0: never
 *       Auto_Shrink  = false    # true: an idle thread ends at once
 *       Defer_Spawn  = false    # true: jobs pile up and none starts
 *     }
 *
 * The text is UTF-8. A value may stand in quotes, with the escapes \" \\ \n \r \t \uXXXX. A stanza defines a
 * pool, or changes the one that has the name; a setting that it does not have stays as it is. A pool that is
 * new has a concurrency of 1 unless told.
 *
 * When the library starts it reads the file that FASTJOBS_CONFIG names, or the text FASTJOBS_CONFIG_TEXT. If
 * that has errors it writes them to the standard error and starts with the predefined pools.
 *
 * All functions may be called from any thread, a job included; jobs go on meanwhile.
 */
#ifndef FASTJOBS_FJ_CONFIG_H
#define FASTJOBS_FJ_CONFIG_H

#include "fj_base.h"

FJ_BEGIN_DECLS

/** What became of a configuration as a whole. */
enum fj_config_result {
    FJ_CONFIG_FAILED = 0,  /**< errors; nothing was changed, and fj_last_error has the first */
    FJ_CONFIG_APPLIED = 1, /**< all is now as the text says */
    FJ_CONFIG_PARTLY = 2   /**< as 1, except for what cannot change any more: fj_last_error has the first */
};

/** What became of one thing in it. */
enum fj_config_outcome {
    FJ_CONFIG_ERROR = 0,     /**< the text is wrong here; nothing of it was applied */
    FJ_CONFIG_ADDED = 1,     /**< the pool is new */
    FJ_CONFIG_CHANGED = 2,   /**< the setting has a new value */
    FJ_CONFIG_UNCHANGED = 3, /**< the setting had this value already */
    FJ_CONFIG_REFUSED = 4,   /**< the setting cannot change any more, and is what it was */
    FJ_CONFIG_KEPT = 5       /**< no longer in this file: the pool stays, the setting keeps its value */
};

/** One line of a report. All strings are UTF-8, and valid during the callback only. */
typedef struct fj_config_entry {
    enum fj_config_outcome outcome;
    int line;            /**< of the error or of the pool's stanza, from 1; 0: not in the text */
    int column;          /**< in characters, from 1; 0: not in the text */
    const char *source;  /**< the file, or what the text was called */
    const char *pool;    /**< its name; NULL for an error */
    const char *setting; /**< "Concurrency", ...; NULL: the pool as a whole, or an error */
    const char *text;    /**< a sentence: what was expected and found, or what became of it and why */
} fj_config_entry;

/** Is called for every line of a report, in the calling thread and before the call returns. It may call the
 * library, this header's functions included. At most 100 errors are reported. */
typedef void (*fj_config_callback)(const fj_config_entry *entry, void *closure);

/** Reads a file (its name is UTF-8) and does what it says, or nothing if it has an error. A relative path is
 * remembered as an absolute one, for fj_config_reload. report may be NULL. Returns an enum fj_config_result.
 */
FJ_API int fj_config_load_file(const char *path, fj_config_callback report, void *closure);

/** The same with a text. name is what to call it in errors, and may be NULL. */
FJ_API int fj_config_load_string(const char *text, const char *name, fj_config_callback report,
                                 void *closure);

/** Reads the file again that was loaded last, or that FASTJOBS_CONFIG named. What may change while the
 * library runs is changed: everything except the backlog of a pool that has had threads, which is REFUSED.
 * Pools and settings that are no longer in the file are KEPT. FJ_CONFIG_FAILED also if there was no file. */
FJ_API int fj_config_reload(fj_config_callback report, void *closure);

FJ_END_DECLS
#endif
