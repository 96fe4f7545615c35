/*
 * libuv: uv_queue_work. The call belongs to the loop's thread, so each producer owns a loop; the process has
 * one pool for all loops, and a worker cannot submit. The uv_work_t is the caller's: from malloc, freed in
 * the after-work callback. A producer turns its loop every 1024 submits, as a program that lives in its loop
 * would.
 */
#include "main.hpp"

#include <uv.h>

using namespace arena;

namespace
{

void check(int status)
{
    if (status != 0) {
        std::fprintf(stderr, "libuv: %s\n", uv_strerror(status));
        std::abort();
    }
}

struct Uv : Pool {
    static constexpr bool can_nest = false, many_lanes = false;
    static const char *name() { return "libuv"; }
    static std::string version() { return uv_version_string(); }
    explicit Uv(Setup setup) { setenv("UV_THREADPOOL_SIZE", std::to_string(setup.workers).c_str(), 1); }

    struct Producer {
        uv_loop_t *loop = new uv_loop_t;
        unsigned submitted = 0;
        explicit Producer(Uv &) { check(uv_loop_init(loop)); }
        void submit(Job *job)
        {
            auto *request = static_cast<uv_work_t *>(std::malloc(sizeof(uv_work_t)));
            request->data = job;
            check(uv_queue_work(
                loop, request, [](uv_work_t *r) { run_job(static_cast<Job *>(r->data)); },
                [](uv_work_t *r, int) { std::free(r); }));
            if (++submitted % 1024 == 0)
                uv_run(loop, UV_RUN_NOWAIT);
        }
        void finish() { uv_run(loop, UV_RUN_DEFAULT); }
    };

    static void completion(const Cell &cell, Figures &out)
    {
        Uv pool(cell.setup());
        Completions all(cell, [](Completions::Request *r) {
            if (r->of_peer == nullptr) {
                auto *made = new uv_work_t;
                made->data = r;
                r->of_peer = made;
            }
            check(uv_queue_work(
                uv_default_loop(), static_cast<uv_work_t *>(r->of_peer), [](uv_work_t *) { count_one(); },
                [](uv_work_t *done, int) {
                    auto *request = static_cast<Completions::Request *>(done->data);
                    request->all->completed(request);
                }));
        });
        all.start();
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        all.put(out);
    }

    static void readable(uv_poll_t *poll, int, int)
    {
        uv_os_fd_t fd;
        check(uv_fileno(reinterpret_cast<uv_handle_t *>(poll), &fd));
        char text[4096];
        const ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
        if (n > 0 && send(fd, text, std::size_t(n), MSG_NOSIGNAL) != n)
            std::abort();
    }
    static void echo(const Cell &cell, Figures &out)
    {
        const Connections sockets = connections(cell);
        for (const int fd : sockets.server) {
            auto *poll = new uv_poll_t;
            check(uv_poll_init(uv_default_loop(), poll, fd));
            check(uv_poll_start(poll, UV_READABLE, readable));
        }
        std::thread([] { uv_run(uv_default_loop(), UV_RUN_DEFAULT); }).detach();
        echo_client(cell, out, sockets);
    }

    /** One pool for all: it has the threads of both lanes, and the sleeping jobs may have them all. */
    static void lanes(const Cell &cell, Figures &out)
    {
        Uv pool({2 * cell.workers(), 1});
        Producer slow(pool), quick(pool);
        beside_sleepers(cell, out, slow, quick);
    }

    /** A stage after the other, through the loop: after the work of the one the next is queued. */
    struct Item {
        uv_work_t request;
        int stages_left;
    };
    static void stage(Item *item)
    {
        check(uv_queue_work(
            uv_default_loop(), &item->request,
            [](uv_work_t *r) {
                if (--static_cast<Item *>(r->data)->stages_left == 0)
                    count_one();
            },
            [](uv_work_t *r, int) {
                auto *it = static_cast<Item *>(r->data);
                if (it->stages_left > 0)
                    stage(it);
            }));
    }
    static void through_the_loop(Figures &out, std::uint64_t n, int stages_each, std::uint64_t hops,
                                 int workers)
    {
        Uv pool({workers, 1});
        Producer producer(pool);
        warm_up(producer, 100);
        std::vector<Item> items(n);
        const std::uint64_t base = counted();
        const Stretch stretch;
        for (std::uint64_t i = 0; i < n; i++) {
            items[i].request.data = &items[i];
            items[i].stages_left = stages_each;
            stage(&items[i]);
            if (i % 1024 == 1023)
                uv_run(uv_default_loop(), UV_RUN_NOWAIT);
        }
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
        stretch.put(out, hops);
        check_count(out, base + n);
    }

    static bool own_way(const Cell &cell, Figures &out)
    {
        if (cell.workload == "completion")
            completion(cell, out);
        else if (cell.workload == "echo")
            echo(cell, out);
        else if (cell.workload == "lanes")
            lanes(cell, out);
        else if (cell.workload == "pipeline")
            through_the_loop(out, cell.jobs(200e3), stages, cell.jobs(200e3), stages);
        else if (cell.workload == "ping-pong")
            through_the_loop(out, 1, int(cell.jobs(100e3)), cell.jobs(100e3), 2);
        else
            return false;
        return true;
    }
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Uv>(argc, argv);
}
