/*
 * fjpp/pending.hpp - part of fastjobs.hpp: a count of jobs that are under way, and threads that wait for it.
 *
 * What is hard about it: who brings the count to zero may be overtaken by the waiter, which then destroys the
 * object. docs/protocols.md#group has the protocol, its proof and the model. finish() touches the object last
 * with its exchange, or, if somebody sleeps, with the unlock; a waiter takes the lock once more, behind that.
 */
#ifndef FASTJOBS_FJPP_PENDING_HPP
#define FASTJOBS_FJPP_PENDING_HPP

#include "base.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace fastjobs
{
namespace detail
{

class pending
{
    /** One word: bit 0 says that a thread sleeps, bit 1 that one ever did; then 30 bits of jobs under way;
     * then 32 bits that number the additions and may run over. */
    static constexpr std::uint64_t sleeper = 1, slept = 2, one = 4, ticket = std::uint64_t{1} << 32;

    static constexpr std::uint64_t jobs(std::uint64_t word) noexcept { return (word & (ticket - 1)) / one; }

  public:
    pending() = default;
    pending(const pending &) = delete;
    pending &operator=(const pending &) = delete;

    /** One more. Returns the number of this addition. */
    std::uint32_t add() noexcept
    {
        /** Relaxed: whoever counts down got to know of the job after this, and the word's modification order
         * does the rest. */
        return static_cast<std::uint32_t>(word_.fetch_add(ticket + one, std::memory_order_relaxed) / ticket);
    }

    /** One more; false, and none more: a thread sleeps, and wants to be told of it. Sequentially consistent:
     * pairs with sleep_unless. */
    bool add_quietly() noexcept
    {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        while ((word & sleeper) == 0)
            if (word_.compare_exchange_weak(word, word + one, std::memory_order_seq_cst,
                                            std::memory_order_relaxed))
                return true;
        return false;
    }

    /** One less. If it was the last, the object may be gone when this returns. */
    void finish() noexcept
    {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        while (jobs(word) != 1 || (word & sleeper) == 0) {
            /** Release: pairs with idle(), so that a waiter sees what the job wrote. */
            if (word_.compare_exchange_weak(word, word - one, std::memory_order_release,
                                            std::memory_order_relaxed))
                return;
        }
        const std::lock_guard<std::mutex> locked(lock_);
        if (jobs(word_.fetch_sub(one, std::memory_order_acq_rel)) == 1)
            wake_locked();
    }

    /** Acquire: pairs with finish(). */
    bool idle() const noexcept { return jobs(word_.load(std::memory_order_acquire)) == 0; }

    /** Whether nobody ever slept: then nobody who finished is in the lock. */
    bool never_slept() const noexcept { return (word_.load(std::memory_order_relaxed) & slept) == 0; }

    /** The same as idle, after a look again and again for some microseconds. */
    bool idle_soon() const noexcept
    {
        for (int i = 0; i < spins; i++) {
            if (idle())
                return true;
            spin_once();
        }
        return idle();
    }

    /** After a change that sleepers ask for. Sequentially consistent, as the change must be: pairs with
     * sleep_unless, which sets the flag and then asks. */
    void wake() noexcept
    {
        if ((word_.load(std::memory_order_seq_cst) & sleeper) != 0) {
            const std::lock_guard<std::mutex> locked(lock_);
            wake_locked();
        }
    }

    /** Sleeps until the count is zero or somebody calls wake(). Returns at once if the count is zero, or if
     * ready(), asked under the lock, says so. */
    template <typename Ready> void sleep_unless(Ready &&ready)
    {
        std::unique_lock<std::mutex> locked(lock_);
        sleepers_++;
        const std::uint64_t before = word_.fetch_or(sleeper | slept, std::memory_order_seq_cst);
        if (jobs(before) == 0 || ready()) {
            if (--sleepers_ == 0)
                word_.fetch_and(~sleeper, std::memory_order_relaxed);
            return;
        }
        const std::uint64_t seen = wakes_;
        woken_.wait(locked, [&] { return wakes_ != seen; });
    }

    /** A waiter takes it before it leaves: behind it nobody who finished is here any more. It also guards
     * what goes with the count and is not on a hot path. */
    std::mutex &lock() noexcept { return lock_; }

  private:
    void wake_locked() noexcept
    {
        if (sleepers_ > 0) {
            sleepers_ = 0;
            wakes_++;
            word_.fetch_and(~sleeper, std::memory_order_relaxed);
            woken_.notify_all();
        }
    }

    std::atomic<std::uint64_t> word_{0};
    std::mutex lock_;
    std::condition_variable woken_;
    std::uint64_t wakes_ = 0; /* under the lock, as the next */
    int sleepers_ = 0;        /* since the last wake; the flag is set as long as there are some */
};

} // namespace detail
} // namespace fastjobs
#endif
