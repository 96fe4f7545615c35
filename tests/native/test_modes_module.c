/*
 * test_modes_module.c - the completion MODULE: a suspended validation goes on when its job is done.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "modes.h"

static void module_suspends_and_resumes(void)
{
    struct module module = {.requeues = 3};
    struct gate gate = GATE_CLOSED;
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    CHECK_OR_RETURN(module.ctx != NULL);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
    job_init(&module.job, ECTP_CLASS_CPU, stand_at_gate, &gate);
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 1);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    ec_async_job other;
    job_init(&other, ECTP_CLASS_CPU, count, NULL);
    ec_async_wake_validation_module(&other, module.ctx);
    CHECK_EQ(ec_queue_async_job(&other), 0); /* one job at a time */
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    CHECK(strstr(fj_last_error(), "suspended") != NULL);
    gate_open(&gate);
    AWAIT(&s_done);
    CHECK_EQ(module.resumed, 4);
    CHECK(!pthread_equal(module.thread, pthread_self()));
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 1);
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), -1);
    CHECK(fj_validate_context_create(NULL, NULL, NULL) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
    CHECK(fj_validate_context_create(resume, NULL, (ec_scheduler_inst *)&other) == NULL);
    CHECK_EQ(fj_last_error_code(), FJ_EINVAL);
}

static void module_resumes_in_its_scheduler(void)
{
    struct module module = {0};
    a_host_scheduler();
    module.ctx = fj_validate_context_create(resume, &module, s_loop);
    job_init(&module.job, ECTP_CLASS_CPU, do_nothing, NULL);
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    run_until(&module.resumed, 1);
    CHECK(pthread_equal(module.thread, pthread_self()));
    CHECK_EQ(fj_validate_context_destroy(module.ctx), 1);
}

static void open_the_gate(ec_async_job *job, void *gate)
{
    (void)job;
    gate_open(gate);
}

static void a_refused_or_discarded_job_leaves_its_module(void)
{
    struct module module = {0};
    struct gate gate = GATE_CLOSED;
    int pool = new_pool("modes.one", 1);
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    ec_async_job blocker;
    job_init(&blocker, pool, stand_at_gate, &gate);
    QUEUE(&blocker);
    GATE_AWAIT(&gate, 1);
    job_init(&module.job, pool, count, NULL);
    module.job.skip_on_shutdown = 1;
    ec_async_wake_validation_module(&module.job, module.ctx);
    QUEUE(&module.job);
    /* Only the shutdown starts the deferred pool, whose job opens the gate. */
    int deferred = new_pool("modes.deferred", 1);
    ec_thread_pool_defer_spawn(deferred, 1);
    ec_async_job opener;
    job_init(&opener, deferred, open_the_gate, &gate);
    QUEUE(&opener);
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    CHECK_EQ(get(&s_ran), 0);
    CHECK_EQ(module.resumed, 0);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
    module.job.skip_on_shutdown = 0;
    CHECK_EQ(ec_queue_async_job(&module.job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_ESHUTDOWN);
    CHECK_EQ(fj_validate_context_is_suspended(module.ctx), 0);
}

static void checks_know_these_modes_too(void)
{
    setenv("FASTJOBS_CHECK", "1", 1);
    struct module module = {.requeues = 1};
    struct gate gate = GATE_CLOSED;
    int fds[2];
    struct told told = {0};
    a_socketpair(fds);
    ec_async_job job;
    job_init(&job, ECTP_CLASS_CPU, stand_at_gate, &gate);
    ec_async_wake_event(&job, waiting_event(fds[0], &told), E_ASYNC);
    QUEUE(&job);
    GATE_AWAIT(&gate, 1);
    CHECK_EQ(ec_queue_async_job(&job), 0);
    CHECK_EQ(fj_last_error_code(), FJ_EBUSY);
    gate_open(&gate);
    AWAIT(&s_done);
    module.ctx = fj_validate_context_create(resume, &module, NULL);
    job_init(&module.job, ECTP_CLASS_CPU, do_nothing, NULL);
    ec_async_wake_validation_module(&module.job, module.ctx);
    ec_async_job other = module.job;
    QUEUE(&module.job);
    AWAIT(&s_done);
    module.requeues = 0;
    module.job = other;
    QUEUE(&module.job); /* the refused and the completed are both the caller's again */
    AWAIT(&s_done);
}

/* ---- */

#define EVERY_SCENARIO(X)                                                                                    \
    X(module_suspends_and_resumes)                                                                           \
    X(module_resumes_in_its_scheduler)                                                                       \
    X(a_refused_or_discarded_job_leaves_its_module)                                                          \
    X(checks_know_these_modes_too)
EVERY_SCENARIO(MODE)

int main(void)
{
    new_semaphore(&s_done, 0);
    EVERY_SCENARIO(RUN_MODE)
    return check_report();
}
