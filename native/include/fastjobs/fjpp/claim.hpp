/*
 * fjpp/claim.hpp - part of fastjobs.hpp: a job with two owners, its pool and who waits for it.
 * docs/protocols.md#group.
 */
#ifndef FASTJOBS_FJPP_CLAIM_HPP
#define FASTJOBS_FJPP_CLAIM_HPP

#include "base.hpp"

#include <atomic>

namespace fastjobs
{
namespace detail
{

/** A job that one of two owners runs and the last of the two frees. */
class claimable : public ec_async_job
{
    static constexpr unsigned char taken_bit = 1, released_bit = 2;

  public:
    explicit claimable(ec_thread_pool_work_func from_pool) noexcept : ec_async_job{} { worker = from_pool; }

    /** True for one caller, who then runs it or drops it. */
    bool claim() noexcept { return (state_.fetch_or(taken_bit, std::memory_order_acq_rel) & taken_bit) == 0; }

    /** A hint: false may be out of date. */
    bool was_claimed() const noexcept { return (state_.load(std::memory_order_relaxed) & taken_bit) != 0; }

    /** Lets go; true for the second owner, who then frees it. Acquire and release: what the first did with
     * the job comes before the freeing. */
    bool let_go() noexcept
    {
        return (state_.fetch_or(released_bit, std::memory_order_acq_rel) & released_bit) != 0;
    }

  private:
    std::atomic<unsigned char> state_{0}; /* small: what derives from this fills the gap */
};

} // namespace detail
} // namespace fastjobs
#endif
