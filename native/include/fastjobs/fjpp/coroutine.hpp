/*
 * fjpp/coroutine.hpp - part of fastjobs.hpp: co_await a pool, or a callable's run in it. C++20, and only with
 * a compiler that has its coroutines (FASTJOBS_HAS_COROUTINES is 1 then).
 *
 * The job is part of the awaiter, which is part of the coroutine's frame: nothing is allocated. As soon as a
 * job is queued, the coroutine may run in a worker and the frame may be gone, so nothing here touches the
 * awaiter afterwards. For the same reason a coroutine must not be destroyed while it waits here.
 */
#ifndef FASTJOBS_FJPP_COROUTINE_HPP
#define FASTJOBS_FJPP_COROUTINE_HPP

#include "job.hpp"

#if defined(__cpp_impl_coroutine) && __has_include(<coroutine>)
#define FASTJOBS_HAS_COROUTINES 1
#include <coroutine>

namespace fastjobs
{

/** Where a coroutine goes on after run(). */
enum class resume_on {
    worker,   /* in the thread that ran the callable */
    scheduler /* in the library's scheduler thread: do not block there */
};

namespace detail
{

/** What leaves the coroutine by its promise's unhandled_exception is nobody's. */
inline void resume(void *frame)
{
    guarded([&] { std::coroutine_handle<>::from_address(frame).resume(); }, report_unhandled);
}

class schedule_awaiter : ec_async_job
{
  public:
    explicit schedule_awaiter(const target &to) noexcept : ec_async_job{}, to_(to)
    {
        worker = [](ec_async_job *job, void *frame) {
            (void)job;
            resume(frame);
        };
    }
    schedule_awaiter(const schedule_awaiter &) = delete;
    schedule_awaiter &operator=(const schedule_awaiter &) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine)
    {
        closure = coroutine.address();
        queue(*this, target(to_));
    }
    void await_resume() const noexcept {}

  private:
    target to_;
};

template <typename R, typename Work> class run_awaiter : ec_async_job
{
  public:
    template <typename... Given>
    run_awaiter(const target &to, resume_on where, Given &&...given)
        : ec_async_job{}, to_(to), work_(std::in_place, std::forward<Given>(given)...)
    {
        if (where == resume_on::scheduler) {
            completion = ECTP_COMPLETE_CALLBACK_SCHED;
            r.cb.func = [](ec_async_job *job, void *frame) {
                (void)job;
                resume(frame);
            };
            worker = [](ec_async_job *job, void *) { static_cast<run_awaiter *>(job)->fill(); };
        } else {
            worker = [](ec_async_job *job, void *frame) {
                static_cast<run_awaiter *>(job)->fill();
                resume(frame);
            };
        }
    }
    run_awaiter(const run_awaiter &) = delete;
    run_awaiter &operator=(const run_awaiter &) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine)
    {
        closure = r.cb.closure = coroutine.address();
        queue(*this, target(to_));
    }
    R await_resume() { return result_.get(); }

  private:
    void fill()
    {
        result_.fill([this]() -> R { return work_(); });
    }

    target to_;
    outcome<R> result_;
    Work work_;
};

} // namespace detail

/** co_await schedule(pool): the coroutine goes on in a worker of the pool. Throws error at the co_await, in
 * the thread it was in, if the pool does not take it. In a pool of concurrency 0, and in short_lived(), it
 * goes on at once, inside the co_await. */
[[nodiscard]] inline detail::schedule_awaiter schedule(target to)
{
    return detail::schedule_awaiter(to);
}

/** co_await run(pool, callable, arguments...): runs it in the pool; the value of the expression is its
 * result, or its exception is thrown there. The coroutine goes on in the worker that ran it. If the pool does
 * not take it, throws error, and what was moved into the expression is lost. */
template <typename Callable, typename... Arguments>
[[nodiscard]] auto run(target to, Callable &&callable, Arguments &&...arguments)
    -> detail::run_awaiter<detail::result_of<Callable, Arguments...>,
                           detail::bound_of<Callable, Arguments...>>
{
    return {to, resume_on::worker, std::forward<Callable>(callable), std::forward<Arguments>(arguments)...};
}

/** The same, with a say in where the coroutine goes on. */
template <typename Callable, typename... Arguments>
[[nodiscard]] auto run(target to, resume_on where, Callable &&callable, Arguments &&...arguments)
    -> detail::run_awaiter<detail::result_of<Callable, Arguments...>,
                           detail::bound_of<Callable, Arguments...>>
{
    return {to, where, std::forward<Callable>(callable), std::forward<Arguments>(arguments)...};
}

} // namespace fastjobs

#else
#define FASTJOBS_HAS_COROUTINES 0
#endif
#endif
