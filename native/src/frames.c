/*
 * frames.c - see frames.h, and docs/adr/0004-a-guest-in-the-process.md.
 */
#define _GNU_SOURCE
#include "frames.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

#ifdef __EXCEPTIONS
#error "built with -fexceptions a cleanup is left out where the unwinder stops in managed code"
#endif

/* The runtime's own way in and out (its ReversePInvokeFrame). What is saved in between is where its collector
 * begins to look for the frames of managed code in the thread's stack; TOP_OF_STACK_MARKER: there are none.
 */
struct way_in {
    void *frames;
    void *thread;
};
extern void RhpReversePInvoke(struct way_in *way);
extern void RhpReversePInvokeReturn(struct way_in *way);

void *fj_frames_note(void)
{
    struct way_in way;
    RhpReversePInvoke(&way);
    void *frames = way.frames;
    RhpReversePInvokeReturn(&way);
    return frames;
}

void fj_frames_set(void *frames)
{
    if (atomic_load_explicit(&fj_state, memory_order_relaxed) != FJ_READY) {
        return; /* a forked child: who collected in the parent does not end here */
    }
    /* The runtime stops threads by this signal, the only one that is not blocked here. Its handler's frame
     * would be larger than the gap; a sanitizer's pthread_sigmask, too, so the kernel is asked itself. */
    uint64_t suspends = UINT64_C(1) << (SIGRTMIN - 1);
    uint64_t before = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &suspends, &before, sizeof before);
    struct way_in way;
    RhpReversePInvoke(&way);
    way.frames = frames;
    RhpReversePInvokeReturn(&way);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

__attribute__((noinline)) void fj_run_below(void (*body)(void *), void *argument)
{
    char gap[2048];
    __asm__ volatile("" : : "r"(gap) : "memory"); /* it is there, whatever the compiler thinks of it */
    body(argument);
    __asm__ volatile("" : : "r"(gap) : "memory");
}

static void no_frames(void *unused)
{
    (void)unused;
    fj_frames_set(FJ_NO_FRAMES);
}

/* For the engine: the rest of one of its threads that jobs or callbacks may end. */
void fj_host_run_thread(void (*body)(void *), void *argument)
{
    pthread_cleanup_push(no_frames, NULL);
    fj_run_below(body, argument);
    pthread_cleanup_pop(0);
}
