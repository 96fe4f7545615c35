/*
 * FastJobs through its C ABI: a pool a lane, and for each job an ec_async_job from ec_malloc that the pool
 * frees. With ARENA_CALL fj_call in its place; with ARENA_RELAXED too on lanes that give up order.
 */
#include "main.hpp"

#include <fastjobs/event.h>
#include <fastjobs/fastjobs.h>
#include <fastjobs/fastjobs.hpp>

using namespace arena;

namespace
{

[[noreturn]] void fail()
{
    std::fprintf(stderr, "fastjobs: %s\n", fj_last_error());
    std::abort();
}

struct FastJobs : Pool {
#if defined(ARENA_RELAXED)
    static constexpr fj_order order = FJ_ORDER_RELAXED;
    static const char *name()
    {
        return "fastjobs relaxed";
    }
#else
    static constexpr fj_order order = FJ_ORDER_FIFO;
    static const char *name()
    {
#if defined(ARENA_CALL)
        return "fastjobs call";
#else
        return "fastjobs";
#endif
    }
#endif
    static std::string version()
    {
        return fj_version();
    }

    explicit FastJobs(Setup setup)
    {
        static int lanes = 0;
        const std::string lane = "lane" + std::to_string(++lanes);
        job_class = ec_thread_pool_create_module(nullptr, lane.c_str(), setup.workers, 0, 0);
        if (job_class < 0 || !fj_pool_set_order(job_class, order))
            fail();
    }
    static void call(void *closure)
    {
        run_job(static_cast<Job *>(closure));
    }
    static void work(ec_async_job *, void *closure)
    {
        run_job(static_cast<Job *>(closure));
    }
    static ec_async_job *make(int job_class, ec_thread_pool_work_func worker, void *closure)
    {
        auto *job = static_cast<ec_async_job *>(ec_malloc(MEMTYPE_EC_ASYNC_JOB));
        *job = ec_async_job();
        job->job_class = job_class;
        job->worker = worker;
        job->closure = closure;
        job->free_on_completion_memtype = MEMTYPE_EC_ASYNC_JOB;
        return job;
    }
    struct Producer {
        FastJobs &pool;
        explicit Producer(FastJobs &p) : pool(p) {}
        void submit(Job *job) { pool.submit_nested(job); }
#if defined(ARENA_CALL)
        void submit_many(Job **jobs, int n)
        {
            void *closures[batch];
            std::copy_n(jobs, n, closures);
            if (fj_call_each(pool.job_class, call, closures, n) != n)
                fail();
        }
#else
        void submit_many(Job **jobs, int n)
        {
            ec_async_job *made[batch];
            for (int i = 0; i < n; i++)
                made[i] = make(pool.job_class, work, jobs[i]);
            if (ec_queue_async_jobs(made, n) != n)
                fail();
        }
#endif
        void finish() {}
    };
    void submit_nested(Job *job)
    {
#if defined(ARENA_CALL)
        if (!fj_call(job_class, call, job))
            fail();
#else
        if (!ec_queue_async_job(make(job_class, work, job)))
            fail();
#endif
    }

    /* ---- groups ---- */

    static void node(fastjobs::pool in, int depth)
    {
        count_one();
        if (depth == 0)
            return;
        fastjobs::group both;
        both.run(in, node, in, depth - 1);
        both.run(in, node, in, depth - 1);
        both.wait();
    }
    static void tree_wait(const Cell &cell, Figures &out)
    {
        const fastjobs::pool in(make_lane<FastJobs>(cell.workers()).job_class);
        waiting_tree(cell, out, 15, [in](int depth) {
            fastjobs::group root;
            root.run(in, node, in, depth);
            root.wait(fastjobs::help::no);
        });
        check_threads<FastJobs>(cell, out);
    }

    /* ---- the scheduler ---- */

    static inline int s_class;
    static void completion(const Cell &cell, Figures &out)
    {
        s_class = make_lane<FastJobs>(cell.workers()).job_class;
        Completions all(cell, [](Completions::Request *r) {
            ec_async_job *job = make(
                s_class, [](ec_async_job *, void *) { count_one(); }, nullptr);
            job->completion = ECTP_COMPLETE_CALLBACK_SCHED;
            job->r.cb.func = [](ec_async_job *, void *closure) {
                auto *request = static_cast<Completions::Request *>(closure);
                request->all->completed(request);
            };
            job->r.cb.closure = r;
            if (!ec_queue_async_job(job))
                fail();
        });
        Event *first = fj_build_event_from_now_f(
            0, -1,
            [](Event *, int, void *closure, timeval *) {
                static_cast<Completions *>(closure)->start();
                return 0;
            },
            &all);
        if (first == nullptr || !fj_schedule_event(first))
            fail();
        take(&all.over);
        all.put(out);
    }
    static int readable(Event *event, int, void *, timeval *)
    {
        char text[4096];
        int mask = E_READ;
        const int n = fj_event_read(event, text, int(sizeof text), &mask);
        if (n > 0 && fj_event_write(event, text, n, &mask) != n)
            fail();
        return E_READ;
    }
    static void echo(const Cell &cell, Figures &out)
    {
        const Connections sockets = connections(cell);
        for (const int fd : sockets.server) {
            Event *event = fj_build_fd_event(fd, E_READ, E_AGGRESSIVE_NONE, readable, nullptr);
            if (event == nullptr || !fj_schedule_event(event))
                fail();
        }
        echo_client(cell, out, sockets);
    }

    static bool own_way(const Cell &cell, Figures &out)
    {
        if (cell.workload != "tree-wait")
            return by_event_loop<FastJobs>(cell, out);
        tree_wait(cell, out);
        return true;
    }

    int job_class;
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<FastJobs>(argc, argv);
}
