/*
 * memtype_list.c - the functions of ec_malloc.h that stand on the others: listings, copies of strings.
 */
#include "memtype.h"

#include <stdio.h>
#include <string.h>

#include "ec_malloc.h"
#include "guard.h"

FJ_API char *ec_mt_strndup(int memtype, const char *s, size_t length)
{
    if (s == NULL) {
        fj_set_error(FJ_EINVAL, "ec_mt_strdup: the string is NULL");
        return NULL;
    }
    length = strnlen(s, length);
    char *copy = ec_realloc(memtype, NULL, length + 1); /* which refuses types of fixed size */
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

FJ_API char *ec_mt_strdup(int memtype, const char *s)
{
    return ec_mt_strndup(memtype, s, SIZE_MAX);
}

FJ_API int fj_memtype_list(fj_memtype_visitor visit, void *closure)
{
    fj_mt_start();
    if (visit == NULL) {
        fj_set_error(FJ_EINVAL, "fj_memtype_list: the visitor is NULL");
        return -1;
    }
    int visited = 0;
    for (int i = 0; i < FJ_MT_TYPES; i++) {
        fj_memtype_usage usage;
        if (fj_mt_type_get(i) != NULL && fj_memtype_usage_get(i, &usage)) {
            visited++;
            if (visit(i, &usage, closure) != 0) {
                break;
            }
        }
    }
    return visited;
}

struct text {
    char *at;
    size_t size; /* of the buffer */
    int length;  /* of the whole text */
};

static void append(struct text *text, const char *line, int length)
{
    if ((size_t)text->length < text->size) {
        size_t room = text->size - (size_t)text->length - 1;
        size_t fits = (size_t)length < room ? (size_t)length : room;
        memcpy(text->at + text->length, line, fits);
        text->at[(size_t)text->length + fits] = '\0';
    }
    text->length += length;
}

static int append_type(int memtype, const fj_memtype_usage *usage, void *closure)
{
    char line[160];
    char size[24] = "variable";
    if (usage->allocations == 0) {
        return 0;
    }
    if (usage->size != 0) {
        snprintf(size, sizeof(size), "%zu", usage->size);
    }
    int length = snprintf(line, sizeof(line), "%4d  %-24.64s %10s %12zu %14zu %14zu\n", memtype, usage->name,
                          size, usage->objects, usage->bytes, usage->allocations);
    append(closure, line, length);
    return 0;
}

FJ_API int fj_memtype_report(char *text, size_t size)
{
    static const char heading[] =
        "type  name                           size      objects          bytes    allocations\n";
    struct text whole = {.at = text, .size = size, .length = 0};
    if (text == NULL && size != 0) {
        fj_set_error(FJ_EINVAL, "fj_memtype_report: the text is NULL and its size %zu", size);
        return -1;
    }
    append(&whole, heading, (int)sizeof(heading) - 1);
    fj_memtype_list(append_type, &whole);
    return whole.length;
}
