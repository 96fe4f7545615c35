/* GLib: an exclusive GThreadPool; g_main_context_invoke and GMainLoop for what concerns event loops. */
#include "main.hpp"

#include <glib-unix.h>
#include <glib.h>

using namespace arena;

namespace
{

struct Glib : Pool {
    static const char *name() { return "glib"; }
    static std::string version()
    {
        return std::to_string(glib_major_version) + "." + std::to_string(glib_minor_version) + "." +
               std::to_string(glib_micro_version);
    }
    explicit Glib(Setup setup)
        : Glib(setup.workers, [](gpointer job, gpointer) { run_job(static_cast<Job *>(job)); })
    {
    }
    Glib(int workers, GFunc function) : pool(g_thread_pool_new(function, nullptr, workers, TRUE, nullptr))
    {
        if (pool == nullptr)
            std::abort();
    }
    struct Producer {
        Glib &glib;
        explicit Producer(Glib &g) : glib(g) {}
        void submit(Job *job) { glib.submit_nested(job); }
        void finish() {}
    };
    void submit_nested(Job *job) { g_thread_pool_push(pool, job, nullptr); }

    static inline Glib *s_pool;
    static inline GMainLoop *s_loop;
    static gboolean completed(gpointer data)
    {
        auto *r = static_cast<Completions::Request *>(data);
        if (!r->all->completed(r))
            g_main_loop_quit(s_loop);
        return G_SOURCE_REMOVE;
    }
    static gboolean start(gpointer all)
    {
        static_cast<Completions *>(all)->start();
        return G_SOURCE_REMOVE;
    }
    static void completion(const Cell &cell, Figures &out)
    {
        s_pool = new Glib(cell.workers(), [](gpointer request, gpointer) {
            count_one();
            g_main_context_invoke(nullptr, completed, request);
        });
        s_loop = g_main_loop_new(nullptr, FALSE);
        Completions all(cell, [](Completions::Request *r) { g_thread_pool_push(s_pool->pool, r, nullptr); });
        g_idle_add(start, &all); /* so that the context is this thread's before anything completes */
        g_main_loop_run(s_loop);
        all.put(out);
    }
    static gboolean readable(gint fd, GIOCondition, gpointer)
    {
        char text[4096];
        const ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
        if (n > 0 && send(fd, text, std::size_t(n), MSG_NOSIGNAL) != n)
            std::abort();
        return G_SOURCE_CONTINUE;
    }
    static void echo(const Cell &cell, Figures &out)
    {
        const Connections sockets = connections(cell);
        for (const int fd : sockets.server)
            g_unix_fd_add(fd, G_IO_IN, readable, nullptr);
        std::thread([] { g_main_loop_run(g_main_loop_new(nullptr, FALSE)); }).detach();
        echo_client(cell, out, sockets);
    }
    static bool own_way(const Cell &cell, Figures &out) { return by_event_loop<Glib>(cell, out); }

    GThreadPool *pool;
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Glib>(argc, argv);
}
