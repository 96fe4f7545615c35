/*
 * fjpp/frame.hpp - part of fastjobs.hpp: what the calling thread is in the middle of.
 */
#ifndef FASTJOBS_FJPP_FRAME_HPP
#define FASTJOBS_FJPP_FRAME_HPP

namespace fastjobs
{
namespace detail
{

/** While it lives, this thread runs a job of something: of a group, of an executor's context. So a job that
 * would wait for itself is told so. */
class frame
{
  public:
    /** job_class: which pool's. */
    frame(const void *of, int job_class) noexcept : of_(of), job_class_(job_class), outer_(innermost())
    {
        innermost() = this;
    }
    frame(const frame &) = delete;
    frame &operator=(const frame &) = delete;
    ~frame() { innermost() = outer_; }

    /** Whether this thread runs a job of it, directly or around the job that it runs. */
    static bool any(const void *of) noexcept
    {
        for (const frame *at = innermost(); at != nullptr; at = at->outer_)
            if (at->of_ == of)
                return true;
        return false;
    }

    /** Whether the innermost job of this thread is one of this pool. */
    static bool in_pool(int job_class) noexcept
    {
        const frame *here = innermost();
        return here != nullptr && here->job_class_ == job_class;
    }

    /** Whether the innermost job of this thread is one of this, in this pool. */
    static bool directly(const void *of, int job_class) noexcept
    {
        const frame *here = innermost();
        return here != nullptr && here->of_ == of && here->job_class_ == job_class;
    }

  private:
    static const frame *&innermost() noexcept
    {
        static thread_local const frame *here = nullptr;
        return here;
    }

    const void *of_;
    int job_class_;
    const frame *outer_;
};

} // namespace detail
} // namespace fastjobs
#endif
