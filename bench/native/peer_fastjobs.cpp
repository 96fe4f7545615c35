// FastJobs through its C ABI: a pool of its own, one ec_async_job a job, from ec_malloc and freed by the
// pool, as the documentation advises. The harness counts the bytes beyond the job struct in
// bench/native/run.sh.
#include "bench.hpp"

#include <ec_malloc.h>
#include <ec_thread_pool.h>
#include <fastjobs.h>

struct FastJobsPeer {
    static const char *name() { return "fastjobs"; }
    static std::string version() { return fj_version(); }
    static constexpr bool can_nest = true, is_pool = true;
    static constexpr double scale = 1;

    int pool;

    explicit FastJobsPeer(int workers) : pool(ec_thread_pool_create_module(nullptr, "bench", workers, 0, 0))
    {
        if (pool < 0)
            fail();
    }
    [[noreturn]] static void fail()
    {
        fprintf(stderr, "fastjobs: %s\n", fj_last_error());
        abort();
    }
    static void work(ec_async_job *, void *closure) { run_job(static_cast<Job *>(closure)); }
    void put(Job *j)
    {
        auto *job = static_cast<ec_async_job *>(ec_malloc(MEMTYPE_EC_ASYNC_JOB));
        *job = ec_async_job();
        job->job_class = pool;
        job->worker = work;
        job->closure = j;
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        if (!ec_queue_async_job(job))
            fail();
    }
    template <class F> void scope(F f) { f(); }
    struct Producer {
        FastJobsPeer &peer;
        explicit Producer(FastJobsPeer &p) : peer(p) {}
        void submit(Job *j) { peer.put(j); }
        void finish() {}
    };
    void submit_nested(Job *j) { put(j); }
};

int main(int argc, char **argv)
{
    return bench::bench_main<FastJobsPeer>(argc, argv);
}
