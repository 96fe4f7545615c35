/*
 * ticker.c - something that happens again and again: a timed Event ends each time, and its callback schedules
 * the next one. Beside it a recurrent function, which the scheduler calls in each of its iterations.
 */
#include <semaphore.h>
#include <stdio.h>

#include <event.h>
#include <fastjobs.h>
#include <scheduler.h>

enum { TICKS = 5 };

struct ticker {
    int ticks;
    int iterations;
    sem_t done;
};

static int tick(Event *event, int eventtype, void *closure, struct timeval *now)
{
    struct ticker *ticker = closure;
    (void)event;
    (void)eventtype;
    (void)now;
    printf("tick %d\n", ++ticker->ticks);
    if (ticker->ticks == TICKS || !schedule_event(build_event_from_now_f(0.02, -1, tick, ticker)))
        sem_post(&ticker->done);
    return 0; /* a timed Event always ends */
}

static int count(void *closure, struct timeval *now)
{
    struct ticker *ticker = closure;
    (void)now;
    ticker->iterations++; /* the scheduler's thread alone writes it */
    return 0;
}

int main(void)
{
    static struct ticker ticker;
    sem_init(&ticker.done, 0, 0);
    scheduler_recurrent_func_add(count, &ticker);
    if (!schedule_event(build_event_from_now_f(0.02, -1, tick, &ticker))) {
        fprintf(stderr, "ticker: %s\n", fj_last_error());
        return 1;
    }

    while (sem_wait(&ticker.done) != 0) {
    }
    int ended = ec_thread_pool_shutdown();
    printf("at least %d iterations: %s\n", TICKS, ticker.iterations >= TICKS ? "yes" : "no");
    return !ended;
}
