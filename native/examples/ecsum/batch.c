/*
 * batch.c - a batch of files: names in, bytes read into chunks, digests out. Knows nothing of jobs.
 *
 * chunk_fill and chunk_hash are called from workers: for one batch at most one of each at a time, never both
 * for the same chunk, and each sees what the ones before it wrote (pipeline.c sees to that). All else is
 * called while no job of the batch is in flight.
 */
#include "ecsum.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The hot system calls. libc's functions would be cancellation points, which cost up to 5 % of the time of
 * small files once there are threads. */
static int sys_openat(int directory, const char *name, int flags)
{
    return (int)syscall(SYS_openat, directory, name, flags | O_LARGEFILE);
}

static ssize_t sys_read(int fd, void *data, size_t size)
{
    return syscall(SYS_read, fd, data, size);
}

static void sys_close(int fd)
{
    syscall(SYS_close, fd);
}

/* Fetched once: looking up an algorithm costs more than hashing a small file. */
static EVP_MD *sha256;

void batch_set_up(void)
{
    sha256 = need(EVP_MD_fetch(NULL, "SHA256", NULL));
}

void batch_tear_down(void)
{
    EVP_MD_free(sha256);
}

struct batch *batch_create(void)
{
    struct batch *b = need(calloc(1, sizeof *b));
    b->hash = need(EVP_MD_CTX_new());
    b->chunks[0].batch = b->chunks[1].batch = b;
    batch_clear(b);
    return b;
}

void batch_destroy(struct batch *b)
{
    EVP_MD_CTX_free(b->hash);
    free(b->chunks[0].data);
    free(b->chunks[1].data);
    free(b->names);
    free(b);
}

/* Makes the batch empty. Its buffers stay, except one that a very long name has blown up. */
void batch_clear(struct batch *b)
{
    if (b->names_capacity > 2 * BATCH_NAMES) {
        free(b->names);
        b->names = NULL;
        b->names_capacity = 0;
    }
    b->names_used = 0;
    b->count = b->next = 0;
    b->filled = 0;
    b->fd = b->directory = -1;
    b->large = b->hashing = b->finished = false;
    b->after = NULL;
}

bool batch_full(const struct batch *b)
{
    return b->count == BATCH_FILES || b->names_used >= BATCH_NAMES;
}

void batch_add(struct batch *b, const char *name, size_t base, int error)
{
    size_t size = strlen(name) + 1;
    if (size > b->names_capacity - b->names_used) {
        b->names_capacity = b->names_used + size + BATCH_NAMES;
        b->names = need(realloc(b->names, b->names_capacity));
    }
    memcpy(b->names + b->names_used, name, size);
    struct file *f = &b->files[b->count++];
    f->name = b->names_used;
    f->base = base;
    f->error = error;
    b->names_used += size;
}

/* Moves the files that have not been opened to another, empty batch. */
void batch_move_rest(struct batch *from, struct batch *to)
{
    for (size_t i = from->next; i < from->count; i++) {
        const struct file *f = &from->files[i];
        batch_add(to, file_name(from, f), f->base, f->error);
    }
    from->count = from->next;
}

bool batch_all_read(const struct batch *b)
{
    return b->fd < 0 && b->next == b->count;
}

const char *file_name(const struct batch *b, const struct file *f)
{
    return b->names + f->name;
}

/* open(2) for a path of any length: one that is too long for the kernel is gone along in steps. */
int open_path(const char *path, int flags)
{
    int fd = sys_openat(AT_FDCWD, path, flags);
    if (fd >= 0 || errno != ENAMETOOLONG)
        return fd;

    int at = AT_FDCWD, error = ENAMETOOLONG;
    while (strlen(path) >= PATH_MAX) {
        char step[PATH_MAX];
        const char *slash = memrchr(path, '/', sizeof step - 1);
        size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
        memcpy(step, path, length);
        step[length] = '\0';
        int next = length == 0 ? -1 : openat(at, step, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (length != 0 && next < 0)
            error = errno;
        if (at != AT_FDCWD)
            close(at);
        if (next < 0) {
            errno = error;
            return -1;
        }
        at = next;
        path += length;
        path += strspn(path, "/");
    }
    fd = openat(at, *path == '\0' ? "." : path, flags);
    error = errno;
    if (at != AT_FDCWD)
        close(at);
    errno = error;
    return fd;
}

static bool same_directory(const struct batch *b, const struct file *f, const struct file *g)
{
    return f->base == g->base && memcmp(file_name(b, f), file_name(b, g), f->base) == 0;
}

static void leave_directory(struct batch *b)
{
    if (b->directory >= 0)
        close(b->directory);
    b->directory = -1;
}

/* Opens a file: "-" is the standard input; a file found in a directory is opened relative to that directory,
 * which stays open for the files that follow, and is not what we are after if it has become a symbolic link.
 */
static int open_file(struct batch *b, const struct file *f)
{
    const char *name = file_name(b, f);
    if (f->base == 0)
        return strcmp(name, "-") == 0 ? STDIN_FILENO : open_path(name, O_RDONLY | O_CLOEXEC);

    if (f == b->files || !same_directory(b, f, f - 1))
        leave_directory(b);
    if (b->directory < 0 && f + 1 < b->files + b->count && same_directory(b, f, f + 1)) {
        char *base = b->names + f->name + f->base, first = *base;
        *base = '\0';
        b->directory = open_path(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        *base = first;
    }
    if (b->directory >= 0)
        return sys_openat(b->directory, name + f->base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return open_path(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static void close_file(struct batch *b)
{
    if (b->fd != STDIN_FILENO)
        sys_close(b->fd);
    b->fd = -1;
}

/* Opens the next file that can be opened. The others get their errno. */
static bool open_next(struct batch *b)
{
    while (b->fd < 0 && b->next < b->count) {
        struct file *f = &b->files[b->next++];
        if (f->error == 0 && (b->fd = open_file(b, f)) < 0)
            f->error = errno;
    }
    if (b->fd < 0)
        leave_directory(b);
    return b->fd >= 0;
}

/* Reads on where the last chunk ended, until the chunk is full or the batch's files are at their ends. No
 * file is asked for its size: a read that returns 0 tells as much, and is needed anyway. */
void chunk_fill(struct chunk *c)
{
    struct batch *b = c->batch;
    if (c->data == NULL)
        c->data = need(malloc(CHUNK_BYTES));
    c->used = c->count = 0;
    while (c->used < CHUNK_BYTES && open_next(b)) {
        struct segment *s = &c->segments[c->count++];
        *s = (struct segment){.file = b->next - 1};
        ssize_t n;
        do {
            n = sys_read(b->fd, c->data + c->used, CHUNK_BYTES - c->used);
            if (n > 0) {
                s->length += (size_t)n;
                c->used += (size_t)n;
            }
        } while (c->used < CHUNK_BYTES && (n > 0 || (n < 0 && errno == EINTR)));
        if (n <= 0) {
            if (n < 0)
                b->files[s->file].error = errno;
            s->last = true;
            close_file(b);
        }
    }
    b->large = b->fd >= 0 && c->count == 1;
}

/* Hashes the chunk's segments, going on with a file that began in the chunk before. */
void chunk_hash(struct chunk *c)
{
    struct batch *b = c->batch;
    const unsigned char *data = c->data;
    for (const struct segment *s = c->segments; s < c->segments + c->count; s++) {
        int ok = b->hashing || EVP_DigestInit_ex2(b->hash, sha256, NULL);
        ok = ok && EVP_DigestUpdate(b->hash, data, s->length);
        if (s->last)
            ok = ok && EVP_DigestFinal_ex(b->hash, b->files[s->file].digest, NULL);
        if (!ok)
            die("SHA-256 failed", NULL);
        b->hashing = !s->last;
        data += s->length;
    }
}
