/*
 * misc/ec_string.h - the original's growing string, as far as a read job's buffer needs it.
 *
 *     string text;
 *     string_init_type(&text, 8192, STRING_TYPE_ECSTRING);
 *     stringwrite2(&text, "hello", 5);
 *     puts(text.buffer);
 *     string_destroy(&text);
 *
 * A string belongs to one thread at a time. All functions may be called from any thread.
 *
 * C++: the name `string` is ambiguous in a program that says `using namespace std`. With FJ_NO_STRING_NAME
 * defined before the include, the struct is `struct _ec_string` only.
 */
#ifndef FASTJOBS_MISC_EC_STRING_H
#define FASTJOBS_MISC_EC_STRING_H

#include <stddef.h>
#include <sys/types.h>

#include "../ec_malloc.h"
#include "../fj_base.h"

FJ_BEGIN_DECLS

typedef struct _io_object io_object; /**< opaque; always NULL here */

/** Bytes that may grow. Fields may be read; `len` may be set to less than it is, 0 to start anew. */
struct _ec_string {
    int len;            /**< bytes in use, without the NUL that always follows them */
    int allocd;         /**< bytes that buffer has room for, with the NUL */
    char *buffer;       /**< NULL if it has never had room */
    int type;           /**< a memory type of variable size, or STRING_TYPE_* */
    io_object *backing; /**< not used */
};
#ifndef FJ_NO_STRING_NAME
typedef struct _ec_string string;
#endif

#define MEMTYPE_IS_MALLOC_3C (-2)
#define STRING_TYPE_MALLOC MEMTYPE_IS_MALLOC_3C       /**< malloc and free */
#define STRING_TYPE_ECSTRING MEMTYPE_STRING           /**< ec_malloc_size under MEMTYPE_STRING */
#define STRING_TYPE_MESSAGE_BODY MEMTYPE_MESSAGE_BODY /**< the same under MEMTYPE_MESSAGE_BODY */
/** The caller sets the fields itself, with a buffer of its own. The first cannot grow; the second turns into
 * STRING_TYPE_ECSTRING when it has to, and the caller's buffer is then no longer used. */
#define STRING_TYPE_STATIC (-100)
#define STRING_TYPE_GROWABLE_STATIC (-104)
/* The original's types that write to files and chains do not exist here: string_init_type fails. */

/** The original's names, for symbols of ours. */
#define string_init_type fj_string_init_type
#define string_destroy fj_string_destroy
#define stringwrite2 fj_stringwrite2

/** Makes an empty string with room for size bytes, the NUL included; size is not 0. type: STRING_TYPE_MALLOC,
 * STRING_TYPE_ECSTRING, or any memory type of variable size. 1, or 0: a wrong argument or no memory. */
FJ_API int fj_string_init_type(struct _ec_string *str, size_t size, int type);

/** Frees what the string allocated, and leaves it empty; it may be written to again. Returns 1. */
FJ_API int fj_string_destroy(struct _ec_string *str);

/** Appends size bytes, which may hold NUL, and a NUL. Returns size, or -1 with errno set, and the string is
 * as it was: EINVAL, ENOMEM, EFBIG (2 GiB are the limit), ENOSPC (STRING_TYPE_STATIC is full). */
FJ_API ssize_t fj_stringwrite2(struct _ec_string *str, const char *bytes, size_t size);

FJ_END_DECLS
#endif
