/*
 * fjpp/submit.hpp - part of fastjobs.hpp: post and submit.
 *
 * Everywhere: the callable and its arguments are copied or moved into the job, as std::thread does, and the
 * call is std::invoke(callable, arguments...) with rvalues. Move-only callables are fine. They are destroyed
 * before the result is delivered. A submit that fails throws error (the code and text of fj_last_error) or
 * std::bad_alloc, and then what was moved is moved back (if its type moves without throwing), so that the
 * caller has it still.
 *
 * A job's thread belongs to the pool. A callable that ends it (pthread_exit) leaves an error in its
 * task_handle or group and a broken promise in its future; a callback after it is not called. The pool
 * replaces the thread.
 */
#ifndef FASTJOBS_FJPP_SUBMIT_HPP
#define FASTJOBS_FJPP_SUBMIT_HPP

#include "job.hpp"

#include <cstring>
#include <future>
#include <new>

namespace fastjobs
{

/** A completion for submit: called in the worker thread, right after the job. */
template <typename Callback> struct on_worker {
    Callback callback;
    explicit on_worker(Callback given) : callback(std::move(given)) {}
};
/** A completion for submit: called in the library's scheduler thread. One thread runs all of these, in the
 * order in which their jobs ended; what blocks it holds up the others. */
template <typename Callback> struct on_scheduler {
    Callback callback;
    explicit on_scheduler(Callback given) : callback(std::move(given)) {}
};

namespace detail
{

/** Completion NONE and no memory type: the library does not look at the job once its worker runs, so the
 * worker frees it. */
template <typename Work> struct post_node : ec_async_job {
    Work work;

    template <typename... Given>
    explicit post_node(Given &&...given) : ec_async_job{}, work(std::in_place, std::forward<Given>(given)...)
    {
        worker = [](ec_async_job *job, void *) {
            const node_ptr<post_node> self(static_cast<post_node *>(job));
            guarded([&] { static_cast<void>(self->work()); }, report_unhandled);
        };
    }
};

template <typename R, typename Work> struct promise_node : ec_async_job {
    std::promise<R> promise{std::allocator_arg, node_allocator<char>()};
    Work work;

    template <typename... Given>
    explicit promise_node(Given &&...given)
        : ec_async_job{}, work(std::in_place, std::forward<Given>(given)...)
    {
        worker = run;
    }

    static void run(ec_async_job *job, void *)
    {
        node_ptr<promise_node> self(static_cast<promise_node *>(job));
        std::promise<R> promised = std::move(self->promise);
        outcome<R> result;
        result.fill([&]() -> R { return self->work(); });
        self.reset(); /* who waits for the future may count on the callable's end */
        guarded(
            [&] {
                if constexpr (std::is_void_v<R>) {
                    result.get();
                    promised.set_value();
                } else {
                    promised.set_value(result.get());
                }
            },
            [&](std::exception_ptr exception) { promised.set_exception(std::move(exception)); });
    }
};

template <typename Callback, typename R> void call_back(Callback &callback, outcome<R> &result)
{
    guarded([&] { static_cast<void>(std::invoke(std::move(callback), std::move(result))); },
            report_unhandled);
}

template <typename R, typename Work, typename Callback> struct worker_callback_node : ec_async_job {
    Callback callback;
    Work work;

    template <typename... Given>
    explicit worker_callback_node(Callback &&then, Given &&...given)
        : ec_async_job{}, callback(std::move(then)), work(std::in_place, std::forward<Given>(given)...)
    {
        worker = [](ec_async_job *job, void *) {
            node_ptr<worker_callback_node> self(static_cast<worker_callback_node *>(job));
            outcome<R> result;
            result.fill([&]() -> R { return self->work(); });
            Callback last = std::move(self->callback);
            self.reset();
            call_back(last, result);
        };
    }
};

/** With a completion the job is its owner's again when the callback is called. */
template <typename R, typename Work, typename Callback> struct scheduler_callback_node : ec_async_job {
    Callback callback;
    outcome<R> result;
    by_hand<Work> work;

    template <typename... Given>
    explicit scheduler_callback_node(Callback &&then, Given &&...given)
        : ec_async_job{}, callback(std::move(then)),
          work(std::in_place, std::in_place, std::forward<Given>(given)...)
    {
        completion = ECTP_COMPLETE_CALLBACK_SCHED;
        worker = [](ec_async_job *job, void *) {
            auto *self = static_cast<scheduler_callback_node *>(job);
            const struct ending {
                scheduler_callback_node *node;
                ~ending() { node->work.end(); }
            } at_end{self};
            self->result.fill([&]() -> R { return self->work.value(); });
        };
        r.cb.func = [](ec_async_job *job, void *) {
            const node_ptr<scheduler_callback_node> self(static_cast<scheduler_callback_node *>(job));
            call_back(self->callback, self->result);
        };
    }
};

} // namespace detail

/** Runs callable(arguments...) in the pool; its result is dropped, an exception goes to the exception
 * handler. No allocation once warm, if callable and arguments fit 224 bytes. */
template <typename Callable, typename... Arguments>
void post(target to, Callable &&callable, Arguments &&...arguments)
{
    using node_type = detail::post_node<detail::bound_of<Callable, Arguments...>>;
    auto node =
        detail::make_node<node_type>(std::forward<Callable>(callable), std::forward<Arguments>(arguments)...);
    detail::queue<Callable, Arguments...>(*node, to, node->work, callable, arguments...);
    static_cast<void>(node.release()); /* the library's */
}

/** Runs callable() in the pool as a call (fj_call): no job struct, no allocation, half the price of post. For
 * callables that are trivially copyable and no larger than a pointer: a lambda that captures nothing, a
 * pointer or a reference. An exception goes to the exception handler. Throws error. */
template <typename Callable> void call(const pool &to, Callable callable)
{
    static_assert(sizeof(Callable) <= sizeof(void *) && std::is_trivially_copyable_v<Callable>,
                  "fastjobs::call: the callable has to be trivially copyable and to fit a pointer; use post");
    void *closure = nullptr;
    if constexpr (!std::is_empty_v<Callable>)
        std::memcpy(&closure, std::addressof(callable), sizeof callable);
    const int taken = fj_call(
        to.job_class(),
        [](void *given) {
            alignas(Callable) unsigned char bytes[sizeof(Callable)];
            std::memcpy(bytes, &given, sizeof bytes);
            Callable &work = *std::launder(reinterpret_cast<Callable *>(bytes));
            detail::guarded([&] { static_cast<void>(std::invoke(std::move(work))); },
                            detail::report_unhandled);
        },
        closure);
    if (taken == 0)
        throw error::last();
}

/** The same with a std::future of the result or exception. The future's shared state comes from the library's
 * memory types too, so this costs no malloc, but three allocations of theirs and what std::future does to
 * wait; start() in task.hpp is the cheaper one. Dropping the future drops the result. */
template <typename Callable, typename... Arguments>
auto submit(target to, Callable &&callable, Arguments &&...arguments)
    -> std::future<detail::result_of<Callable, Arguments...>>
{
    using result = detail::result_of<Callable, Arguments...>;
    using node_type = detail::promise_node<result, detail::bound_of<Callable, Arguments...>>;
    auto node =
        detail::make_node<node_type>(std::forward<Callable>(callable), std::forward<Arguments>(arguments)...);
    std::future<result> future = node->promise.get_future();
    detail::queue<Callable, Arguments...>(*node, to, node->work, callable, arguments...);
    static_cast<void>(node.release());
    return future;
}

/** The same with a callback that gets an outcome<R>&&, R being what the callable returns: in the worker,
 * submit(pool, on_worker(callback), callable, arguments...). An exception of the callback goes to the
 * exception handler. If the submit fails the callback is not called, and is lost. */
template <typename Callback, typename Callable, typename... Arguments>
void submit(target to, on_worker<Callback> then, Callable &&callable, Arguments &&...arguments)
{
    using node_type = detail::worker_callback_node<detail::result_of<Callable, Arguments...>,
                                                   detail::bound_of<Callable, Arguments...>, Callback>;
    auto node = detail::make_node<node_type>(std::move(then.callback), std::forward<Callable>(callable),
                                             std::forward<Arguments>(arguments)...);
    detail::queue<Callable, Arguments...>(*node, to, node->work, callable, arguments...);
    static_cast<void>(node.release());
}

/** The same in the scheduler thread: submit(pool, on_scheduler(callback), callable, arguments...). */
template <typename Callback, typename Callable, typename... Arguments>
void submit(target to, on_scheduler<Callback> then, Callable &&callable, Arguments &&...arguments)
{
    using node_type = detail::scheduler_callback_node<detail::result_of<Callable, Arguments...>,
                                                      detail::bound_of<Callable, Arguments...>, Callback>;
    auto node = detail::make_node<node_type>(std::move(then.callback), std::forward<Callable>(callable),
                                             std::forward<Arguments>(arguments)...);
    try {
        detail::queue<Callable, Arguments...>(*node, to, node->work.value, callable, arguments...);
    } catch (...) {
        node->work.end();
        throw;
    }
    static_cast<void>(node.release());
}

} // namespace fastjobs
#endif
