/*
 * fjpp/queue_set.hpp - part of fastjobs.hpp: sets of named queues: hooks, settings, the end.
 */
#ifndef FASTJOBS_FJPP_QUEUE_SET_HPP
#define FASTJOBS_FJPP_QUEUE_SET_HPP

#include "queued_job.hpp"

#include <functional>

namespace fastjobs
{

/** What a set is told when it is made. The functions are called in the set's threads, the log in any; they
 * may be empty. An exception of theirs goes to the exception handler. */
struct queue_set_options {
    std::string name = "queue"; /**< of its threads, up to 11 bytes */
    std::optional<fj_queue_settings> settings;
    std::function<void *()> on_thread_start; /**< what it returns is job_run::thread_state */
    std::function<void(void *)> after_job;   /**< gets the same, as the next one */
    std::function<void(void *)> on_thread_exit;
    std::function<void(const fj_queue_event &)> log;
};

/** How a queue is made. */
struct queue_options {
    std::string name;
    std::string description;
    int concurrency = 4; /**< how many of its jobs run at once */
    std::chrono::milliseconds
        expire{}; /**< so long after their end jobs disappear uncollected; zero: never */
};

/** Queues that share worker threads. The destructor closes it: it runs what is queued and waits for that, so
 * it must not be called by one of its jobs. Its queues can be referred to for longer, but not used. */
class queue_set
{
  public:
    queue_set() : queue_set(queue_set_options()) {}
    explicit queue_set(queue_set_options options)
        : hooks_(std::make_unique<queue_set_options>(std::move(options)))
    {
        fj_queue_set_options c{};
        c.struct_size = sizeof c;
        c.name = hooks_->name.c_str();
        c.settings = hooks_->settings ? &*hooks_->settings : nullptr;
        c.on_thread_start = hooks_->on_thread_start ? start : nullptr;
        c.after_job = hooks_->after_job ? after : nullptr;
        c.on_thread_exit = hooks_->on_thread_exit ? exit : nullptr;
        c.log = hooks_->log ? log : nullptr;
        c.closure = hooks_.get();
        set_.reset(fj_queue_set_create(&c));
        if (set_ == nullptr)
            throw error::last();
    }
    queue_set(queue_set &&) noexcept = default;
    queue_set &operator=(queue_set &&) = delete;
    ~queue_set()
    {
        if (set_ != nullptr && fj_queue_set_close(set_.get(), -1) < 0)
            detail::report_unhandled(std::make_exception_ptr(error::last()));
    }

    /** Makes a queue. Throws FJ_EEXIST, FJ_EREFUSED, FJ_EINVAL. */
    queue create(const queue_options &options) const
    {
        fj_queue_options c{};
        c.struct_size = sizeof c;
        c.name = options.name.c_str();
        c.description = options.description.c_str();
        c.concurrency = options.concurrency;
        c.expire_ms = detail::to_ms(options.expire, 0);
        return made(fj_queue_create(set_.get(), &c));
    }
    queue create(const std::string &name, int concurrency = 4) const
    {
        queue_options options;
        options.name = name;
        options.concurrency = concurrency;
        return create(options);
    }
    /** The queue of this name. Throws FJ_ENOQUEUE. */
    queue find(const std::string &name) const { return made(fj_queue_find(set_.get(), name.c_str())); }

    /** The queues, in the order in which they were made. */
    std::vector<queue_info> queues() const
    {
        std::vector<queue_info> all;
        detail::visiting<queue_info, fj_queue_info> visit{all, nullptr};
        require(fj_queue_set_list(set_.get(), visit.function(), &visit) >= 0);
        visit.rethrow();
        return all;
    }
    fj_queue_threads threads() const
    {
        fj_queue_threads figures{};
        figures.struct_size = sizeof figures;
        require(fj_queue_set_threads(set_.get(), &figures));
        return figures;
    }
    fj_queue_settings settings() const
    {
        fj_queue_settings now{};
        now.struct_size = sizeof now;
        require(fj_queue_set_settings(set_.get(), &now));
        return now;
    }
    void configure(fj_queue_settings settings) const
    {
        settings.struct_size = sizeof settings;
        require(fj_queue_set_configure(set_.get(), &settings));
    }
    /** An id that no queue has and that is never given again. */
    std::string new_id() const
    {
        char id[64];
        require(fj_queue_set_new_id(set_.get(), id, sizeof id));
        return id;
    }

    /** Takes no more jobs and runs those it has for at most so long; then discards those that wait, cancels
     * those that run, and waits for the threads. How many were discarded. */
    template <typename Rep, typename Period>
    long long close_for(const std::chrono::duration<Rep, Period> &time) const
    {
        return closed(fj_queue_set_close(set_.get(), detail::to_ms(time, 0)));
    }
    /** The same without an end to the time. */
    void close() const { static_cast<void>(closed(fj_queue_set_close(set_.get(), -1))); }

    /** The set, which stays this object's. */
    fj_queue_set *get() const noexcept { return set_.get(); }

  private:
    struct freer {
        void operator()(fj_queue_set *set) const noexcept { fj_queue_set_free(set); }
    };

    static void require(int succeeded)
    {
        if (!succeeded)
            throw error::last();
    }
    static queue made(fj_queue *reference)
    {
        return reference != nullptr ? queue(reference) : throw error::last();
    }
    static long long closed(long long discarded) { return discarded >= 0 ? discarded : throw error::last(); }

    static queue_set_options &of(void *closure) noexcept
    {
        return *static_cast<queue_set_options *>(closure);
    }
    static void *start(void *closure)
    {
        void *state = nullptr;
        detail::guarded([&] { state = of(closure).on_thread_start(); }, detail::report_unhandled);
        return state;
    }
    static void after(void *state, void *closure)
    {
        detail::guarded([&] { of(closure).after_job(state); }, detail::report_unhandled);
    }
    static void exit(void *state, void *closure)
    {
        detail::guarded([&] { of(closure).on_thread_exit(state); }, detail::report_unhandled);
    }
    static void log(const fj_queue_event *event, void *closure)
    {
        detail::guarded([&] { of(closure).log(*event); }, detail::report_unhandled);
    }

    std::unique_ptr<queue_set_options> hooks_; /* outlives the set */
    std::unique_ptr<fj_queue_set, freer> set_;
};

} // namespace fastjobs
#endif
