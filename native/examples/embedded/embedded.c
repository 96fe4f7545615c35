/*
 * embedded.c - a job as the first member of what it works on: one allocation for both, from a memory type of
 * the program's own, freed by the pool after the completion.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include <ec_malloc.h>
#include <ec_thread_pool.h>
#include <fastjobs.h>

struct square {
    ec_async_job job; /* first, so that a pointer to the one is a pointer to the other */
    long number;
    long result;
};

enum { LAST = 1000 };

static atomic_long sum;
static sem_t done;

static void compute(ec_async_job *job, void *closure)
{
    struct square *square = (struct square *)job;
    (void)closure;
    square->result = square->number * square->number;
}

static void add(ec_async_job *job, void *closure)
{
    struct square *square = (struct square *)job;
    (void)closure;
    atomic_fetch_add(&sum, square->result);
    sem_post(&done);
}

int main(void)
{
    sem_init(&done, 0, 0);
    int memtype = ec_memtype_register(&(mem_type_def){.name = "square", .size = sizeof(struct square)});
    for (long number = 1; number <= LAST; number++) {
        struct square *square = memtype < 0 ? NULL : ec_malloc(memtype);
        if (square == NULL) {
            fprintf(stderr, "embedded: %s\n", fj_last_error());
            return 1;
        }
        *square = (struct square){
            .number = number,
            .job = {.job_class = ECTP_CLASS_CPU,
                    .worker = compute,
                    .completion = ECTP_COMPLETE_CALLBACK,
                    .r.cb.func = add,
                    .free_on_completion_memtype = memtype},
        };
        if (!ec_queue_async_job(&square->job)) {
            fprintf(stderr, "embedded: %s\n", fj_last_error());
            return 1;
        }
    }
    for (int i = 0; i < LAST; i++) {
        while (sem_wait(&done) != 0) {
        }
    }
    int ended = ec_thread_pool_shutdown(); /* after it all squares have been freed */
    fj_memtype_usage usage;
    if (!fj_memtype_usage_get(memtype, &usage))
        return 1;
    printf("the squares up to %d add up to %ld; %zu are left\n", LAST, atomic_load(&sum), usage.objects);
    return !ended;
}
