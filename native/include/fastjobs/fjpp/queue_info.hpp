/*
 * fjpp/queue_info.hpp - part of fastjobs.hpp: snapshots of named queues and their jobs, which own what they
 * say.
 */
#ifndef FASTJOBS_FJPP_QUEUE_INFO_HPP
#define FASTJOBS_FJPP_QUEUE_INFO_HPP

#include "base.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fastjobs
{
namespace detail
{

inline std::string text_of(fj_job_id id)
{
    std::string text(fj_job_id_text(id, nullptr, 0), '\0');
    fj_job_id_text(id, text.data(), text.size() + 1);
    return text;
}

inline fj_job_id id_of(const std::string &id) noexcept
{
    return fj_job_named(id.c_str());
}

inline std::chrono::system_clock::time_point to_time(double seconds)
{
    using namespace std::chrono;
    return system_clock::time_point(duration_cast<system_clock::duration>(duration<double>(seconds)));
}

/** A visitor of the C API that makes objects of what it sees; its exceptions wait until the listing is over.
 */
template <typename Object, typename From> struct visiting {
    std::vector<Object> &all;
    std::exception_ptr failed;

    static int visit(const From *from, void *closure)
    {
        auto *self = static_cast<visiting *>(closure);
        guarded([&] { self->all.emplace_back(*from); },
                [&](std::exception_ptr exception) { self->failed = std::move(exception); });
        return self->failed != nullptr;
    }
    static auto function() noexcept -> int (*)(const From *, void *) { return visit; }
    void rethrow() const
    {
        if (failed != nullptr)
            std::rethrow_exception(failed);
    }
};

} // namespace detail

/** A job of a queue at one moment. */
struct job_info {
    explicit job_info(const fj_job_info &job)
        : id(job.id_text), phase(job.phase), outcome(job.outcome), code(job.code),
          detached(job.detached != 0), waited_for(job.waited_for != 0), delayed(job.delayed != 0),
          attempt(job.attempt), thread(job.thread), time(job.seconds),
          start_time(detail::to_time(job.start_time))
    {
        if (job.bytes != nullptr)
            result.emplace(static_cast<const char *>(job.bytes), job.size);
        if (job.progress != nullptr)
            progress.emplace(job.progress);
        if (job.phase == FJ_JOB_DONE)
            end_time = detail::to_time(job.end_time);
    }

    std::string id;
    fj_job_phase phase;
    fj_outcome outcome;
    int code;                          /**< once done; a callable that threw: 1 */
    std::optional<std::string> result; /**< what job_run::set_result set */
    bool detached;
    bool waited_for;
    bool delayed; /**< it waits for its time */
    int attempt;
    std::optional<std::string> progress; /**< what it last reported */
    unsigned long thread;                /**< the kernel's id, while it runs */
    /** Since it was queued; since it started, once it runs; how long it ran, once done. */
    std::chrono::duration<double> time;
    std::chrono::system_clock::time_point start_time; /**< when it was queued, or started once it has */
    std::optional<std::chrono::system_clock::time_point> end_time;
};

/** A queue at one moment. */
struct queue_info {
    explicit queue_info(const fj_queue_info &queue)
        : name(queue.name), description(queue.description), concurrency(queue.concurrency),
          scheduled(queue.scheduled), running(queue.running), done(queue.done), paused(queue.paused != 0),
          deleting(queue.deleting != 0)
    {
    }

    std::string name;
    std::string description;
    int concurrency;
    long long scheduled; /**< jobs that wait, for a worker or for their time */
    long long running;
    long long done; /**< and not collected */
    bool paused;
    bool deleting;
};

} // namespace fastjobs
#endif
