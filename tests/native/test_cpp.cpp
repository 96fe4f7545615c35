/*
 * test_cpp.cpp - the C headers in C++17: both spellings of the completions, lambdas as workers, jobs in
 * classes.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace
{

sem_t done;

/* The spellings name the same values, usable in constant expressions. */
static_assert(ECTP_COMPLETE_NONE == ec_async_job::ECTP_COMPLETE_NONE, "as in C and as a member");
static_assert(ECTP_COMPLETE_EVENT == ec_async_job::ECTP_COMPLETE_EVENT, "");
static_assert(ECTP_COMPLETE_MODULE == ec_async_job::ECTP_COMPLETE_MODULE, "");
static_assert(ECTP_COMPLETE_CALLBACK == ec_async_job::ECTP_COMPLETE_CALLBACK, "");
static_assert(ECTP_COMPLETE_SEMAPHORE == ec_async_job::ECTP_COMPLETE_SEMAPHORE, "");
static_assert(ECTP_COMPLETE_SYNC == ec_async_job::ECTP_COMPLETE_SYNC, "");
static_assert(ECTP_COMPLETE_CALLBACK_SCHED == ec_async_job::ECTP_COMPLETE_CALLBACK_SCHED, "");
static_assert(ECTP_COMPLETE_EVENT_INST == ec_async_job::ECTP_COMPLETE_EVENT_INST, "");
static_assert(ECTP_COMPLETE_CALLBACK_SCHED_INST == ec_async_job::ECTP_COMPLETE_CALLBACK_SCHED_INST, "");
static_assert(static_cast<int>(ECTP_COMPLETE_CALLBACK_SCHED_INST) == 8, "nine modes");
static_assert(std::is_same<ec_async_job, ec_thread_pool_job>::value, "a typedef");
static_assert(std::is_standard_layout<ec_async_job>::value && std::is_trivial<ec_async_job>::value,
              "a C struct");
static_assert(sizeof(ec_async_job) == 96, "the original's size");

void both_spellings_can_be_assigned()
{
    ec_async_job job{};
    job.completion = ECTP_COMPLETE_SEMAPHORE;
    CHECK(job.completion == ec_async_job::ECTP_COMPLETE_SEMAPHORE);
    job.completion = ec_async_job::ECTP_COMPLETE_CALLBACK;
    CHECK(job.completion == ECTP_COMPLETE_CALLBACK);
    job.completion = ec_thread_pool_job::ECTP_COMPLETE_SYNC;
    switch (job.completion) {
    case ECTP_COMPLETE_SYNC:
        break;
    default:
        CHECK(!"a case of a switch");
    }
}

void lambdas_are_workers_and_completions()
{
    int sum = 0;
    ec_async_job job{};
    job.job_class = ECTP_CLASS_CPU;
    job.closure = &sum;
    job.worker = [](ec_async_job *self, void *closure) {
        (void)self;
        *static_cast<int *>(closure) += 40;
    };
    job.completion = ECTP_COMPLETE_CALLBACK;
    job.r.cb.closure = &sum;
    job.r.cb.func = [](ec_async_job *self, void *closure) {
        (void)self;
        *static_cast<int *>(closure) += 2;
        sem_post(&done);
    };
    CHECK(QUEUE(&job));
    AWAIT(&done);
    CHECK_EQ(sum, 42);
}

/* ---- the job as base, and as first member ---- */

struct Derived : ec_async_job {
    std::string text;
    std::vector<int> numbers;

    explicit Derived(std::string initial) : ec_async_job{}, text(std::move(initial))
    {
        job_class = ECTP_CLASS_IO;
        worker = [](ec_async_job *job, void *) {
            auto *self = static_cast<Derived *>(job);
            self->text += " and the worker";
            self->numbers.assign(100, 1);
        };
        completion = ECTP_COMPLETE_SEMAPHORE;
        r.sema = &done;
    }
};

void a_class_may_derive_from_the_job()
{
    for (int i = 0; i < 100; i++) {
        Derived derived("the submitter");
        CHECK(QUEUE(&derived));
        AWAIT(&done);
        CHECK_STR(derived.text.c_str(), "the submitter and the worker");
        CHECK_EQ(std::accumulate(derived.numbers.begin(), derived.numbers.end(), 0), 100);
    }
}

struct Embedding {
    ec_async_job job; /* first */
    std::unique_ptr<int> result;
    std::string input;
};

void a_job_may_be_deleted_by_its_completion()
{
    constexpr int count = 1000;
    long sum = 0;
    for (int i = 0; i < count; i++) {
        auto owned = std::make_unique<Embedding>();
        owned->input = std::to_string(i);
        owned->job.job_class = i % 2 == 0 ? ECTP_CLASS_CPU : ECTP_CLASS_IO;
        owned->job.worker = [](ec_async_job *job, void *) {
            auto *self = reinterpret_cast<Embedding *>(job);
            self->result = std::make_unique<int>(std::stoi(self->input));
        };
        owned->job.completion = ECTP_COMPLETE_CALLBACK;
        owned->job.r.cb.closure = &sum;
        owned->job.r.cb.func = [](ec_async_job *job, void *closure) {
            std::unique_ptr<Embedding> self(reinterpret_cast<Embedding *>(job));
            add(static_cast<long *>(closure), *self->result);
            self.reset();
            sem_post(&done);
        };
        if (QUEUE(&owned->job)) {
            owned.release(); /* the pool's until its completion */
        }
    }
    AWAIT_TIMES(&done, count);
    CHECK_EQ(get(&sum), static_cast<long>(count) * (count - 1) / 2);
}

/* A function object: what a thin wrapper would do. */
template <typename Function> struct FunctionJob : ec_async_job {
    Function function;

    explicit FunctionJob(Function f) : ec_async_job{}, function(std::move(f))
    {
        worker = [](ec_async_job *job, void *) {
            auto *self = static_cast<FunctionJob *>(job);
            self->function();
        };
        completion = ECTP_COMPLETE_CALLBACK;
        r.cb.func = [](ec_async_job *job, void *) {
            delete static_cast<FunctionJob *>(job);
            sem_post(&done);
        };
    }
};

template <typename Function> void submit(Function function)
{
    auto job = std::make_unique<FunctionJob<Function>>(std::move(function));
    if (QUEUE(job.get())) {
        job.release();
    }
}

void closures_with_captures_run_in_jobs()
{
    auto shared = std::make_shared<long>(0);
    for (long i = 0; i < 500; i++) {
        submit([shared, i] { add(shared.get(), i); });
    }
    AWAIT_TIMES(&done, 500);
    CHECK_EQ(get(shared.get()), 500L * 499 / 2);
    CHECK_EQ(shared.use_count(), 1);
}

/* An exception of a job must not leave its worker; one that is caught in it is the job's own business. */
void exceptions_caught_in_the_worker_are_fine()
{
    int caught = 0;
    for (int job_class : {ECTP_CLASS_CPU, ECTP_CLASS_SHORT_LIVED, ECTP_CLASS_CLOSE}) {
        ec_async_job job{};
        job.job_class = job_class;
        job.closure = &caught;
        job.worker = [](ec_async_job *self, void *closure) {
            (void)self;
            try {
                throw std::string("in a job");
            } catch (const std::string &) {
                ++*static_cast<int *>(closure);
            }
        };
        job.completion = ECTP_COMPLETE_SEMAPHORE;
        job.r.sema = &done;
        CHECK(QUEUE(&job));
        AWAIT(&done);
    }
    CHECK_EQ(caught, 3);
}

thread_local std::string name; /* destroyed when its thread ends */

void std_thread_submits_and_threads_have_their_own_thread_locals()
{
    name = "main";
    std::thread([] {
        name = "submitter";
        ec_async_job job{};
        job.job_class = ECTP_CLASS_CPU;
        job.worker = [](ec_async_job *self, void *) {
            (void)self;
            CHECK(name != "submitter" && name != "main");
            name = "a worker's, and long enough to be on the heap";
        };
        job.completion = ECTP_COMPLETE_SEMAPHORE;
        job.r.sema = &done;
        CHECK(QUEUE(&job));
        AWAIT(&done);
        CHECK_STR(name.c_str(), "submitter");
    }).join();
    CHECK_STR(name.c_str(), "main");
}

/* ---- objects with destructors in worker threads ---- */

long destroyed;

struct CountsItsEnd {
    ~CountsItsEnd() { add(&destroyed, 1); }
    void touch() {}
};

void thread_locals_of_workers_are_destroyed_when_they_end()
{
    int pool = new_pool("cpp.locals", 1);
    ec_async_job job{};
    job.job_class = pool;
    job.worker = [](ec_async_job *self, void *) {
        (void)self;
        static thread_local CountsItsEnd local;
        local.touch();
    };
    job.completion = ECTP_COMPLETE_SEMAPHORE;
    job.r.sema = &done;
    CHECK(QUEUE(&job));
    AWAIT(&done);
    CHECK_EQ(get(&destroyed), 0);
    ec_thread_pool_auto_shrink(pool);
    POLL(get(&destroyed) == 1);
}

} // namespace

int main()
{
    new_semaphore(&done, 0);
    RUN(both_spellings_can_be_assigned);
    RUN(lambdas_are_workers_and_completions);
    RUN(a_class_may_derive_from_the_job);
    RUN(a_job_may_be_deleted_by_its_completion);
    RUN(closures_with_captures_run_in_jobs);
    RUN(exceptions_caught_in_the_worker_are_fine);
    RUN(std_thread_submits_and_threads_have_their_own_thread_locals);
    RUN(thread_locals_of_workers_are_destroyed_when_they_end);
    return check_report();
}
