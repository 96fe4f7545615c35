/*
 * fjpp/group_job.hpp - part of fastjobs.hpp: a job of a group, and how many of them nests have.
 */
#ifndef FASTJOBS_FJPP_GROUP_JOB_HPP
#define FASTJOBS_FJPP_GROUP_JOB_HPP

#include "job.hpp"
#include "nest.hpp"

namespace fastjobs
{

class group;

namespace detail
{

struct group_job : claimable {
    enum class what { run, drop, free_memory };

    group_job(ec_thread_pool_work_func from_pool, void (*acts)(group_job *, what), group *of) noexcept
        : claimable(from_pool), act(acts)
    {
        closure = of;
    }
    /** Asked by a claimer, or by who took it out of a nest: the group may be gone for others. */
    group &owner() const noexcept;

    /** How often the group had been cancelled when the job came into a nest. May run over: no job stays in a
     * nest through 65,536 cancels that each found others. */
    std::uint16_t cancels = 0;
    int line = 0; /* as file */
    union {
        group_job *below = nullptr; /* in the group's stack; written before the push */
        const char *file;           /* in a nest: for the pool, should it get there */
    };
    void (*const act)(group_job *, what);
};

/** The job with its callable. */
template <typename Work> struct group_node : group_job {
    by_hand<Work> work;

    template <typename... Given>
    explicit group_node(ec_thread_pool_work_func from_pool, group *of, Given &&...given)
        : group_job(from_pool, acts, of), work(std::in_place, std::in_place, std::forward<Given>(given)...)
    {
    }

    static void acts(group_job *self, what what_to_do)
    {
        auto *typed = static_cast<group_node *>(self);
        if (what_to_do == what::free_memory) {
            node_deleter<group_node>()(typed);
            return;
        }
        const struct ending {
            by_hand<Work> &work;
            ~ending() { work.end(); }
        } at_end{typed->work};
        if (what_to_do == what::run)
            static_cast<void>(typed->work.value());
    }
};

/** The jobs of a group that are in nests: how many, how many of them were not cancelled, and how often there
 * was a cancel. One word, so that a cancel and the taking of a job out of a nest agree on who is dropped.
 * All changes are sequentially consistent: pairs with a waiter that sets its flag and then asks any(). */
class nested_count
{
    static constexpr std::uint64_t one = 1, live = std::uint64_t{1} << 24, cancel = std::uint64_t{1} << 48;

  public:
    /** One more; returns how often the group was cancelled. */
    std::uint16_t add() noexcept
    {
        return static_cast<std::uint16_t>(word_.fetch_add(one + live, std::memory_order_seq_cst) / cancel);
    }
    /** One less, which came after so many cancels. False: it was cancelled. */
    bool leave(std::uint16_t cancels) noexcept
    {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        while (!word_.compare_exchange_weak(word, word - one - (word / cancel == cancels ? live : 0),
                                            std::memory_order_seq_cst, std::memory_order_relaxed)) {
        }
        return word / cancel == cancels;
    }
    /** Cancels all; returns how many. */
    std::size_t cancel_all() noexcept
    {
        std::uint64_t word = word_.load(std::memory_order_relaxed);
        while (lives(word) != 0 &&
               !word_.compare_exchange_weak(word, word - lives(word) * live + cancel,
                                            std::memory_order_seq_cst, std::memory_order_relaxed)) {
        }
        return lives(word);
    }
    bool any() const noexcept { return word_.load(std::memory_order_seq_cst) % live != 0; }

  private:
    static constexpr std::size_t lives(std::uint64_t word) noexcept { return word % cancel / live; }

    std::atomic<std::uint64_t> word_{0};
};

} // namespace detail
} // namespace fastjobs
#endif
