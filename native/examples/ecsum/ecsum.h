/*
 * ecsum.h - what the six sources of ecsum share.
 *
 *   main.c      options and operands            main thread
 *   walk.c      the sequence of input files     main thread
 *   pipeline.c  the jobs and their order        all threads
 *   batch.c     reading and hashing one batch   IO and CPU workers
 *   print.c     lines, messages, progress       scheduler thread
 *   quote.c     names in messages               scheduler thread
 *
 * Life of a file: the main thread puts its name into a batch (pipeline_add). A job of class IO reads the
 * batch's files into a chunk, the same job goes on in class CPU and hashes them, and its completion in the
 * scheduler thread prints all batches that are first in line. Memory is bounded: there are at most BATCHES
 * batches, each with BATCH_FILES names and two chunks; the main thread waits for one to become free.
 */
#ifndef ECSUM_H
#define ECSUM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <ec_malloc.h>

#include <ec_thread_pool.h>
#include <openssl/evp.h>

enum {
    BATCHES = 16,             /* in flight, those that wait for their turn to be printed included; but: */
    BATCHES_PER_CPU = 4,      /* at least so many for each processor */
    BATCHES_SPARE = 4,        /* of these, kept back from the main thread for splitting a batch */
    BATCH_FILES = 64,         /* files that travel together */
    BATCH_NAMES = 16 * 1024,  /* a batch with so many bytes of names is full */
    CHUNK_BYTES = 512 * 1024, /* what one IO job reads and one CPU job hashes: 64 small files, or a step of a
                                 large one */
    DIGEST_BYTES = 32
};

struct file {
    size_t name; /* where in the batch's names */
    size_t base; /* length of the directory part, its slash included; 0: named by the user */
    int error;   /* 0, or the errno of what failed: then there is no digest */
    unsigned char digest[DIGEST_BYTES];
};

/* A run of bytes of one file. A file has one segment in each chunk that it reaches. */
struct segment {
    size_t file;
    size_t length; /* may be 0 */
    bool last;     /* the file ends here, or failed */
};

/* A buffer that travels: read into in an IO job, hashed in a CPU job, and so on. */
struct chunk {
    ec_async_job job; /* first, so that a job is its chunk */
    struct batch *batch;
    unsigned char *data; /* CHUNK_BYTES, NULL until first needed */
    size_t used;         /* bytes in it */
    size_t count;
    struct segment segments[BATCH_FILES];
};

/* Consecutive input files. The main thread fills in names; then only this batch's jobs touch it until its
 * last completion hands it to the scheduler thread. At any moment at most one job reads (and uses
 * files[].error, next, fd, directory) and one other hashes (and uses files[].digest, hash, hashing). */
struct batch {
    struct chunk chunks[2];
    int filled;         /* which chunk has been, or is being, read into */
    atomic_int running; /* jobs of the present step that have not ended */

    char *names;
    size_t names_used, names_capacity;
    struct file files[BATCH_FILES];
    size_t count;

    size_t next;      /* the file to open next */
    int fd;           /* of file next - 1 while it is being read, else -1 */
    int directory;    /* descriptor of the directory of file next - 1, or -1 */
    bool large;       /* the open file filled the last chunk on its own */
    EVP_MD_CTX *hash; /* state of the file that is being hashed */
    bool hashing;     /* it has begun and not ended */

    bool finished;       /* scheduler thread only */
    struct batch *after; /* next in line, or next free one; under pipeline.c's lock */
};

/* batch.c */
void batch_set_up(void);
void batch_tear_down(void);
struct batch *batch_create(void);
void batch_destroy(struct batch *b);
void batch_clear(struct batch *b);
bool batch_full(const struct batch *b);
void batch_add(struct batch *b, const char *name, size_t base, int error);
void batch_move_rest(struct batch *from, struct batch *to);
bool batch_all_read(const struct batch *b);
void chunk_fill(struct chunk *c);
void chunk_hash(struct chunk *c);
int open_path(const char *path, int flags);
const char *file_name(const struct batch *b, const struct file *f);

/* pipeline.c: the main thread's side. */
void pipeline_start(void);
bool pipeline_add(const char *name, size_t base, int error);
void pipeline_send(void);
void pipeline_drain(void);
void pipeline_stop(void);

/* walk.c */
bool walk(const char *operand);

/* print.c */
void print_start(bool zero);
void print_batch(const struct batch *b);
void print_flush(void);
bool print_broken(void);
void print_progress(size_t bytes);
int print_finish(void);
void complain(const char *what, int error);
_Noreturn void die(const char *what, const char *why);
void *need(void *memory);

/* quote.c */
const char *quoted(const char *name);

#endif
