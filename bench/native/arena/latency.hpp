/*
 * latency.hpp - one job at a time: the round trip (W4), the same beside a lane full of sleeping jobs, and
 * ping-pong between two lanes.
 */
#pragma once

#include "peer.hpp"

namespace arena
{

struct Bell {
    sem_t rung;
    Job job{ring, &rung};

    Bell() { sem_init(&rung, 0, 0); }
    Bell(const Bell &) = delete;
    Bell &operator=(const Bell &) = delete;
    static void ring(void *semaphore)
    {
        count_one();
        sem_post(static_cast<sem_t *>(semaphore));
    }
};

/** Submits a job, blocks on the semaphore that it posts; n times or for `seconds`. The times in ns. */
template <class Producer>
std::vector<std::uint32_t> round_trips(Producer &producer, Bell &bell, std::uint64_t n, double seconds)
{
    std::vector<std::uint32_t> times;
    times.reserve(n);
    const std::uint64_t limit = now_ns() + std::uint64_t(seconds * 1e9);
    for (std::uint64_t i = 0, after = 0; i < n && after < limit; i++) {
        const std::uint64_t before = now_ns();
        producer.submit(&bell.job);
        take(&bell.rung);
        after = now_ns();
        times.push_back(std::uint32_t(std::min<std::uint64_t>(after - before, UINT32_MAX)));
    }
    return times;
}

template <class P> void round_trip(const Cell &cell, Figures &out)
{
    auto &pool = make_lane<P>(cell.workers());
    pool.scope([&] {
        typename P::Producer producer(pool);
        warm_up(producer, 500);
        Bell bell;
        round_trips(producer, bell, 500, 1);
        const std::uint64_t n = cell.jobs(1e5, P::scale), base = counted();
        const std::uint64_t cpu = cpu_ns();
        auto times = round_trips(producer, bell, n, 6);
        out.put("n", double(times.size()));
        out.put("cpu_ns_per_job", double(cpu_ns() - cpu) / double(times.size()));
        if (times.size() < n)
            out.put("truncated", 1);
        put_percentiles(out, times);
        producer.finish();
        check_count(out, base + times.size());
    });
    check_threads<P>(cell, out);
}

/* ---- beside a lane full of sleeping jobs ---- */

inline void sleep_job(void *)
{
    nap_us(1000);
    count_one();
}
inline Job g_sleep{sleep_job, nullptr};

inline double p99(std::vector<std::uint32_t> times)
{
    std::sort(times.begin(), times.end());
    return double(times[std::min(times.size() - 1, times.size() * 99 / 100)]);
}

/** Nine pairs in turn: round trips in a lane, and round trips there while another lane is full of jobs that
 * sleep for a millisecond each. slow and quick may be producers of one and the same lane. */
template <class Slow, class Quick>
void beside_sleepers(const Cell &cell, Figures &out, Slow &slow, Quick &quick)
{
    constexpr int pairs = 9, depth = 500; /* of sleeping jobs: 250 ms of two workers, filled up as it goes */
    constexpr std::uint64_t part = 100;   /* round trips between two looks at the depth */
    const std::uint64_t n = cell.jobs(2000);
    Bell bell;
    warm_up(quick, 500);
    round_trips(quick, bell, 500, 1);
    std::vector<double> idle_p99, full_p99, ratios;
    std::uint64_t trips = 0;
    for (int pair = 0; pair < pairs; pair++) {
        auto idle = round_trips(quick, bell, n, 1);
        std::vector<std::uint32_t> full;
        std::uint64_t queued = 0;
        const std::uint64_t limit = now_ns() + 400000000;
        const std::uint64_t base = counted();
        while (full.size() < n && now_ns() < limit) {
            const std::uint64_t slept = counted() - base - full.size();
            for (; queued < slept + depth; queued++)
                slow.submit(&g_sleep);
            const auto some = round_trips(quick, bell, part, 0.2);
            full.insert(full.end(), some.begin(), some.end());
        }
        slow.finish();
        wait_for_count(base + full.size() + queued);
        trips += idle.size() + full.size();
        idle_p99.push_back(p99(idle));
        full_p99.push_back(p99(full));
        ratios.push_back(full_p99.back() / idle_p99.back());
    }
    out.put("n", double(trips));
    out.put("idle_p99_ns", median(idle_p99));
    out.put("p99_ns", median(full_p99));
    out.put("p99_ratio", median(ratios));
    out.put("p99_ratio_least", *std::min_element(ratios.begin(), ratios.end()));
    out.put("p99_ratio_most", *std::max_element(ratios.begin(), ratios.end()));
}

template <class P> void lanes(const Cell &cell, Figures &out)
{
    if constexpr (!P::many_lanes) {
        out.not_possible("no two lanes in a process");
    } else {
        auto &slow = make_lane<P>(cell.workers());
        auto &quick = make_lane<P>(cell.workers());
        slow.scope([&] {
            typename P::Producer sleepers(slow);
            quick.scope([&] {
                typename P::Producer producer(quick);
                beside_sleepers(cell, out, sleepers, producer);
            });
        });
    }
}

/* ---- ping-pong ---- */

template <class P> struct PingPong {
    P *lanes[2];
    std::uint64_t left;
    sem_t over;
    Job job{hop, this};

    static void hop(void *self)
    {
        auto *p = static_cast<PingPong *>(self);
        count_one();
        if (--p->left == 0)
            sem_post(&p->over);
        else
            p->lanes[~p->left & 1]->submit_nested(&p->job);
    }
};

/** Two lanes with a worker each; a job in the one submits a job to the other. */
template <class P> void ping_pong(const Cell &cell, Figures &out)
{
    if constexpr (!P::can_nest) {
        out.not_possible("a job cannot submit a job");
    } else if constexpr (!P::many_lanes) {
        out.not_possible("no two lanes in a process");
    } else {
        PingPong<P> game;
        sem_init(&game.over, 0, 0);
        for (auto &lane : game.lanes) {
            lane = &make_lane<P>(1);
            typename P::Producer producer(*lane);
            warm_up(producer, 100);
        }
        const std::uint64_t n = cell.jobs(100e3, P::scale) & ~std::uint64_t(1), base = counted();
        typename P::Producer producer(*game.lanes[1]);
        game.left = n;
        const Stretch stretch;
        producer.submit(&game.job);
        take(&game.over);
        stretch.put(out, n);
        producer.finish();
        check_count(out, base + n);
    }
}

} // namespace arena
