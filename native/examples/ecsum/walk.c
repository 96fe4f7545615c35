/*
 * walk.c - from an operand to the sequence of files: a directory stands for the regular files below it.
 *
 * Main thread only. A directory's entries come sorted by their bytes, each directory's own entries in its
 * place. Symbolic links and special files inside a directory are skipped; an operand is followed whatever it
 * is.
 *
 * No descriptor stays open from one directory to the next, so that no depth runs into the limit of
 * descriptors. Memory: the names in the directories between the operand and the current file, so with a
 * million files in one directory their names, with a million in nested directories those of one path.
 */
#include "ecsum.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An entry's name stands behind a byte that tells whether it is a directory. The key is what follows the
 * bytes that all names begin with: most comparisons are decided by it, without a look at the names. */
struct entry {
    uint64_t key;
    const char *name;
};

/* A directory that is being walked: its entries, and which comes next. */
struct level {
    struct level *up;
    size_t path_length; /* of the directory's own path */
    char *names;
    size_t names_used, names_capacity;
    struct entry *entries;
    size_t count, next;
};

static char *path; /* of what is being looked at */
static size_t path_capacity;

/* Appends a name to the first `length` bytes of the path. Returns where the name begins. */
static size_t path_append(size_t length, const char *name)
{
    size_t size = strlen(name) + 1;
    if (length + 1 + size > path_capacity) {
        path_capacity = 2 * (length + 1 + size);
        path = need(realloc(path, path_capacity));
    }
    if (length > 0 && path[length - 1] != '/')
        path[length++] = '/';
    memcpy(path + length, name, size);
    return length;
}

static void level_add(struct level *l, const char *name, bool directory)
{
    size_t size = strlen(name) + 1;
    if (l->names_used + 1 + size > l->names_capacity) {
        l->names_capacity = 2 * (l->names_capacity + 1 + size);
        l->names = need(realloc(l->names, l->names_capacity));
    }
    l->names[l->names_used] = directory;
    memcpy(l->names + l->names_used + 1, name, size);
    l->names_used += 1 + size;
    l->count++;
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return strcmp(a->name, b->name);
}

static uint64_t sort_key(const char *s)
{
    uint64_t key = 0;
    for (int shift = 56; shift >= 0 && *s != '\0'; shift -= 8)
        key |= (uint64_t)(unsigned char)*s++ << shift;
    return key;
}

static void level_sort(struct level *l)
{
    if (l->count == 0)
        return;
    l->entries = need(malloc(l->count * sizeof *l->entries));
    const char *name = l->names + 1, *first = name;
    size_t common = strlen(first);
    for (size_t i = 0; i < l->count; i++) {
        size_t same = 0;
        while (same < common && name[same] == first[same])
            same++;
        common = same;
        l->entries[i].name = name;
        name += strlen(name) + 2;
    }
    for (size_t i = 0; i < l->count; i++)
        l->entries[i].key = sort_key(l->entries[i].name + common);
    qsort(l->entries, l->count, sizeof *l->entries, compare_entries);
}

/* Adds a directory's entry if it is a regular file or a directory. */
static void level_consider(struct level *l, DIR *dir, const struct dirent *e)
{
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
        return;
    bool regular = e->d_type == DT_REG, directory = e->d_type == DT_DIR;
    if (e->d_type == DT_UNKNOWN) { /* some file systems do not tell */
        struct stat st;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            regular = S_ISREG(st.st_mode);
            directory = S_ISDIR(st.st_mode);
        }
    }
    if (regular || directory)
        level_add(l, e->d_name, directory);
}

/* Reads the directory at the path and puts it on top of the stack. What cannot be read is reported in its
 * place in the output. */
static bool enter(struct level **top, size_t length, int flags)
{
    int fd = open_path(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return pipeline_add(path, 0, error);
    }

    struct level *l = need(calloc(1, sizeof *l));
    l->path_length = length;
    l->up = *top;
    *top = l;
    const struct dirent *e;
    while (errno = 0, (e = readdir(dir)) != NULL)
        level_consider(l, dir, e);
    int error = errno;
    closedir(dir);
    level_sort(l);
    return error == 0 || pipeline_add(path, 0, error);
}

static void leave(struct level **top)
{
    struct level *l = *top;
    *top = l->up;
    free(l->names);
    free(l->entries);
    free(l);
}

static bool walk_directory(const char *operand)
{
    struct level *top = NULL;
    path_append(0, operand);
    bool go_on = enter(&top, strlen(operand), 0);
    while (top != NULL) {
        if (!go_on || top->next == top->count) {
            leave(&top);
            continue;
        }
        const char *name = top->entries[top->next++].name;
        size_t base = path_append(top->path_length, name);
        if (name[-1])
            go_on = enter(&top, base + strlen(name), O_NOFOLLOW);
        else
            go_on = pipeline_add(path, base, 0);
    }
    free(path);
    path = NULL;
    path_capacity = 0;
    return go_on;
}

/* Adds what the operand stands for to the pipeline. Returns false if it makes no sense to go on. */
bool walk(const char *operand)
{
    struct stat st;
    bool standard_input = strcmp(operand, "-") == 0;
    if (!standard_input && stat(operand, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return walk_directory(operand);
        if (S_ISREG(st.st_mode))
            return pipeline_add(operand, 0, 0);
    } else if (!standard_input && errno != ENAMETOOLONG) {
        return pipeline_add(operand, 0, errno);
    }

    /* Reading it may take for ever, or change what a later operand yields: it travels on its own. */
    pipeline_drain();
    bool go_on = pipeline_add(operand, 0, 0);
    pipeline_drain();
    return go_on;
}
