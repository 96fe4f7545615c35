/*
 * fjpp/queued_job.hpp - part of fastjobs.hpp: queued_job, the handle of a job of a named queue.
 */
#ifndef FASTJOBS_FJPP_QUEUED_JOB_HPP
#define FASTJOBS_FJPP_QUEUED_JOB_HPP

#include "queue.hpp"

namespace fastjobs
{

/** The result of a job of a queue, with one owner. Destroying it lets the job run, and collects it when it is
 * over; its exception, if nobody looked, goes to the exception handler. */
template <typename R> class queued_job
{
  public:
    queued_job() noexcept = default;
    queued_job(queued_job &&other) noexcept
        : queue_(std::move(other.queue_)), number_(other.number_), id_(std::move(other.id_)),
          collected_(std::exchange(other.collected_, fj_job_result{}))
    {
        other.queue_.reset();
    }
    queued_job &operator=(queued_job &&other) noexcept
    {
        queued_job(std::move(other)).swap(*this);
        return *this;
    }
    ~queued_job()
    {
        if (!valid())
            return;
        if (is_collected())
            detail::drop<R>(collected_);
        else
            static_cast<void>(fj_queue_on_done(
                queue_->get(), c_id(), [](fj_job_result *result, void *) { detail::drop<R>(*result); },
                nullptr));
    }

    void swap(queued_job &other) noexcept
    {
        std::swap(queue_, other.queue_);
        std::swap(number_, other.number_);
        std::swap(id_, other.id_);
        std::swap(collected_, other.collected_);
    }

    /** Whether there is a job: not after get(), then() or release(). */
    bool valid() const noexcept { return queue_.has_value(); }

    /** "job7", or the id that it was queued with. */
    std::string id() const
    {
        required();
        return detail::text_of(c_id());
    }

    /** Waits until the job is over. A job that waits for another one of its own queue lends it its place. */
    void wait() { static_cast<void>(collect(-1)); }
    /** Whether it was over in this time. */
    template <typename Rep, typename Period> bool wait_for(const std::chrono::duration<Rep, Period> &time)
    {
        return collect(detail::to_ms(time, 0));
    }

    /** Waits, then gives the result away or throws: the job's exception, job_cancelled, job_discarded. */
    R get()
    {
        wait();
        queue_.reset();
        return detail::collect<R>(collected_).get();
    }

    /** Calls callback(outcome<R>&&) when the job is over, in the thread in which it ended, or at once. The
     * handle is not valid afterwards. An exception of the callback goes to the exception handler. */
    template <typename Callback> void then(Callback &&callback)
    {
        using stored = std::decay_t<Callback>;
        required();
        auto held = std::make_unique<stored>(std::forward<Callback>(callback));
        if (is_collected()) {
            call(*held, collected_);
        } else {
            detail::handed(held.get());
            const auto done = [](fj_job_result *result, void *closure) {
                detail::taken(closure);
                const std::unique_ptr<stored> own(static_cast<stored *>(closure));
                call(*own, *result);
            };
            stored *closure = held.release(); /* it may be gone when the call returns */
            if (!fj_queue_on_done(queue_->get(), c_id(), done, closure)) {
                delete closure;
                throw error::last();
            }
        }
        queue_.reset();
    }

    /** Cancels it. Whether it runs; get() throws job_cancelled unless it was done. */
    bool cancel() { return required().cancel(id()); }

    job_info info() const { return required().job(id()); }
    job_output output() const { return required().output(id()); }

    /** Leaves the job in its queue, to be found there by its id. */
    std::string release()
    {
        std::string text = id();
        if (is_collected())
            throw error(FJ_EWAITED, "fastjobs::queued_job::release: it was collected");
        queue_.reset();
        return text;
    }

  private:
    friend class queue;

    queued_job(const fastjobs::queue &of, fj_job_id id)
        : queue_(of), number_(id.number), id_(id.text == nullptr ? "" : id.text)
    {
    }

    const fastjobs::queue &required() const
    {
        return valid() ? *queue_ : throw error(FJ_EINVAL, "fastjobs::queued_job: it has no job");
    }

    fj_job_id c_id() const noexcept
    {
        return number_ >= 0 ? fj_job_number(number_) : fj_job_named(id_.c_str());
    }

    bool is_collected() const noexcept { return collected_.outcome != FJ_OUTCOME_NONE; }

    bool collect(int timeout_ms)
    {
        const fastjobs::queue &of = required();
        return is_collected() || detail::in_time(fj_queue_wait(of.get(), c_id(), timeout_ms, &collected_));
    }

    template <typename Callback> static void call(Callback &callback, fj_job_result &result)
    {
        detail::guarded([&] { static_cast<void>(std::invoke(callback, detail::collect<R>(result))); },
                        detail::report_unhandled);
    }

    std::optional<fastjobs::queue> queue_;
    long long number_ = -1;
    std::string id_;
    fj_job_result collected_{};
};

} // namespace fastjobs
#endif
