/*
 * std::async(std::launch::async): a thread a job, so a hundredth of the jobs. A producer keeps at most 64
 * futures; it waits for the oldest when it makes another one.
 */
#include "main.hpp"

#include <future>

using namespace arena;

namespace
{

struct Async : Pool {
    static constexpr bool is_pool = false;
    static constexpr double scale = 0.01;
    static const char *name() { return "std::async"; }
    static std::string version() { return gcc_version(); }
    explicit Async(Setup) {}

    struct Window {
        std::vector<std::future<void>> ring{64};
        unsigned at = 0;
        void submit(Job *job)
        {
            ring[at++ % 64] = std::async(std::launch::async, [job] { run_job(job); });
        }
        void finish()
        {
            for (auto &f : ring)
                if (f.valid())
                    f.get();
        }
    };
    struct Producer : Window {
        explicit Producer(Async &) {}
    };
    void submit_nested(Job *job)
    {
        /* A thread's window ends with it and waits for what it has started. */
        thread_local Window window;
        window.submit(job);
    }

    static void node(int depth)
    {
        count_one();
        if (depth == 0)
            return;
        auto left = std::async(std::launch::async, node, depth - 1);
        auto right = std::async(std::launch::async, node, depth - 1);
        left.get();
        right.get();
    }
    static bool own_way(const Cell &cell, Figures &out)
    {
        if (cell.workload == "tree-wait")
            waiting_tree(cell, out, 7, [](int depth) { std::async(std::launch::async, node, depth).get(); });
        else if (cell.workload == "ping-pong" || cell.workload == "pipeline" || cell.workload == "tree")
            out.not_possible(
                "a job's future is waited for where it was made"); /* in a thread that has ended */
        else
            return false;
        return true;
    }
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Async>(argc, argv);
}
