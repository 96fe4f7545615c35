/*
 * fjpp/queue_work.hpp - part of fastjobs.hpp: the job of a named queue: how it is queued, what it knows of
 * itself, where it lives.
 */
#ifndef FASTJOBS_FJPP_QUEUE_WORK_HPP
#define FASTJOBS_FJPP_QUEUE_WORK_HPP

#include "job.hpp"

#include <chrono>
#include <climits>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fastjobs
{

/** The job whose result was asked for was cancelled, before it ran or while it did. code() is
 * FJ_OUTCOME_CANCELLED. */
class job_cancelled : public error
{
  public:
    job_cancelled() : error(FJ_OUTCOME_CANCELLED, "Job cancelled.") {}
};

/** Its set was closed before it ran. code() is FJ_OUTCOME_DISCARDED. */
class job_discarded : public error
{
  public:
    job_discarded() : error(FJ_OUTCOME_DISCARDED, "the set of queues was closed before the job ran") {}
};

/** How a job is queued. */
struct job_options {
    std::string id;                    /**< of its own; empty: the next number */
    bool head = false;                 /**< it runs before all that wait */
    std::chrono::milliseconds delay{}; /**< it does not start before */
    /** So long after its end it disappears uncollected; zero: as its queue says; negative: never. */
    std::chrono::milliseconds expire{};
    int max_attempts = 1;                  /**< how often it is tried in all, if it throws */
    std::chrono::milliseconds retry{};     /**< the pause after its first failure */
    double retry_factor = 2;               /**< by what the pause grows */
    std::chrono::milliseconds retry_max{}; /**< no pause is longer; zero: an hour */
};

/** A job of a queue as it runs: given to callables that take one. Not to be used after the callable has
 * returned; until then by any thread. */
class job_run
{
  public:
    explicit job_run(fj_run *run) noexcept : run_(run) {}

    /** The job that the calling thread runs, if it runs one of a queue. */
    static std::optional<job_run> current() noexcept
    {
        fj_run *run = fj_run_current();
        return run != nullptr ? std::optional<job_run>(job_run(run)) : std::nullopt;
    }

    /** "job7", or the id that it was queued with. */
    std::string id() const
    {
        const fj_job_id id = fj_run_id(run_);
        std::string text(fj_job_id_text(id, nullptr, 0), '\0');
        fj_job_id_text(id, text.data(), text.size() + 1);
        return text;
    }
    std::string queue_name() const { return fj_run_queue_name(run_); }
    /** How often it was tried, this time included. */
    int attempt() const noexcept { return fj_run_attempt(run_); }
    /** Whether it should return soon: it was cancelled, or its set has no more time. */
    bool is_cancelled() const noexcept { return fj_run_is_cancelled(run_) != 0; }
    /** What the set's on_thread_start returned in this thread. */
    void *thread_state() const noexcept { return fj_run_thread_state(run_); }
    /** Says how far it is, for listings. */
    void report(const std::string &progress) { require(fj_run_report(run_, progress.c_str())); }
    /** Writes to its output; never waits for a reader. */
    void write(std::string_view bytes) { require(fj_run_write(run_, bytes.data(), bytes.size())); }
    /** Bytes that listings and programs in other languages see; what the callable returns is apart from it.
     */
    void set_result(std::string_view bytes) { require(fj_run_set_result(run_, bytes.data(), bytes.size())); }
    fj_run *get() const noexcept { return run_; }

  private:
    static void require(int succeeded)
    {
        if (!succeeded)
            throw error::last();
    }

    fj_run *run_;
};

namespace detail
{

/** Milliseconds as the C API has them, rounded up; what is negative is `negative`. */
template <typename Rep, typename Period>
int to_ms(const std::chrono::duration<Rep, Period> &time, int negative) noexcept
{
    if (time < time.zero())
        return negative;
    if (time >= std::chrono::hours(24 * 24))
        return INT_MAX;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

inline fj_job_options to_c(const job_options &options, bool detached) noexcept
{
    fj_job_options c{};
    c.struct_size = sizeof c;
    c.id = options.id.c_str();
    c.detached = detached;
    c.head = options.head;
    c.delay_ms = to_ms(options.delay, -1);
    c.expire_ms = to_ms(options.expire, -1);
    c.max_attempts = options.max_attempts;
    c.retry_ms = to_ms(options.retry, -1);
    c.retry_factor = options.retry_factor;
    c.retry_max_ms = to_ms(options.retry_max, -1);
    return c;
}

template <typename Callable, bool TakesRun> struct queued_result {
    using type = std::invoke_result_t<Callable &, job_run>;
};
template <typename Callable> struct queued_result<Callable, false> {
    using type = std::invoke_result_t<Callable &>;
};
template <typename Callable>
using queued_result_of = typename queued_result<Callable, std::is_invocable_v<Callable &, job_run>>::type;

/** The state of a job of a queue, as whoever collects it knows it. */
template <typename R> struct queued_state {
    outcome<R> result;
    bool was_seen = false; /* the result was given to somebody */
};

template <typename R, typename Callable> struct queued_node : queued_state<R> {
    Callable work;

    template <typename Given> explicit queued_node(Given &&given) : work(std::forward<Given>(given)) {}

    /** Not copied by the library, so one for all jobs of the type. */
    static const fj_work *functions() noexcept
    {
        static const fj_work all = {sizeof(fj_work), "fastjobs.hpp", run, nullptr, release};
        return &all;
    }

  private:
    static int run(fj_run *run, void *state)
    {
        taken(state);
        auto *self = static_cast<queued_node *>(static_cast<queued_state<R> *>(state));
        const struct handing {
            void *state;
            ~handing() { handed(state); }
        } at_end{state};
        self->result.fill([&]() -> R {
            if constexpr (std::is_invocable_v<Callable &, job_run>)
                return std::invoke(self->work, job_run(run));
            else
                return std::invoke(self->work);
        });
        return self->result.ok() ? 0 : 1;
    }

    static void release(void *state)
    {
        taken(state);
        auto *self = static_cast<queued_node *>(static_cast<queued_state<R> *>(state));
        std::exception_ptr exception = self->was_seen ? nullptr : self->result.exception();
        node_deleter<queued_node>()(self);
        if (exception != nullptr)
            report_unhandled(exception); /* nothing is lost silently */
    }
};

/** A result that nobody wants. */
template <typename R> void drop(fj_job_result &collected)
{
    taken(collected.state);
    if (collected.outcome == FJ_OUTCOME_CANCELLED) /* what it threw is because of that */
        static_cast<queued_state<R> *>(collected.state)->was_seen = true;
    handed(collected.state);
    fj_job_result_free(&collected);
}

/** What came of a job, for its collector: moves the result out of the state, and gives the state back. */
template <typename R> outcome<R> collect(fj_job_result &collected)
{
    taken(collected.state);
    auto *state = static_cast<queued_state<R> *>(collected.state);
    outcome<R> result;
    state->was_seen = true;
    if (collected.outcome == FJ_OUTCOME_CANCELLED)
        result.fill([]() -> R { throw job_cancelled(); });
    else if (collected.outcome == FJ_OUTCOME_DISCARDED)
        result.fill([]() -> R { throw job_discarded(); });
    else
        result = std::move(state->result);
    handed(collected.state);
    fj_job_result_free(&collected);
    return result;
}

} // namespace detail
} // namespace fastjobs
#endif
