/*
 * ec_malloc.h - memory by type: fixed-size types come from per-thread caches, and usage is counted per type.
 *
 * All functions may be called from any thread, and memory may be freed by another thread than the one that
 * allocated it. Memory is aligned as malloc aligns (16 bytes). What a fixed-size type has once used stays
 * with the type for its next objects.
 *
 * With FASTJOBS_CHECK=1 in the environment (anything but nothing and 0) every object comes from malloc and
 * every free is looked up: a second free, a foreign pointer and a free under another type are also written to
 * the standard error, and valgrind sees each object. For tests: one lock for all threads. The same variable
 * makes queueing a job twice an error (fastjobs.h).
 */
#ifndef FASTJOBS_EC_MALLOC_H
#define FASTJOBS_EC_MALLOC_H

#include <stddef.h>

#include "fj_base.h"

FJ_BEGIN_DECLS

/** The built-in types that have a number in the original. */
#define MEMTYPE_EVENT 0         /**< fixed: sizeof(Event) */
#define MEMTYPE_MESSAGE_BODY 8  /**< variable */
#define MEMTYPE_STRING 51       /**< variable */
#define MEMTYPE_EC_ASYNC_JOB 55 /**< fixed: sizeof(ec_async_job) */
#define MEMTYPE_IO_OBJECT 91    /**< variable */

/** A type to register. size 0: variable size, allocated with ec_malloc_size only. */
typedef struct mem_type_def {
    const char *name; /**< copied */
    size_t size;      /**< bytes of one object, or 0 */
    unsigned flags;   /**< 0 */
} mem_type_def;

/** Usage of one type. */
typedef struct fj_memtype_usage {
    const char *name;   /**< valid for the life of the process */
    size_t size;        /**< of one object, 0: variable */
    size_t objects;     /**< live now */
    size_t bytes;       /**< live now, as requested */
    size_t allocations; /**< since the start */
} fj_memtype_usage;

/** Allocates one object of a fixed-size type. NULL: unknown or variable type, or no memory. Not cleared. */
FJ_API void *ec_malloc(int memtype);

/** Allocates size bytes under the type. NULL: unknown type, size other than that of a fixed type, or no
 * memory. */
FJ_API void *ec_malloc_size(int memtype, size_t size);

/** Frees what ec_malloc* returned for the same type; NULL is allowed. A free under another type is reported
 * by fj_last_error and the memory is kept. A second free is sure to be noticed with FASTJOBS_CHECK=1 only. */
FJ_API void ec_free(int memtype, void *ptr);

/** Gives what ec_malloc_size returned for the same type another size, and keeps its bytes up to the smaller
 * one; it may move. NULL for ptr: as ec_malloc_size. A size of 0 makes it empty and does not free it. NULL
 * returned: unknown type, one of fixed size, another one than that of ptr, or no memory; ptr is as it was. */
FJ_API void *ec_realloc(int memtype, void *ptr, size_t size);

/** A copy of a string, allocated under a type of variable size; with a NUL after it. NULL: s is NULL, or as
 * ec_malloc_size. */
FJ_API char *ec_mt_strdup(int memtype, const char *s);

/** The same of at most the first `length` bytes. */
FJ_API char *ec_mt_strndup(int memtype, const char *s, size_t length);

/** As the original has them: of MEMTYPE_MESSAGE_BODY. */
#define ec_strdup(s) ec_mt_strdup(MEMTYPE_MESSAGE_BODY, (s))
#define ec_strndup(s, length) ec_mt_strndup(MEMTYPE_MESSAGE_BODY, (s), (length))

/** Registers a type and returns its number, or -1: def or its name is missing, flags are set, or all 1024
 * numbers are taken. Names may repeat. A type is for the life of the process. */
FJ_API int ec_memtype_register(const mem_type_def *def);

/** Reads a type's usage. 1, or 0 for an unknown type. */
FJ_API int fj_memtype_usage_get(int memtype, fj_memtype_usage *usage);

/** Is called with a type and its usage; anything but 0 ends the listing. */
typedef int (*fj_memtype_visitor)(int memtype, const fj_memtype_usage *usage, void *closure);

/** Calls visit for every type, in the order of their numbers, under no lock: it may allocate and register.
 * Each usage is of one moment, all together are not. Returns how many it was called for, or -1 for NULL. */
FJ_API int fj_memtype_list(fj_memtype_visitor visit, void *closure);

/** Writes the listing as a text, a line for a heading and one for each type that was ever used, cut off where
 * `size` bytes are full, always with a NUL (unless size is 0). Returns the length of the whole text, as
 * snprintf does; -1: text is NULL and size is not 0. */
FJ_API int fj_memtype_report(char *text, size_t size);

FJ_END_DECLS
#endif
