// consumer.cpp - a C++ program with an installed FastJobs: runs one job and prints the version.
#include <ec_thread_pool.h>
#include <fastjobs.h>

#include <cstdio>

int main()
{
    int answer = 0;
    sem_t done;
    sem_init(&done, 0, 0);
    ec_async_job job{};
    job.completion = ec_async_job::ECTP_COMPLETE_SEMAPHORE;
    job.job_class = ECTP_CLASS_CPU;
    job.worker = [](ec_async_job *, void *closure) { *static_cast<int *>(closure) = 42; };
    job.closure = &answer;
    job.r.sema = &done;
    if (!ec_queue_async_job(&job)) {
        std::fprintf(stderr, "consumer: %s\n", fj_last_error());
        return 1;
    }
    sem_wait(&done);
    if (answer != 42 || !ec_thread_pool_shutdown())
        return 1;
    std::puts(fj_version());
    return 0;
}
