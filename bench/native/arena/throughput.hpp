/*
 * throughput.hpp - many jobs at once: W1, W2, W6, any number of producers and workers, jobs of any length,
 * batches, and bursts with pauses.
 */
#pragma once

#include "peer.hpp"

#include <thread>

namespace arena
{

constexpr double budget = 2.0; /* seconds that a loop of submits may take before it is cut short */
constexpr int batch = 256;

/** Submits n jobs, or as many as the budget allows; returns how many. */
template <class Producer>
std::uint64_t produce(Producer &producer, Job *job, std::uint64_t n, std::uint64_t began, bool batches)
{
    const std::uint64_t limit = began + std::uint64_t(budget * 1e9);
    Job *same[batch];
    std::fill_n(same, batch, job);
    std::uint64_t i = 0;
    while (i < n && now_ns() < limit) {
        const std::uint64_t end = std::min(n, i + batch);
        if (batches) {
            submit_all(producer, same, int(end - i), 0);
            i = end;
        }
        for (; i < end; i++)
            producer.submit(job);
    }
    return i;
}

template <class P>
std::uint64_t one_producer(P &pool, const Cell &cell, Figures &out, Job *job, std::uint64_t n)
{
    std::uint64_t done = 0;
    pool.scope([&] {
        typename P::Producer producer(pool);
        warm_up(producer);
        const std::uint64_t base = counted();
        const Stretch stretch;
        done = produce(producer, job, n, stretch.began(), cell.get("batch", 0) != 0);
        out.put("submit_ns_per_job", double(now_ns() - stretch.began()) / double(done));
        producer.finish();
        wait_for_count(base + done);
        stretch.put(out, done);
        check_count(out, base + done);
    });
    return done;
}

template <class P>
std::uint64_t many_producers(P &pool, const Cell &cell, Figures &out, Job *job, std::uint64_t each)
{
    pool.scope([&] {
        typename P::Producer producer(pool);
        warm_up(producer);
    });
    std::atomic<int> ready{0};
    std::atomic<std::uint64_t> start{0}, submitted{0};
    const std::uint64_t base = counted();
    std::vector<std::thread> threads;
    for (int i = 0; i < cell.producers(); i++)
        threads.emplace_back([&] {
            pool.scope([&] {
                typename P::Producer producer(pool);
                ready.fetch_add(1);
                while (start.load(std::memory_order_acquire) == 0)
                    std::this_thread::yield();
                submitted.fetch_add(produce(producer, job, each, start.load(), false));
                producer.finish();
            });
        });
    while (ready.load() < cell.producers())
        nap_us(200);
    nap_us(1000);
    const Stretch stretch;
    start.store(stretch.began(), std::memory_order_release);
    for (auto &t : threads)
        t.join();
    const std::uint64_t done = submitted.load();
    wait_for_count(base + done);
    stretch.put(out, done);
    check_count(out, base + done);
    return done;
}

/** Parameters: producers, workers, jobs in all, us (length of a job), batch. */
template <class P> void throughput(const Cell &cell, Figures &out)
{
    const double us = cell.get("us", 0);
    const auto producers = std::uint64_t(cell.producers());
    const std::uint64_t each = cell.jobs(1e6, P::scale) / producers;
    Job *job = us > 0 ? &g_spin : &g_count;
    g_job_spins = std::uint64_t(us * double(g_spins_per_us));
    if (us > 0)
        out.put("spin_ns", spin_cost_ns(g_job_spins, tsc_per_us(), us > 1 ? 16 : 400));
    auto &pool = make_lane<P>(cell.workers(), cell.producers());
    const std::uint64_t before = now_ns();
    const std::uint64_t done = producers == 1 ? one_producer(pool, cell, out, job, each)
                                              : many_producers(pool, cell, out, job, each);
    if (done == 0 || now_ns() == before)
        out.error("nothing ran");
    if (done < producers * each)
        out.put("truncated", 1);
    check_threads<P>(cell, out);
}

/* ---- bursts ---- */

inline void stamp_job(void *)
{
    Slot &slot = my_slot();
    count_in(slot);
    slot.last_tsc.store(__rdtsc(), std::memory_order_relaxed);
}
inline Job g_stamp{stamp_job, nullptr};

/** `size` jobs at once, a pause, and again: the time from the first submit to the end of the last job. */
template <class P> void bursts(const Cell &cell, Figures &out)
{
    const std::uint64_t size = std::uint64_t(std::max(1000 * P::scale, 10.0));
    const auto rounds = std::max<std::uint64_t>(cell.jobs(200e3, P::scale) / size, 20);
    const double per_us = tsc_per_us();
    auto &pool = make_lane<P>(cell.workers());
    pool.scope([&] {
        typename P::Producer producer(pool);
        warm_up(producer);
        std::vector<std::uint32_t> spans;
        std::uint64_t expected = counted(), cpu = 0;
        for (std::uint64_t r = 0; r < rounds; r++) {
            nap_us(1000);
            const std::uint64_t cpu_before = cpu_ns(), began = __rdtsc();
            for (std::uint64_t i = 0; i < size; i++)
                producer.submit(&g_stamp);
            producer.finish();
            expected += size;
            wait_for_count(expected);
            cpu += cpu_ns() - cpu_before;
            std::uint64_t ended = 0;
            for (const auto &s : g_slots)
                ended = std::max(ended, s.last_tsc.load(std::memory_order_relaxed));
            spans.push_back(std::uint32_t(double(ended - began) / per_us * 1000.0 / double(size)));
        }
        out.put("cpu_ns_per_job", double(cpu) / double(rounds * size));
        put_percentiles(out, spans);
        check_count(out, expected);
    });
    check_threads<P>(cell, out);
}

} // namespace arena
