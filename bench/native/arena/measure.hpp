/*
 * measure.hpp - what every workload of the arena measures with: clocks, counts of jobs that do not make their
 * threads meet, a calibrated piece of work, percentiles, and the figures that a cell prints.
 */
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <semaphore.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/** What a workload asks to be run: a peer calls run(argument) once, in one of its workers. The harness
 * allocates none of them while it measures, so the memory of a queued job is the peer's own. */
struct Job {
    void (*run)(void *);
    void *argument;
};
inline void run_job(Job *job)
{
    job->run(job->argument);
}

namespace arena
{

inline std::uint64_t now_ns()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::uint64_t(t.tv_sec) * 1000000000u + std::uint64_t(t.tv_nsec);
}

/** Processor time of all threads but the calling one. */
inline std::int64_t others_cpu_ns()
{
    timespec all, mine;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mine);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    return std::int64_t(all.tv_sec - mine.tv_sec) * 1000000000 + (all.tv_nsec - mine.tv_nsec);
}

inline std::uint64_t cpu_ns()
{
    rusage r;
    getrusage(RUSAGE_SELF, &r);
    const auto ns = [](timeval v) {
        return std::uint64_t(v.tv_sec) * 1000000000u + std::uint64_t(v.tv_usec) * 1000u;
    };
    return ns(r.ru_utime) + ns(r.ru_stime);
}

inline std::uint64_t context_switches()
{
    rusage r;
    getrusage(RUSAGE_SELF, &r);
    return std::uint64_t(r.ru_nvcsw) + std::uint64_t(r.ru_nivcsw);
}

inline std::uint64_t resident_bytes()
{
    std::FILE *f = std::fopen("/proc/self/statm", "r");
    unsigned long size = 0, resident = 0;
    if (f == nullptr || std::fscanf(f, "%lu %lu", &size, &resident) != 2)
        std::abort();
    std::fclose(f);
    return std::uint64_t(resident) * std::uint64_t(sysconf(_SC_PAGESIZE));
}

inline void nap_us(long us)
{
    timespec t{us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, nullptr);
}

inline void take(sem_t *s)
{
    while (sem_wait(s) != 0) {
    }
}

/* ---- counts: a padded slot a thread, relaxed ---- */

struct alignas(128) Slot {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> last_tsc{0}; /* when the thread's last stamped job ended */
};
constexpr unsigned slots = 256;
inline Slot g_slots[slots];
inline std::atomic<unsigned> g_threads{0}; /* that ran jobs */
inline thread_local Slot *t_slot = nullptr;

inline Slot &my_slot()
{
    if (__builtin_expect(t_slot == nullptr, 0))
        t_slot = &g_slots[std::min(g_threads.fetch_add(1, std::memory_order_relaxed), slots - 1)];
    return *t_slot;
}
/** Has one writer, so it is no locked operation: that would be a good part of what the quickest peers take
 * for a job. Threads that come when all slots are taken share the last one. */
inline void count_in(Slot &slot)
{
    if (__builtin_expect(&slot == &g_slots[slots - 1], 0))
        slot.count.fetch_add(1, std::memory_order_relaxed);
    else
        slot.count.store(slot.count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}
inline void count_one()
{
    count_in(my_slot());
}

inline std::uint64_t counted()
{
    std::uint64_t sum = 0;
    for (const auto &s : g_slots)
        sum += s.count.load(std::memory_order_relaxed);
    return sum;
}

/** Looks after 200 us and then each time after half of what is left should have run: who looks takes the core
 * from a worker, and looks every 200 us took 4 % of the time of long jobs. A wait is longer by about 125 us.
 */
inline void wait_for_count(std::uint64_t target)
{
    const std::uint64_t began = now_ns(), first = counted();
    for (std::uint64_t n = first; n < target; n = counted()) {
        const double us_each =
            double(now_ns() - began) / 1000.0 / double(std::max<std::uint64_t>(n - first, 1));
        nap_us(n == first ? 200 : std::clamp(long(us_each * double(target - n) / 2), 200L, 20000L));
    }
}

inline void count_job(void *)
{
    count_one();
}
inline Job g_count{count_job, nullptr};

/* ---- a fixed amount of work ---- */

inline std::uint64_t g_spins_per_us = 0;
inline std::uint64_t g_job_spins = 0; /* of g_spin */

/* Aligned, so that the loop lies in one line in each program: one that crossed two took a sixth longer at
 * times, and only in the jobs, not while it was calibrated. */
__attribute__((noinline, aligned(64))) inline void spin(std::uint64_t n)
{
    std::uint64_t x = 88172645463325252ull;
    for (std::uint64_t i = 0; i < n; i++) {
        x ^= x << 13;
        __asm__ volatile("" : "+r"(x));
    }
}

/** The middle one of five looks: a look in which the machine stood still is far off. */
inline double tsc_per_us()
{
    double looks[5];
    for (double &look : looks) {
        const std::uint64_t ns = now_ns(), tsc = __rdtsc();
        while (now_ns() - ns < 4000000) {
        }
        const std::uint64_t ns_after = now_ns(), tsc_after = __rdtsc();
        look = double(tsc_after - tsc) / (double(ns_after - ns) / 1000.0);
    }
    std::sort(looks, looks + 5);
    return looks[2];
}

/** The least cost of one spin(n), in ns. */
inline double spin_cost_ns(std::uint64_t n, double per_us, int looks = 400)
{
    const int each = looks / 8;
    std::uint64_t best = UINT64_MAX;
    for (int k = 0; k < looks; k++) {
        const std::uint64_t before = __rdtsc();
        for (int i = 0; i < each; i++)
            spin(n);
        best = std::min<std::uint64_t>(best, __rdtsc() - before);
    }
    return double(best) / each / per_us * 1000.0;
}

/** How many rounds take a microsecond. A job repeats the number, not the time: one that is preempted still
 * has its work to do, where a loop that waits for a clock would get it for nothing. */
inline std::uint64_t calibrate()
{
    const double per_us = tsc_per_us();
    double n = 1000;
    for (int k = 0; k < 4; k++)
        n *= std::clamp(1000.0 / spin_cost_ns(std::uint64_t(n), per_us), 0.1, 10.0);
    return std::uint64_t(std::llround(n));
}

inline void spin_job(void *)
{
    spin(g_job_spins);
    count_one();
}
inline Job g_spin{spin_job, nullptr};

/* ---- figures ---- */

class Figures
{
  public:
    void put(const char *name, double value)
    {
        char text[128];
        std::snprintf(text, sizeof text, "%s\"%s\":%.6g", metrics_.empty() ? "" : ",", name, value);
        metrics_ += text;
    }
    /** The answer is wrong: the row counts as failed. */
    void error(const std::string &why) { status_ = "error: " + why; }
    /** The peer cannot do this workload. */
    void not_possible(const std::string &why) { status_ = "n/a: " + why; }

    const std::string &metrics() const { return metrics_; }
    const std::string &status() const { return status_; }
    bool failed() const { return status_.compare(0, 6, "error:") == 0; }

  private:
    std::string metrics_, status_ = "ok";
};

/** Sorts the times (ns) and puts their percentiles. */
inline void put_percentiles(Figures &out, std::vector<std::uint32_t> &times)
{
    std::sort(times.begin(), times.end());
    const auto at = [&](double q) {
        return double(times[std::min(times.size() - 1, std::size_t(q * double(times.size())))]);
    };
    out.put("p1_ns", at(0.01));
    out.put("p10_ns", at(0.10));
    out.put("p25_ns", at(0.25));
    out.put("p50_ns", at(0.50));
    out.put("p75_ns", at(0.75));
    out.put("p90_ns", at(0.90));
    out.put("p99_ns", at(0.99));
    out.put("p999_ns", at(0.999));
    out.put("max_ns", double(times.back()));
}

inline double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/** Elapsed time and processor time since it was made, until stop() or now. */
class Stretch
{
  public:
    Stretch() : cpu_(cpu_ns()), began_(now_ns()) {}
    std::uint64_t began() const { return began_; }
    void stop()
    {
        ended_ = now_ns();
        cpu_ended_ = cpu_ns();
    }
    /** Puts both for each of n. */
    void put(Figures &out, std::uint64_t n) const
    {
        Stretch all = *this;
        if (ended_ == 0)
            all.stop();
        out.put("n", double(n));
        out.put("ns_per_job", double(all.ended_ - began_) / double(n));
        out.put("cpu_ns_per_job", double(all.cpu_ended_ - cpu_) / double(n));
    }

  private:
    std::uint64_t cpu_, began_, ended_ = 0, cpu_ended_ = 0;
};

} // namespace arena
