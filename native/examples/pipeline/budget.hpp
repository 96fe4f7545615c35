/*
 * budget.hpp - how many bytes are in memory at once. One thread takes, many give back.
 */
#ifndef FASTJOBS_PIPELINE_BUDGET_HPP
#define FASTJOBS_PIPELINE_BUDGET_HPP

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace pipeline
{

class budget
{
  public:
    explicit budget(std::size_t bytes) : left_(bytes), all_(bytes) {}

    /* A part of the budget, given back when this ends. */
    class share
    {
      public:
        share(share &&other) noexcept : from_(std::exchange(other.from_, nullptr)), bytes_(other.bytes_) {}
        share &operator=(share &&) = delete;
        ~share()
        {
            if (from_ != nullptr)
                from_->give_back(bytes_);
        }

      private:
        friend class budget;
        share(budget *from, std::size_t bytes) : from_(from), bytes_(bytes) {}
        budget *from_;
        std::size_t bytes_;
    };

    /* Waits until there is room. More than all of the budget waits until it has all. */
    share take(std::size_t bytes)
    {
        if (bytes > all_)
            bytes = all_;
        std::unique_lock<std::mutex> locked(lock_);
        more_.wait(locked, [&] { return left_ >= bytes; });
        left_ -= bytes;
        return share(this, bytes);
    }

  private:
    void give_back(std::size_t bytes)
    {
        /* Under the lock, so that the budget may end as soon as all is back. */
        const std::lock_guard<std::mutex> locked(lock_);
        left_ += bytes;
        more_.notify_one();
    }

    std::mutex lock_;
    std::condition_variable more_;
    std::size_t left_;
    const std::size_t all_;
};

} // namespace pipeline
#endif
