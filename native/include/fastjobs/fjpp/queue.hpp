/*
 * fjpp/queue.hpp - part of fastjobs.hpp: named queues: queue, what finishes, what a job writes.
 *
 * A callable is copied or moved into its job; move-only ones are fine. It is called as an lvalue, because a
 * job that fails may be tried again, and destroyed when nobody can see the job any more. What it returns or
 * throws is the handle's; what it throws in a job that nobody collects goes to the exception handler.
 */
#ifndef FASTJOBS_FJPP_QUEUE_HPP
#define FASTJOBS_FJPP_QUEUE_HPP

#include "queue_info.hpp"
#include "queue_work.hpp"

#include <memory>
#include <vector>

namespace fastjobs
{
namespace detail
{

struct queue_releaser {
    void operator()(fj_queue *queue) const noexcept { fj_queue_release(queue); }
};
using queue_ref = std::shared_ptr<fj_queue>;

/** False: the time is over. Throws what else went wrong. */
inline bool in_time(int succeeded)
{
    if (succeeded)
        return true;
    return fj_last_error_code() == FJ_ETIMEDOUT ? false : throw error::last();
}

} // namespace detail

/** What a job writes with job_run::write, as it comes. One reader, who may read on after the job's end. */
class job_output
{
  public:
    /** Takes at most `size` bytes. How many; 0: the job has ended and all is read. */
    std::size_t read(void *buffer, std::size_t size)
    {
        const long long got = fj_job_output_read(output_.get(), buffer, size, -1);
        return got >= 0 ? static_cast<std::size_t>(got) : throw error::last();
    }
    /** The same within a time; nothing if nothing has come. */
    template <typename Rep, typename Period>
    std::optional<std::size_t> read_for(void *buffer, std::size_t size,
                                        const std::chrono::duration<Rep, Period> &time)
    {
        const long long got = fj_job_output_read(output_.get(), buffer, size, detail::to_ms(time, 0));
        if (!detail::in_time(got >= 0))
            return std::nullopt;
        return static_cast<std::size_t>(got);
    }
    /** All that is to come, to the job's end. */
    std::string read_all()
    {
        std::string all;
        char some[4096];
        while (const std::size_t got = read(some, sizeof some))
            all.append(some, got);
        return all;
    }

  private:
    friend class queue;
    struct closer {
        void operator()(fj_job_output *output) const noexcept { fj_job_output_close(output); }
    };

    explicit job_output(fj_job_output *output) : output_(output)
    {
        if (output == nullptr)
            throw error::last();
    }

    std::unique_ptr<fj_job_output, closer> output_;
};

/** Tells of every job of a queue that is done and not collected. One thread at a time asks. */
class queue_feed
{
  public:
    /** The id of the next one; nothing when the time is over. Throws error FJ_ENOQUEUE when no more come. */
    template <typename Rep, typename Period>
    std::optional<std::string> next_for(const std::chrono::duration<Rep, Period> &time)
    {
        fj_job_id id;
        if (!detail::in_time(fj_queue_feed_next(feed_.get(), detail::to_ms(time, 0), &id)))
            return std::nullopt;
        return detail::text_of(id);
    }
    std::string next()
    {
        fj_job_id id;
        return fj_queue_feed_next(feed_.get(), -1, &id) ? detail::text_of(id) : throw error::last();
    }

  private:
    friend class queue;
    struct closer {
        void operator()(fj_queue_feed *feed) const noexcept { fj_queue_feed_close(feed); }
    };

    explicit queue_feed(fj_queue_feed *feed) : feed_(feed)
    {
        if (feed == nullptr)
            throw error::last();
    }

    std::unique_ptr<fj_queue_feed, closer> feed_;
};

template <typename R> class queued_job;

/** A reference to a named queue; a value. All members may be called from any thread, and throw error where
 * they fail: FJ_ENOQUEUE if the queue is gone, and what they say. */
class queue
{
  public:
    /** Takes over a reference of the C API. */
    explicit queue(fj_queue *reference) : queue_(reference, detail::queue_releaser()) {}

    /** Queues a job: callable() or callable(job_run). Throws FJ_EREFUSED, FJ_EEXIST (the id is taken) or
     * std::bad_alloc, and then what was moved is moved back. */
    template <typename Callable> auto add(Callable &&callable)
    {
        return add(job_options(), std::forward<Callable>(callable));
    }
    template <typename Callable> auto add(const job_options &options, Callable &&callable)
    {
        using result = detail::queued_result_of<std::decay_t<Callable>>;
        const fj_job_id id = hand_in(options, false, std::forward<Callable>(callable));
        return queued_job<result>(*this, id);
    }

    /** Queues a job that nobody waits for; what it throws goes to the exception handler. */
    template <typename Callable> void post(Callable &&callable)
    {
        post(job_options(), std::forward<Callable>(callable));
    }
    template <typename Callable> void post(const job_options &options, Callable &&callable)
    {
        hand_in(options, true, std::forward<Callable>(callable));
    }

    /** Cancels a job by its id. Whether it runs. Throws FJ_ENOJOB, FJ_EWAITED. */
    bool cancel(const std::string &id) const
    {
        const int running = fj_queue_cancel(get(), detail::id_of(id));
        return running >= 0 ? running != 0 : throw error::last();
    }
    bool exists(const std::string &id) const { return fj_queue_exists(get(), detail::id_of(id)) != 0; }

    /** Waits until some job is done and not collected, or none is left. */
    void wait_any() const { require(fj_queue_wait_any(get(), -1)); }
    /** Whether that was so in this time. */
    template <typename Rep, typename Period>
    bool wait_any_for(const std::chrono::duration<Rep, Period> &time) const
    {
        return detail::in_time(fj_queue_wait_any(get(), detail::to_ms(time, 0)));
    }

    void pause() const { require(fj_queue_pause(get())); }
    void resume() const { require(fj_queue_resume(get())); }
    void set_concurrency(int concurrency) const { require(fj_queue_set_concurrency(get(), concurrency)); }
    /** It takes no more jobs, and is gone when the last of those it has is collected. */
    void remove() const { require(fj_queue_delete(get())); }

    queue_info info() const
    {
        fj_queue_info figures{};
        figures.struct_size = sizeof figures;
        require(fj_queue_get_info(get(), &figures));
        return queue_info(figures);
    }
    /** The jobs in the order of queueing, each as it was at one moment. */
    std::vector<job_info> jobs() const
    {
        std::vector<job_info> all;
        detail::visiting<job_info, fj_job_info> visit{all, nullptr};
        require(fj_queue_list_jobs(get(), visit.function(), &visit) >= 0);
        visit.rethrow();
        return all;
    }
    /** One of them; throws FJ_ENOJOB. */
    job_info job(const std::string &id) const
    {
        std::vector<job_info> one;
        detail::visiting<job_info, fj_job_info> visit{one, nullptr};
        require(fj_queue_visit_job(get(), detail::id_of(id), visit.function(), &visit));
        visit.rethrow();
        return std::move(one.front());
    }
    job_output output(const std::string &id) const
    {
        return job_output(fj_queue_output(get(), detail::id_of(id)));
    }
    queue_feed feed() const { return queue_feed(fj_queue_feed_open(get())); }

    /** The reference, which stays this object's. */
    fj_queue *get() const noexcept { return queue_.get(); }

  private:
    static void require(int succeeded)
    {
        if (!succeeded)
            throw error::last();
    }

    template <typename Callable>
    fj_job_id hand_in(const job_options &options, bool detached, Callable &&callable)
    {
        using stored = std::decay_t<Callable>;
        using node_type = detail::queued_node<detail::queued_result_of<stored>, stored>;
        using state_type = detail::queued_state<detail::queued_result_of<stored>>;
        auto node = detail::make_node<node_type>(std::forward<Callable>(callable));
        state_type *state = node.get();
        const fj_job_options c = detail::to_c(options, detached);
        fj_job_id id;
        detail::handed(state);
        if (!fj_queue_add(get(), node_type::functions(), state, &c, &id)) {
            const error failed = error::last();
            detail::give_back_one<stored, Callable>(node->work, callable);
            throw failed;
        }
        static_cast<void>(node.release()); /* the library's */
        return id;
    }

    detail::queue_ref queue_;
};

} // namespace fastjobs
#endif
