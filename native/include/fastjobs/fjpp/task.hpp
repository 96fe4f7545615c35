/*
 * fjpp/task.hpp - part of fastjobs.hpp: start and task_handle, a result to wait for that costs no more memory
 * than the job.
 *
 * Such a job has two owners, the pool (until it has come to the job) and the handle. Either may run it: the
 * first to claim it. The other then only lets go, and the last to let go frees it: docs/protocols.md#group.
 */
#ifndef FASTJOBS_FJPP_TASK_HPP
#define FASTJOBS_FJPP_TASK_HPP

#include "claim.hpp"
#include "job.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>

namespace fastjobs
{
namespace detail
{

/** The waiter of a task, on its thread's stack. */
struct sleeping_waiter {
    sem_t woken;
    sleeping_waiter() { sem_init(&woken, 0, 0); }
    sleeping_waiter(const sleeping_waiter &) = delete;
    sleeping_waiter &operator=(const sleeping_waiter &) = delete;
    ~sleeping_waiter() { sem_destroy(&woken); }
};

/** A task as its handle knows it. */
template <typename R> class task_state : public claimable
{
  public:
    enum class what { run, free_memory };

    task_state(ec_thread_pool_work_func from_pool, void (*act)(task_state *, what)) noexcept
        : claimable(from_pool), act_(act)
    {
    }

    outcome<R> result;

    bool settled() const noexcept { return waiter_.load(std::memory_order_acquire) == settled_mark(); }

    /** By the claimer: runs the callable and ends it, then lets a waiter know. */
    void run()
    {
        const struct settling {
            task_state *task;
            ~settling() { task->settle(); }
        } at_end{this};
        act_(this, what::run);
    }

    void release()
    {
        if (!let_go())
            return;
        /** Nobody has looked at it: nothing is lost silently. */
        if (std::exception_ptr exception = result.exception())
            report_unhandled(exception);
        act_(this, what::free_memory);
    }

    /** Waits until it is settled; with a deadline (CLOCK_REALTIME, as sem_timedwait has it) false when that
     * has passed. */
    bool sleep(const timespec *deadline)
    {
        sleeping_waiter self;
        void *expected = nullptr;
        /** Release: the settler uses the semaphore. Acquire: or the result is there. */
        if (!waiter_.compare_exchange_strong(expected, &self, std::memory_order_acq_rel))
            return true;
        int woken;
        do {
            woken = deadline == nullptr ? sem_wait(&self.woken) : sem_timedwait(&self.woken, deadline);
        } while (woken != 0 && errno == EINTR);
        if (woken == 0)
            return true;
        expected = &self;
        if (waiter_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel))
            return false;
        while (sem_wait(&self.woken) != 0) {
            /* the settler has the semaphore's address: its post comes */
        }
        return true;
    }

  private:
    void *settled_mark() const noexcept { return const_cast<task_state *>(this); }

    /** Afterwards only let_go may touch the task. */
    void settle() noexcept
    {
        void *waiter = waiter_.exchange(settled_mark(), std::memory_order_acq_rel); /* pairs with sleep */
        if (waiter != nullptr)
            sem_post(&static_cast<sleeping_waiter *>(waiter)->woken);
    }

    std::atomic<void *> waiter_{nullptr}; /* null, a sleeping_waiter, or this: settled */
    void (*act_)(task_state *, what);
};

template <typename R, typename Work> class task_node : public task_state<R>
{
    using base = task_state<R>;

  public:
    by_hand<Work> work;

    template <typename... Given>
    explicit task_node(Given &&...given)
        : base(from_pool, act), work(std::in_place, std::in_place, std::forward<Given>(given)...)
    {
    }

  private:
    static void from_pool(ec_async_job *job, void *)
    {
        auto *self = static_cast<task_node *>(job);
        const struct letting_go {
            base *task;
            ~letting_go() { task->release(); }
        } at_end{self};
        if (self->claim())
            self->run();
    }

    static void act(base *task, typename base::what what)
    {
        auto *self = static_cast<task_node *>(task);
        if (what == base::what::free_memory) {
            node_deleter<task_node>()(self);
            return;
        }
        const struct ending {
            by_hand<Work> &work;
            ~ending() { work.end(); }
        } at_end{self->work};
        self->result.fill([&]() -> R { return self->work.value(); });
    }
};

} // namespace detail

/** The result of a job to be: like std::future, in the job's own memory, with one owner. A handle that waits
 * for a job which no worker has begun runs it itself, in its own thread (and beyond the pool's concurrency);
 * so a job may wait for what it started, in a pool of any concurrency. Do not hold a lock that the job takes
 * while you wait. Destroying a handle lets the job run; its exception, if nobody looked, goes to the
 * exception handler. */
template <typename R> class task_handle
{
  public:
    task_handle() noexcept = default;
    task_handle(task_handle &&other) noexcept : task_(std::exchange(other.task_, nullptr)) {}
    task_handle &operator=(task_handle &&other) noexcept
    {
        task_handle(std::move(other)).swap(*this);
        return *this;
    }
    ~task_handle()
    {
        if (task_ != nullptr)
            task_->release();
    }

    void swap(task_handle &other) noexcept { std::swap(task_, other.task_); }

    /** Whether there is a job: not after get(), nor of a moved-from handle. */
    bool valid() const noexcept { return task_ != nullptr; }

    /** Whether get() would return at once. */
    bool ready() const { return required()->settled(); }

    /** Waits until the job is over; runs it if nobody has begun it. */
    void wait() { wait(true, nullptr); }

    /** Waits no longer than this, and never runs the job. Whether it is over. */
    template <typename Rep, typename Period> bool wait_for(const std::chrono::duration<Rep, Period> &time)
    {
        using namespace std::chrono;
        if (time > hours(24 * 365))
            return wait(false, nullptr); /* more than a timespec may be able to say */
        const auto end = system_clock::now() + ceil<nanoseconds>(time);
        const auto whole = floor<seconds>(end.time_since_epoch());
        timespec deadline;
        deadline.tv_sec = static_cast<std::time_t>(whole.count());
        deadline.tv_nsec = static_cast<long>(nanoseconds(end.time_since_epoch() - whole).count());
        return wait(false, &deadline);
    }

    /** Waits as wait() does, then gives the result away or throws the job's exception. The handle is not
     * valid afterwards. */
    R get()
    {
        wait();
        const struct releasing {
            detail::task_state<R> *task;
            ~releasing() { task->release(); }
        } at_end{std::exchange(task_, nullptr)};
        return at_end.task->result.get();
    }

  private:
    template <typename Callable, typename... Arguments>
    friend auto start(target to, Callable &&callable, Arguments &&...arguments)
        -> task_handle<detail::result_of<Callable, Arguments...>>;

    explicit task_handle(detail::task_state<R> *task) noexcept : task_(task) {}

    detail::task_state<R> *required() const
    {
        return task_ != nullptr ? task_ : throw error(FJ_EINVAL, "fastjobs::task_handle: it has no job");
    }

    bool wait(bool helps, const timespec *deadline)
    {
        detail::task_state<R> *task = required();
        if (helps && !task->was_claimed() && task->claim()) {
            task->run();
            return true;
        }
        for (int i = 0; i < detail::spins; i++) {
            if (task->settled())
                return true;
            detail::spin_once();
        }
        return task->sleep(deadline);
    }

    detail::task_state<R> *task_ = nullptr;
};

/** Runs callable(arguments...) in the pool and returns a handle of the result. No allocation but the job's.
 * Fails as post and submit do. */
template <typename Callable, typename... Arguments>
auto start(target to, Callable &&callable, Arguments &&...arguments)
    -> task_handle<detail::result_of<Callable, Arguments...>>
{
    using result = detail::result_of<Callable, Arguments...>;
    using node_type = detail::task_node<result, detail::bound_of<Callable, Arguments...>>;
    auto node =
        detail::make_node<node_type>(std::forward<Callable>(callable), std::forward<Arguments>(arguments)...);
    try {
        detail::queue<Callable, Arguments...>(*node, to, node->work.value, callable, arguments...);
    } catch (...) {
        node->work.end();
        throw;
    }
    return task_handle<result>(node.release());
}

} // namespace fastjobs
#endif
