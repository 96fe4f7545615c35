/*
 * oneTBB, in its two ways. As "tbb enqueue" task_arena::enqueue into an arena of workers. With TBB_GROUP
 * task_group::run by producers that have a slot of the arena, so that a run is a push on their own deque; the
 * producer is one of the threads: when it has submitted all it waits, which makes it help.
 *
 * Without global_control TBB starts one worker on two processors.
 */
#include "main.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/version.h>

using namespace arena;

namespace
{

constexpr auto most_threads = tbb::global_control::max_allowed_parallelism;

#ifndef TBB_GROUP
struct Peer : Pool {
    static const char *name() { return "tbb enqueue"; }
    static std::string version() { return TBB_runtime_version(); }
    explicit Peer(Setup setup) : arena(setup.workers, 0)
    {
        static int threads = 1; /* the caller counts; arenas share the workers */
        threads += setup.workers;
        new tbb::global_control(most_threads, std::size_t(threads));
        arena.initialize();
    }
    struct Producer {
        Peer &tbb;
        explicit Producer(Peer &t) : tbb(t) {}
        void submit(Job *job) { tbb.submit_nested(job); }
        void finish() {}
    };
    void submit_nested(Job *job)
    {
        arena.enqueue([job] { run_job(job); });
    }

    tbb::task_arena arena;
};
#else
struct Peer : Pool {
    static constexpr bool many_lanes = false, helps = true;
    static const char *name() { return "tbb task_group"; }
    static std::string version() { return TBB_runtime_version(); }
    explicit Peer(Setup setup)
        : most(most_threads, std::size_t(setup.workers)),
          arena(setup.workers - 1 + setup.producers, unsigned(setup.producers)),
          one_producer(setup.producers == 1)
    {
        arena.initialize();
    }
    template <class Body> void scope(Body body) { arena.execute(body); }
    struct Producer {
        tbb::task_group &group; /* several producers have one each, for good */
        explicit Producer(Peer &g) : group(g.one_producer ? g.group : *new tbb::task_group) {}
        void submit(Job *job)
        {
            group.run([job] { run_job(job); });
        }
        void finish() { group.wait(); }
    };
    void submit_nested(Job *job)
    {
        group.run([job] { run_job(job); });
    }

    static void node(int depth)
    {
        count_one();
        if (depth == 0)
            return;
        tbb::task_group both;
        both.run([depth] { node(depth - 1); });
        both.run([depth] { node(depth - 1); });
        both.wait();
    }
    static void tree_wait(const Cell &cell, Figures &out)
    {
        auto &pool = make_lane<Peer>(cell.workers());
        pool.scope([&] {
            waiting_tree(cell, out, 15, [&](int depth) {
                pool.group.run([depth] { node(depth); });
                pool.group.wait();
            });
        });
        check_threads<Peer>(cell, out);
    }
    /** parallel_pipeline, with three serial filters. */
    static void pipeline(const Cell &cell, Figures &out)
    {
        auto &pool = make_lane<Peer>(stages);
        const std::uint64_t n = cell.jobs(200e3);
        std::vector<int> items(n, 0);
        pool.scope([&] {
            Producer producer(pool);
            warm_up(producer, 100);
            const std::uint64_t base = counted();
            const Stretch stretch;
            std::uint64_t next = 0;
            constexpr auto serial = tbb::filter_mode::serial_in_order;
            tbb::parallel_pipeline(
                64, tbb::make_filter<void, int *>(serial, [&](tbb::flow_control &flow) -> int * {
                        if (next < n) {
                            ++items[next];
                            return &items[next++];
                        }
                        flow.stop();
                        return nullptr;
                    }) & tbb::make_filter<int *, int *>(serial, [](int *item) {
                        ++*item;
                        return item;
                    }) & tbb::make_filter<int *, void>(serial, [](int *item) {
                        ++*item;
                        count_one();
                    }));
            stretch.put(out, n);
            check_count(out, base + n);
        });
        if (std::count(items.begin(), items.end(), stages) != std::ptrdiff_t(n))
            out.error("an item did not pass all stages");
    }
    static bool own_way(const Cell &cell, Figures &out)
    {
        if (cell.workload == "tree-wait")
            tree_wait(cell, out);
        else if (cell.workload == "pipeline")
            pipeline(cell, out);
        else if (cell.workload == "lanes" || cell.workload == "ping-pong")
            out.not_possible("a lane is an arena: tbb enqueue has this row");
        else
            return false;
        return true;
    }

    tbb::global_control most;
    tbb::task_arena arena;
    tbb::task_group group;
    bool one_producer;
};

#endif

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Peer>(argc, argv);
}
