/*
 * APR-util's apr_thread_pool. apr_thread_pool_push is first in, first out and walks the queue of its priority
 * under the lock, so the budget cuts its loops short; with APR_TOP apr_thread_pool_top, last in, first out.
 */
#include "main.hpp"

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_thread_pool.h>
#include <apr_version.h>
#include <apu_version.h>

using namespace arena;

namespace
{

struct Apr : Pool {
#ifdef APR_TOP
    static const char *name()
    {
        return "apr top (LIFO)";
    }
    static constexpr auto put = apr_thread_pool_top;
#else
    static const char *name()
    {
        return "apr push";
    }
    static constexpr auto put = apr_thread_pool_push;
#endif
    static std::string version()
    {
        return std::string("apr-util ") + apu_version_string() + " apr " + apr_version_string();
    }
    explicit Apr(Setup setup)
    {
        const auto n = apr_size_t(setup.workers);
        if (apr_initialize() || apr_pool_create(&memory, nullptr) ||
            apr_thread_pool_create(&pool, n, n, memory))
            std::abort();
    }
    static void *APR_THREAD_FUNC work(apr_thread_t *, void *job)
    {
        run_job(static_cast<Job *>(job));
        return nullptr;
    }
    struct Producer {
        Apr &apr;
        explicit Producer(Apr &a) : apr(a) {}
        void submit(Job *job) { apr.submit_nested(job); }
        void finish() {}
    };
    void submit_nested(Job *job)
    {
        if (put(pool, work, job, APR_THREAD_TASK_PRIORITY_NORMAL, nullptr))
            std::abort();
    }

    apr_pool_t *memory = nullptr;
    apr_thread_pool_t *pool = nullptr;
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Apr>(argc, argv);
}
