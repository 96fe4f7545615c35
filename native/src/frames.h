/*
 * frames.h - code that runs after pthread_exit has unwound a stack with frames of managed code in it.
 *
 * Those frames are dead then and not overwritten yet, and the runtime still knows of them: a collection would
 * walk through what the thread leaves there from then on, and end the process. So whoever has a cleanup below
 * such frames runs the rest by fj_run_below, and the cleanup begins with fj_frames_set.
 */
#ifndef FASTJOBS_FRAMES_H
#define FASTJOBS_FRAMES_H

#include <stdint.h>

/* A thread that has none. */
#define FJ_NO_FRAMES ((void *)(intptr_t)-1)

/* Where the collector begins to look in the calling thread's stack. It must have come from the engine. */
void *fj_frames_note(void);

/* It begins there from now on. Waits if it is looking now. */
void fj_frames_set(void *frames);

/* Calls the function below a gap in the stack, where fj_frames_set has room. */
void fj_run_below(void (*body)(void *), void *argument);

#endif
