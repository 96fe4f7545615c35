/*
 * backlog.hpp - what jobs cost that wait (W5, up to ten millions), and what a pool costs that has none (W7).
 */
#pragma once

#include "peer.hpp"

namespace arena
{

struct Block {
    sem_t entered, go;
    Job job{wait, this};

    Block()
    {
        sem_init(&entered, 0, 0);
        sem_init(&go, 0, 0);
    }
    Block(const Block &) = delete;
    Block &operator=(const Block &) = delete;
    static void wait(void *self)
    {
        auto *b = static_cast<Block *>(self);
        sem_post(&b->entered);
        take(&b->go);
        count_one();
    }
};

/** Submits until n jobs wait, and puts what a submit costs in the last tenth before each power of ten. */
template <class Producer>
std::uint64_t fill(Producer &producer, std::uint64_t n, double seconds, Figures &out)
{
    static const struct {
        std::uint64_t depth;
        const char *name;
    } marks[] = {{1000, "ns_at_1k"},
                 {10000, "ns_at_10k"},
                 {100000, "ns_at_100k"},
                 {1000000, "ns_at_1M"},
                 {10000000, "ns_at_10M"}};
    const std::uint64_t limit = now_ns() + std::uint64_t(seconds * 1e9);
    std::uint64_t i = 0;
    const auto up_to = [&](std::uint64_t target) {
        while (i < target) {
            for (const std::uint64_t end = std::min(target, i + 256); i < end; i++)
                producer.submit(&g_count);
            if (now_ns() > limit)
                return false;
        }
        return true;
    };
    for (const auto &mark : marks) {
        if (mark.depth > n || !up_to(mark.depth - mark.depth / 10))
            break;
        const std::uint64_t from = i, before = now_ns();
        if (!up_to(mark.depth))
            break;
        out.put(mark.name, double(now_ns() - before) / double(i - from));
    }
    if (now_ns() <= limit)
        up_to(n);
    return i;
}

/** Blocks the workers, fills the queue, releases them. */
template <class P> void backlog(const Cell &cell, Figures &out)
{
    if constexpr (!P::is_pool) {
        out.not_possible("not a pool: every job is a thread");
    } else {
        const int own = cell.workers() - P::helps;
        auto &pool = make_lane<P>(cell.workers());
        pool.scope([&] {
            typename P::Producer producer(pool);
            warm_up(producer);
            Block block;
            const std::uint64_t base = counted(), n = cell.jobs(1e6);
            for (int i = 0; i < own; i++)
                producer.submit(&block.job);
            for (int i = 0; i < own; i++)
                take(&block.entered);
            const std::uint64_t resident = resident_bytes(), began = now_ns();
            const std::uint64_t done = fill(producer, n, n > 2000000 ? 6 : 2, out);
            const double elapsed = double(now_ns() - began);
            const double bytes = double(resident_bytes()) - double(resident);
            if (counted() != base)
                out.error("a worker was not blocked");
            out.put("depth", double(done));
            out.put("enqueue_ns", elapsed / double(done));
            out.put("bytes_per_job", bytes / double(done));
            const std::uint64_t cpu = cpu_ns(), drain = now_ns();
            for (int i = 0; i < own; i++)
                sem_post(&block.go);
            producer.finish();
            const std::uint64_t all = base + done + std::uint64_t(own);
            wait_for_count(all);
            out.put("drain_ns_per_job", double(now_ns() - drain) / double(done));
            out.put("drain_cpu_ns_per_job", double(cpu_ns() - cpu) / double(done));
            if (done < n)
                out.put("truncated", 1);
            check_count(out, all);
        });
        check_threads<P>(cell, out);
    }
}

constexpr double least_idle_ms = 0.01; /* two millionths of the time: what is less is not told apart */

/** Seconds without a job, and without this thread: it sleeps and wakes, whatever the pool does. */
template <class P> void idle(const Cell &cell, Figures &out)
{
    if constexpr (!P::is_pool) {
        out.not_possible("not a pool: no threads to idle");
    } else {
        auto &pool = make_lane<P>(cell.workers());
        pool.scope([&] {
            typename P::Producer producer(pool);
            warm_up(producer);
        });
        nap_us(200000);
        const double seconds = cell.get("seconds", 5);
        const std::int64_t cpu = others_cpu_ns();
        const std::uint64_t switches = context_switches();
        const std::uint64_t until = now_ns() + std::uint64_t(seconds * 1e9);
        const timespec end{time_t(until / 1000000000u), long(until % 1000000000u)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) != 0) {
        }
        out.put("cpu_ms", std::max(double(others_cpu_ns() - cpu) / 1e6, least_idle_ms));
        out.put("context_switches", double(context_switches() - switches));
        check_threads<P>(cell, out);
    }
}

} // namespace arena
