/*
 * fjpp/group.hpp - part of fastjobs.hpp: many jobs, one wait, and a waiter that helps.
 *
 * The protocol, its proof and its model: docs/protocols.md#group. A job has two owners, its pool and the
 * group's stack of jobs that may not have begun. Whoever claims it runs it; the pool that comes too late only
 * lets go of it and never looks at the group, which may be gone.
 */
#ifndef FASTJOBS_FJPP_GROUP_HPP
#define FASTJOBS_FJPP_GROUP_HPP

#include "frame.hpp"
#include "group_job.hpp"
#include "pending.hpp"

#include <algorithm>

namespace fastjobs
{

/** Whether a thread that waits for a group runs the group's jobs meanwhile. */
enum class help {
    yes,
    no /* keeps to the pools' concurrency; in a job, beware of a pool with no worker left to run the others */
};

/*
 * Jobs that are waited for together. run() may be called by any thread, and by the group's own jobs; wait()
 * and cancel() by any number of threads that do not run one of the group's jobs. A group can be used again
 * after wait(). It must outlive its jobs, for which the destructor waits, and calls of other threads.
 *
 * With help::yes the waiter runs jobs that have not begun, newest first, in its own thread and beyond the
 * pools' concurrency; then it sleeps until the others are over. So jobs may have groups of their own, to any
 * depth, in a pool of any concurrency. Do not hold a lock that the jobs take while you wait.
 */
class group
{
  public:
    group() = default;
    group(const group &) = delete;
    group &operator=(const group &) = delete;

    /** Waits as wait() does; an exception that nobody fetched goes to the exception handler. A group that one
     * of its own jobs destroys ends the program: it would wait for itself. */
    ~group()
    {
        if (!idle() && runs_here()) {
            detail::report_unhandled(std::make_exception_ptr(own_job("~group")));
            std::terminate();
        }
        finish_all(help::yes);
        if (first_ != nullptr)
            detail::report_unhandled(first_);
    }

    /** Runs callable(arguments...) in the pool, or in a waiter. The result is dropped; the first exception of
     * the group is kept for wait(). No allocation once warm, if callable and arguments fit 200 bytes. Fails
     * as post does. */
    template <typename Callable, typename... Arguments>
    void run(target to, Callable &&callable, Arguments &&...arguments)
    {
        using node_type = detail::group_node<detail::bound_of<Callable, Arguments...>>;
        auto made = detail::make_node<node_type>(from_pool, this, std::forward<Callable>(callable),
                                                 std::forward<Arguments>(arguments)...);
        if (detail::frame::in_pool(to.to().job_class()) && keep(made, to))
            return;
        const std::uint32_t number = pending_.add();
        try {
            detail::queue<Callable, Arguments...>(*made, to, made->work.value, callable, arguments...);
        } catch (...) {
            made->work.end();
            pending_.finish();
            throw;
        }
        push(made.release(), number);
    }

    /** Waits until every job is over, then throws the first exception if there was one. Throws error
     * FJ_EDEADLK in one of the group's own jobs. */
    void wait(help how = help::yes)
    {
        if (!idle() && runs_here())
            throw own_job("wait");
        finish_all(how);
        if (failed_.load(std::memory_order_relaxed)) /* the job wrote it before it counted as over */
            throw_first();
    }

    /** Drops the jobs that have not begun and returns how many; those that run go on. They count as over; but
     * where one of the group's own jobs has called run(), some may be under way until a worker or a waiter
     * comes to them and drops them, and one that is on its way to a deferred pool's queue may be missed. May
     * be called by the group's own jobs. */
    std::size_t cancel()
    {
        std::size_t dropped = nested_.cancel_all();
        while (job *found = pop()) {
            found->act(found, what::drop);
            pending_.finish(); /* not the last touch: the caller has the group */
            release(found);
            dropped++;
        }
        return dropped;
    }

    /** Whether no job is queued or runs. */
    bool idle() const noexcept { return pending_.idle(); }

  private:
    using job = detail::group_job;
    using what = job::what;
    friend job;
    friend void detail::end_nested(job *);
    friend void detail::hand_on(job *);

    bool runs_here() const noexcept { return detail::frame::any(this); }

    static error own_job(const char *function)
    {
        return error(FJ_EDEADLK, std::string("fastjobs::group::") + function +
                                     ": a job of the group would wait for itself");
    }

    static void from_pool(ec_async_job *queued, void *)
    {
        auto *self = static_cast<job *>(queued);
        const struct releasing {
            job *self;
            ~releasing() { release(self); }
        } at_end{self};
        if (self->claim())
            self->owner().execute(self);
    }

    static void release(job *held)
    {
        if (held->let_go())
            held->act(held, what::free_memory);
    }

    /** By who claimed it. The group may be gone afterwards. */
    void execute(job *claimed)
    {
        const struct finishing {
            detail::pending &count;
            ~finishing() { count.finish(); }
        } at_end{pending_};
        const detail::frame inside(this, claimed->job_class);
        detail::guarded([&] { claimed->act(claimed, what::run); },
                        [&](std::exception_ptr exception) {
                            const std::lock_guard<std::mutex> locked(pending_.lock());
                            if (first_ == nullptr)
                                first_ = std::move(exception);
                            failed_.store(true, std::memory_order_relaxed);
                        });
    }

    void push(job *queued, std::uint32_t number)
    {
        if (queued->was_claimed()) { /* by its pool: a waiter has no use for it */
            release(queued);
        } else {
            job *top = top_.load(std::memory_order_relaxed);
            do {
                queued->below = top;
                /* Sequentially consistent: the push, then wake()'s look at the flag. Also release: pairs with
                 * the loads in pop and sweep. */
            } while (!top_.compare_exchange_weak(top, queued, std::memory_order_seq_cst,
                                                 std::memory_order_relaxed));
            pending_.wake();
        }
        if (static_cast<std::int32_t>(number - sweep_at_.load(std::memory_order_relaxed)) >= 0)
            sweep(number);
    }

    /** Takes jobs off the stack until one could be claimed; null if there is none. Only here and in sweep
     * does the stack get shorter, both under the lock: so what is on top stays there until the exchange (no
     * ABA), and its memory with it. */
    job *pop()
    {
        if (top_.load(std::memory_order_relaxed) == nullptr)
            return nullptr;
        const std::lock_guard<std::mutex> locked(pending_.lock());
        job *top = top_.load(std::memory_order_acquire); /* pairs with push */
        while (top != nullptr) {
            if (!top_.compare_exchange_weak(top, top->below, std::memory_order_acquire))
                continue;
            if (top->claim())
                return top;
            release(top);
            top = top_.load(std::memory_order_acquire);
        }
        return nullptr;
    }

    /** So that a group that nobody waits for does not grow. Done again when as many jobs have come as were
     * left: amortized O(1) a job. */
    void sweep(std::uint32_t number)
    {
        const std::unique_lock<std::mutex> locked(pending_.lock(), std::try_to_lock);
        if (locked) /* else a waiter pops, or another sweeps */
            sweep_at_.store(number + std::max(sweep_least, sweep_locked()), std::memory_order_relaxed);
    }

    /** Lets go of the jobs on the stack that somebody has claimed. Returns how many are left. Threads that go
     * to sleep ask under the lock, so none sees the stack while it is in pieces. */
    std::uint32_t sweep_locked()
    {
        std::uint32_t kept = 0;
        job *first = nullptr, *last = nullptr;
        for (job *at = top_.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
            job *const below = at->below;
            if (at->was_claimed()) {
                release(at);
            } else {
                (last != nullptr ? last->below : first) = at;
                last = at;
                kept++;
            }
            at = below;
        }
        if (last != nullptr) {
            last->below = top_.load(std::memory_order_relaxed);
            while (!top_.compare_exchange_weak(last->below, first, std::memory_order_release,
                                               std::memory_order_relaxed)) {
            }
        }
        return kept;
    }

    void finish_all(help how)
    {
        for (;;) {
            if (how == help::yes)
                run_what_has_not_begun();
            if (pending_.idle_soon())
                break;
            if (how == help::yes && nested_.any())
                search_nests();
            else
                pending_.sleep_unless([&] {
                    return how == help::yes &&
                           (top_.load(std::memory_order_seq_cst) != nullptr || nested_.any());
                });
        }
        if (pending_.never_slept() && top_.load(std::memory_order_relaxed) == nullptr)
            return;
        /** The lock is also what makes it safe to destroy the group now: see pending. What is on the stack is
         * over, unless another thread goes on calling run(). */
        const std::lock_guard<std::mutex> locked(pending_.lock());
        sweep_locked();
    }

    void run_what_has_not_begun()
    {
        for (;;) {
            detail::nest *const here = detail::nest::here();
            if (job *kept = here != nullptr ? here->take(this) : nullptr) {
                end_nested(kept);
            } else if (job *found = pop()) {
                execute(found);
                release(found);
            } else {
                return;
            }
        }
    }

    void throw_first()
    {
        std::exception_ptr first;
        {
            const std::lock_guard<std::mutex> locked(pending_.lock());
            first = std::exchange(first_, nullptr);
            failed_.store(false, std::memory_order_relaxed);
        }
        if (first != nullptr)
            std::rethrow_exception(std::move(first));
    }

    /* ---- jobs in nests: group_nest.hpp ---- */

    /** Keeps a job in the calling thread's nest, or drops it if the group was cancelled meanwhile. False: the
     * job is the caller's still. */
    template <typename Node> bool keep(detail::node_ptr<Node> &made, const target &to);
    /** One that shall not be in a nest: whether it was cancelled. */
    template <typename Node> bool dropped(Node &made);
    /** Runs or drops a job that came out of a nest, and frees it. The group may be gone afterwards. */
    static void end_nested(job *taken);
    /** To the pool, and to the group's stack: somebody waits for what is behind it in its nest, or the pool
     * is deferred. */
    static void hand_on(job *taken);
    /** For a waiter whose jobs are in other threads' nests, or in its own below jobs of other groups. */
    void search_nests();

    static constexpr std::uint32_t sweep_least = 256;

    detail::pending pending_;
    detail::nested_count nested_;
    std::atomic<bool> failed_{false};
    std::atomic<job *> top_{nullptr};
    std::atomic<std::uint32_t> sweep_at_{sweep_least};
    std::exception_ptr first_; /* under the lock */
};

} // namespace fastjobs

#include "group_nest.hpp"
#endif
