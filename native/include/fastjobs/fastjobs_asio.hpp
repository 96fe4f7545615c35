/*
 * fastjobs_asio.hpp - pools of FastJobs as executors of Boost.Asio (1.74 or later).
 *
 *     fastjobs::executor_context context(fastjobs::pool::cpu());
 *     boost::asio::post(context.get_executor(), [] { … });
 *     context.join();
 *
 * executor is an execution::executor: post, dispatch, defer, strand, co_spawn, any_io_executor and the I/O
 * objects take it. Asio's services need an execution_context, which executor_context is; it also counts the
 * work that is under way, so that its destructor can wait for it.
 */
#ifndef FASTJOBS_FASTJOBS_ASIO_HPP
#define FASTJOBS_FASTJOBS_ASIO_HPP

#include "fastjobs.hpp"

#include <utility> /* Asio 1.74's awaitable uses std::exchange without it */

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

namespace fastjobs
{

class executor_context;

namespace detail
{

/** How an executor goes about its handlers: values of Asio's properties. */
struct executor_bits {
    bool never_blocks = false;
    bool continues = false;
};

template <bool Tracked> class basic_executor;

} // namespace detail

/** Submits handlers to a pool. An executor compares equal to one of the same context, pool and properties. It
 * must not outlive its context. execute() throws error if the pool takes no more. */
using executor = detail::basic_executor<false>;

/** The place where Asio keeps its services, and the count of handlers that are queued, run, or are promised
 * by an executor with outstanding_work.tracked. Handlers that throw: the exception goes to the exception
 * handler. */
class executor_context : public boost::asio::execution_context
{
  public:
    using executor_type = executor;

    explicit executor_context(pool to) noexcept : pool_(to) {}

    /** Waits as join() does. A context that one of its own handlers destroys ends the program. */
    ~executor_context()
    {
        if (runs_here()) {
            detail::report_unhandled(std::make_exception_ptr(own_handler()));
            std::terminate();
        }
        await_all();
        shutdown(); /* Asio's services */
        await_all();
        destroy();
    }

    /** An executor for the context's pool. */
    executor get_executor() noexcept;
    /** An executor for another pool. */
    executor get_executor(pool to) noexcept;

    /** Waits until no handler is queued or runs and no tracked work is outstanding. Throws error FJ_EDEADLK
     * in one of its handlers. */
    void join()
    {
        if (runs_here())
            throw own_handler();
        await_all();
    }

  private:
    template <bool> friend class detail::basic_executor;

    static error own_handler()
    {
        return error(FJ_EDEADLK, "fastjobs::executor_context: one of its handlers would wait for itself");
    }

    bool runs_here() const noexcept { return detail::frame::any(this); }

    void await_all()
    {
        while (!pending_.idle())
            pending_.sleep_unless([] { return false; });
        const std::lock_guard<std::mutex> behind_the_last(pending_.lock());
    }

    pool pool_;
    detail::pending pending_;
};

namespace detail
{

namespace properties = boost::asio::execution;

template <bool Tracked> class basic_executor
{
  public:
    basic_executor(executor_context &context, pool to, executor_bits bits) noexcept
        : context_(&context), pool_(to), bits_(bits)
    {
        started();
    }
    basic_executor(const basic_executor &other) noexcept
        : context_(other.context_), pool_(other.pool_), bits_(other.bits_)
    {
        started();
    }
    basic_executor(basic_executor &&other) noexcept
        : context_(other.context_), pool_(other.pool_), bits_(other.bits_)
    {
        if constexpr (Tracked)
            other.context_ = nullptr;
    }
    basic_executor &operator=(const basic_executor &other) noexcept
    {
        basic_executor(other).swap(*this);
        return *this;
    }
    basic_executor &operator=(basic_executor &&other) noexcept
    {
        basic_executor(std::move(other)).swap(*this);
        return *this;
    }
    ~basic_executor() { finished(); }

    void swap(basic_executor &other) noexcept
    {
        std::swap(context_, other.context_);
        std::swap(pool_, other.pool_);
        std::swap(bits_, other.bits_);
    }

    /** Runs the handler in a worker of the pool; with blocking.possibly, in a worker of the pool that runs a
     * handler of the context now: at once. */
    template <typename Handler> void execute(Handler &&handler) const
    {
        if (!bits_.never_blocks && running_in_this_thread()) {
            std::decay_t<Handler> own(std::forward<Handler>(handler));
            guarded([&] { own(); }, report_unhandled);
            return;
        }
        using node_type = handler_node<std::decay_t<Handler>>;
        node_ptr<node_type> node = make_node<node_type>(*context_, std::forward<Handler>(handler));
        queue(*node, pool_);
        static_cast<void>(node.release());
    }

    /** Whether this thread runs a handler of the context, submitted to this pool. */
    bool running_in_this_thread() const noexcept { return frame::directly(context_, pool_.job_class()); }

    executor_context &context() const noexcept { return *context_; }

    /* ---- Asio's properties; called by boost::asio::require, prefer and query ---- */

    basic_executor require(properties::blocking_t::possibly_t) const noexcept
    {
        return with(false, bits_.continues);
    }
    basic_executor require(properties::blocking_t::never_t) const noexcept
    {
        return with(true, bits_.continues);
    }
    basic_executor require(properties::relationship_t::fork_t) const noexcept
    {
        return with(bits_.never_blocks, false);
    }
    basic_executor require(properties::relationship_t::continuation_t) const noexcept
    {
        return with(bits_.never_blocks, true);
    }
    basic_executor<true> require(properties::outstanding_work_t::tracked_t) const noexcept
    {
        return {*context_, pool_, bits_};
    }
    basic_executor<false> require(properties::outstanding_work_t::untracked_t) const noexcept
    {
        return {*context_, pool_, bits_};
    }

    executor_context &query(properties::context_t) const noexcept { return *context_; }
    static constexpr properties::mapping_t query(properties::mapping_t) noexcept
    {
        return properties::mapping.thread;
    }
    properties::blocking_t query(properties::blocking_t) const noexcept
    {
        return bits_.never_blocks ? properties::blocking_t(properties::blocking.never)
                                  : properties::blocking_t(properties::blocking.possibly);
    }
    properties::relationship_t query(properties::relationship_t) const noexcept
    {
        return bits_.continues ? properties::relationship_t(properties::relationship.continuation)
                               : properties::relationship_t(properties::relationship.fork);
    }
    static constexpr properties::outstanding_work_t query(properties::outstanding_work_t) noexcept
    {
        return Tracked ? properties::outstanding_work_t(properties::outstanding_work.tracked)
                       : properties::outstanding_work_t(properties::outstanding_work.untracked);
    }

    friend bool operator==(const basic_executor &a, const basic_executor &b) noexcept
    {
        return a.context_ == b.context_ && a.pool_ == b.pool_ &&
               a.bits_.never_blocks == b.bits_.never_blocks && a.bits_.continues == b.bits_.continues;
    }
    friend bool operator!=(const basic_executor &a, const basic_executor &b) noexcept { return !(a == b); }

  private:
    /** A handler in the pool. It counts in the context from its making to its end. */
    template <typename Handler> struct handler_node : ec_async_job {
        /** The count's end is the last that the worker does with the context: behind the handler's. */
        struct counted {
            executor_context *context;
            explicit counted(executor_context &of) noexcept : context(&of) { of.pending_.add(); }
            counted(counted &&other) noexcept : context(std::exchange(other.context, nullptr)) {}
            counted &operator=(counted &&) = delete;
            ~counted()
            {
                if (context != nullptr)
                    context->pending_.finish();
            }
        } count;
        Handler handler;

        template <typename Given>
        handler_node(executor_context &context, Given &&given)
            : ec_async_job{}, count(context), handler(std::forward<Given>(given))
        {
            worker = [](ec_async_job *job, void *) {
                node_ptr<handler_node> self(static_cast<handler_node *>(job));
                const counted until_end = std::move(self->count);
                const frame inside(until_end.context, job->job_class);
                /** Asio's memory for handlers is used again by what the handler starts, if it is free by
                 * then.
                 */
                guarded(
                    [&] {
                        Handler own(std::move(self->handler));
                        self.reset();
                        own();
                    },
                    report_unhandled);
            };
        }
    };

    basic_executor with(bool never_blocks, bool continues) const noexcept
    {
        executor_bits bits;
        bits.never_blocks = never_blocks;
        bits.continues = continues;
        return {*context_, pool_, bits};
    }

    void started() noexcept
    {
        if constexpr (Tracked)
            if (context_ != nullptr)
                context_->pending_.add();
    }
    void finished() noexcept
    {
        if constexpr (Tracked)
            if (context_ != nullptr)
                context_->pending_.finish();
    }

    executor_context *context_; /* null in a tracked one that was moved from */
    pool pool_;
    executor_bits bits_;
};

} // namespace detail

inline executor executor_context::get_executor() noexcept
{
    return {*this, pool_, {}};
}
inline executor executor_context::get_executor(pool to) noexcept
{
    return {*this, to, {}};
}

} // namespace fastjobs
#endif
