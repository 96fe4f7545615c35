/*
 * fjpp/nest.hpp - part of fastjobs.hpp: jobs that a thread which runs a pool's job keeps to itself until
 * another thread of that pool has nothing to do. docs/protocols.md#nest has the protocol, its proof and the
 * model.
 *
 * A nest is a bounded work-stealing deque: its thread adds and takes at the bottom, thieves take at the top.
 * Thieves are calls in the pool (fj_call), of which at most one waits in the pool's queue for each nest. So
 * the pool's own threads steal, and its concurrency holds.
 */
#ifndef FASTJOBS_FJPP_NEST_HPP
#define FASTJOBS_FJPP_NEST_HPP

#include "claim.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

namespace fastjobs
{
namespace detail
{

struct group_job;
/** Runs or drops a job that came out of a nest, and ends it. group_nest.hpp. */
void end_nested(group_job *taken);
/** Queues a job that came out of a nest in its pool. group_nest.hpp. */
void hand_on(group_job *taken);

class nest
{
  public:
    explicit nest(int job_class) noexcept : job_class_(job_class) {}
    nest(const nest &) = delete;
    nest &operator=(const nest &) = delete;

    int job_class() const noexcept { return job_class_; }

    /* ---- for its thread ---- */

    bool full() const noexcept
    {
        /** Acquire: pairs with the exchange in steal, which has read the slot before. */
        return bottom_.load(std::memory_order_relaxed) - top_.load(std::memory_order_acquire) >= slots;
    }

    /** Unless it is full. of: the group, for take. */
    void push(group_job *job, const void *of) noexcept
    {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
        slot &at = slots_[bottom & (slots - 1)];
        at.of = of;
        at.job.store(job, std::memory_order_relaxed);
        /** Sequentially consistent: before call_thief looks at the flag; pairs with steal_some, which clears
         * it and then looks here. Also release: the job's content. */
        bottom_.store(bottom + 1, std::memory_order_seq_cst);
    }

    /** The newest, if it is of this group; else null. */
    group_job *take(const void *of) noexcept
    {
        const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
        if (bottom < top_.load(std::memory_order_relaxed) || slots_[bottom & (slots - 1)].of != of)
            return nullptr;
        /** Both sequentially consistent: of this thread and a thief, one sees what the other has written. */
        bottom_.store(bottom, std::memory_order_seq_cst);
        std::int64_t top = top_.load(std::memory_order_seq_cst);
        group_job *job = slots_[bottom & (slots - 1)].job.load(std::memory_order_relaxed);
        if (top < bottom)
            return job;
        if (top > bottom ||
            !top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst, std::memory_order_relaxed))
            job = nullptr; /* the last, and a thief has it */
        bottom_.store(bottom + 1, std::memory_order_release);
        return job;
    }

    /* ---- for all threads ---- */

    bool empty() const noexcept
    {
        const std::int64_t top = top_.load(std::memory_order_seq_cst);
        return bottom_.load(std::memory_order_seq_cst) <= top;
    }

    /** The oldest, or null: there is none. */
    group_job *steal() noexcept
    {
        for (;;) {
            std::int64_t top = top_.load(std::memory_order_seq_cst);
            /** Also acquire: pairs with push. */
            if (bottom_.load(std::memory_order_seq_cst) <= top)
                return nullptr;
            group_job *job = slots_[top & (slots - 1)].job.load(std::memory_order_relaxed);
            /** If the slot was used anew meanwhile this fails. */
            if (top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                             std::memory_order_relaxed))
                return job;
        }
    }

    /** Sees to it that a thread of the pool comes and steals. False: the pool takes no call. */
    bool call_thief() noexcept
    {
        if (called_.load(std::memory_order_seq_cst) || called_.exchange(true, std::memory_order_seq_cst))
            return true;
        const bool comes = fj_call(job_class_, steal_some, this) != 0;
        if (!comes)
            called_.store(false, std::memory_order_seq_cst);
        return comes;
    }

    /* ---- which nest ---- */

    /** The calling thread's nest for this pool; null: it keeps jobs of another pool, or no memory. Nests are
     * handed on from thread to thread and never freed: a call may be on its way to one that nobody has. */
    static nest *of_this_thread(int job_class)
    {
        nest *&held = mine().held;
        if (held == nullptr || held->job_class_ != job_class) {
            if (held != nullptr && !held->empty())
                return nullptr;
            all().give_back(std::exchange(held, nullptr));
            held = all().get(job_class);
        }
        return held;
    }

    /** The calling thread's nest, or null: it never had one. */
    static nest *here() noexcept { return mine().held; }

    /** Calls visit(nest &) for each there is until it returns false. */
    template <typename Visit> static void each(Visit &&visit)
    {
        nest *at = all().newest.load(std::memory_order_acquire);
        while (at != nullptr && visit(*at))
            at = at->next_;
    }

  private:
    struct slot {
        std::atomic<group_job *> job{nullptr};
        const void *of = nullptr; /* for the nest's thread */
    };

    struct registry {
        std::mutex lock;
        std::atomic<nest *> newest{nullptr};

        nest *get(int job_class)
        {
            const std::lock_guard<std::mutex> locked(lock);
            for (nest *at = newest.load(std::memory_order_relaxed); at != nullptr; at = at->next_)
                if (!at->held_ && at->job_class_ == job_class) {
                    at->held_ = true;
                    return at;
                }
            nest *made = new (std::nothrow) nest(job_class);
            if (made == nullptr)
                return nullptr;
            made->held_ = true;
            made->next_ = newest.load(std::memory_order_relaxed);
            newest.store(made, std::memory_order_release); /* pairs with each */
            return made;
        }
        void give_back(nest *given)
        {
            const std::lock_guard<std::mutex> locked(lock);
            if (given != nullptr)
                given->held_ = false;
        }
    };

    struct holder {
        nest *held = nullptr;
        ~holder() { all().give_back(std::exchange(held, nullptr)); }
    };

    static holder &mine() noexcept
    {
        static thread_local holder here;
        return here;
    }

    static registry &all()
    {
        static registry *const one = new registry; /* threads may outlive static objects */
        return *one;
    }

    /** A call in the pool. */
    static void steal_some(void *closure)
    {
        auto *self = static_cast<nest *>(closure);
        /** Before it looks for jobs: see push. */
        self->called_.store(false, std::memory_order_seq_cst);
        for (int turns = 1;; turns++) {
            group_job *job = self->steal();
            if (job == nullptr)
                return;
            /** More threads of the pool may have nothing to do. If it takes no call any more, this goes on.
             */
            const bool others = !self->empty() && self->call_thief();
            /** After the steal, which sees what the keeper saw: a job that was added when the pool was
             * deferred is not run. */
            const bool deferred = fj_pool_is_deferred(self->job_class_) > 0;
            (deferred ? hand_on : end_nested)(job);
            if (others && (deferred || turns >= most_turns))
                return; /* for what else waits in the pool */
        }
    }

    static constexpr std::int64_t slots = 256;
    static constexpr int most_turns = 32;

    const int job_class_;
    bool held_ = false; /* under the registry's lock */
    nest *next_ = nullptr;
    alignas(128) std::atomic<std::int64_t> top_{0};
    std::atomic<bool> called_{false};
    alignas(128) std::atomic<std::int64_t> bottom_{0};
    slot slots_[slots];
};

} // namespace detail
} // namespace fastjobs
#endif
