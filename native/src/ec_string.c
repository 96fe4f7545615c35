/*
 * ec_string.c - the functions of misc/ec_string.h, and the one that the engine stores with.
 */
#include "misc/ec_string.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"

enum { SMALLEST = 64 };

/* Room of another size, what is in it kept. NULL: errno is set. */
static char *resize(int type, char *buffer, size_t size)
{
    char *resized = type == STRING_TYPE_MALLOC ? realloc(buffer, size) : ec_realloc(type, buffer, size);
    if (resized == NULL) {
        errno = type != STRING_TYPE_MALLOC && fj_last_error_code() == FJ_EINVAL ? EINVAL : ENOMEM;
    }
    return resized;
}

/* Room for `size` bytes. 0, or errno. */
static int grow(struct _ec_string *str, size_t size)
{
    if (size > INT_MAX) {
        return EFBIG;
    }
    if (str->type == STRING_TYPE_STATIC) {
        return ENOSPC;
    }
    size_t doubled = 2 * (size_t)str->allocd;
    size = size < doubled ? doubled : size;
    size = size < SMALLEST ? SMALLEST : size > INT_MAX ? INT_MAX : size;
    bool moves = str->type == STRING_TYPE_GROWABLE_STATIC;
    int type = moves ? STRING_TYPE_ECSTRING : str->type;
    char *buffer = resize(type, moves ? NULL : str->buffer, size);
    if (buffer == NULL) {
        return errno;
    }
    if (moves && str->len > 0) {
        memcpy(buffer, str->buffer, (size_t)str->len);
    }
    str->buffer = buffer;
    str->allocd = (int)size;
    str->type = type;
    return 0;
}

int fj_host_string_append(struct _ec_string *str, const char *bytes, size_t size)
{
    if (str == NULL || (bytes == NULL && size > 0) || str->len < 0 || str->allocd < 0 ||
        (str->buffer == NULL ? str->len > 0 || str->allocd > 0 : str->len > str->allocd)) {
        return EINVAL;
    }
    if (size >= INT_MAX) {
        return EFBIG;
    }
    size_t needed = (size_t)str->len + size + 1;
    int error = needed <= (size_t)str->allocd ? 0 : grow(str, needed);
    if (error != 0) {
        return error;
    }
    if (size > 0) {
        memcpy(str->buffer + str->len, bytes, size);
    }
    str->len += (int)size;
    str->buffer[str->len] = '\0';
    return 0;
}

int string_init_type(struct _ec_string *str, size_t size, int type)
{
    if (str == NULL || size == 0 || size > INT_MAX) {
        fj_set_error(FJ_EINVAL, "string_init_type: the string is NULL, or its size not from 1 to %d",
                     INT_MAX);
        return 0;
    }
    if (type < 0 && type != STRING_TYPE_MALLOC) {
        fj_set_error(FJ_EINVAL, "string_init_type: strings of type %d cannot be made here", type);
        return 0;
    }
    char *buffer = resize(type, NULL, size);
    if (buffer == NULL) {
        if (type == STRING_TYPE_MALLOC) {
            fj_set_error(FJ_ENOMEM, "string_init_type: no memory for %zu bytes", size);
        }
        return 0;
    }
    *buffer = '\0';
    *str = (struct _ec_string){.allocd = (int)size, .buffer = buffer, .type = type};
    return 1;
}

int string_destroy(struct _ec_string *str)
{
    if (str == NULL) {
        return 1;
    }
    if (str->type == STRING_TYPE_MALLOC) {
        free(str->buffer);
    } else if (str->type >= 0) {
        ec_free(str->type, str->buffer);
    }
    str->len = 0;
    if (str->type >= 0 || str->type == STRING_TYPE_MALLOC) {
        str->buffer = NULL;
        str->allocd = 0;
    }
    return 1;
}

ssize_t stringwrite2(struct _ec_string *str, const char *bytes, size_t size)
{
    int error = fj_host_string_append(str, bytes, size);
    if (error != 0) {
        fj_set_error(error == ENOMEM ? FJ_ENOMEM : FJ_EINVAL,
                     "stringwrite2: %zu bytes cannot be appended: %s", size, strerror(error));
        errno = error;
        return -1;
    }
    return (ssize_t)size;
}
