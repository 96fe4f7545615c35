/*
 * fjpp/base.hpp - part of fastjobs.hpp: errors, exceptions that nobody catches, what sanitizers are told.
 *
 * The rule of the boundary: no exception of a callable leaves the function that the C engine calls, except
 * the forced unwinding by which glibc ends a thread (pthread_exit), which must not be caught for good.
 */
#ifndef FASTJOBS_FJPP_BASE_HPP
#define FASTJOBS_FJPP_BASE_HPP

#if !defined(__cpp_exceptions)
#error "fastjobs.hpp needs C++ exceptions; without them (-fno-exceptions) use the C API in fastjobs.h"
#endif
#if __cplusplus < 201703L
#error "fastjobs.hpp needs C++17 (-std=c++17)"
#endif

#include <atomic>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "../fastjobs.h"

namespace fastjobs
{

/** A call of the library failed. what() is the text of fj_last_error, code() a number of enum fj_error. */
class error : public std::runtime_error
{
  public:
    error(int code, const std::string &text) : std::runtime_error(text), code_(code) {}

    /** What the calling thread's last failed call left behind. */
    static error last() { return error(fj_last_error_code(), fj_last_error()); }

    int code() const noexcept { return code_; }

  private:
    int code_;
};

/** Gets an exception that nobody can be handed: one that left a job of post(), a completion callback, a
 * task_handle or a group that was dropped without looking. Runs in the thread where that shows. An exception
 * out of the handler ends the program. */
using exception_handler = void (*)(std::exception_ptr);

namespace detail
{

inline std::atomic<exception_handler> unhandled{nullptr};

inline void print_unhandled(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception &known) {
        std::fprintf(stderr, "fastjobs: an exception that nobody handles: %s\n", known.what());
    } catch (...) {
        std::fputs("fastjobs: an exception that nobody handles, not a std::exception\n", stderr);
    }
}

inline void report_unhandled(const std::exception_ptr &exception) noexcept
{
    const exception_handler handler = unhandled.load(std::memory_order_acquire); /* pairs with set_… below */
    if (handler != nullptr)
        handler(exception);
    else
        print_unhandled(exception);
}

inline std::exception_ptr thread_ended()
{
    return std::make_exception_ptr(error(FJ_EINVAL, "the job ended its thread (pthread_exit)"));
}

/** Calls work; what it throws goes to failed(std::exception_ptr), and nothing is thrown. If it ends its
 * thread, failed hears of that too and the thread goes on ending. */
template <typename Work, typename Failed> void guarded(Work &&work, Failed &&failed)
{
    try {
        work();
    } catch (...) {
        std::exception_ptr exception = std::current_exception();
        const bool ends = exception == nullptr; /* not one of C++: glibc unwinds the thread */
        failed(ends ? thread_ended() : std::move(exception));
        if (ends)
            throw;
    }
}

/** For the loops that spin before they sleep. */
inline void spin_once() noexcept
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/** How often: some microseconds, about what a sleep and a wake-up cost. */
inline constexpr int spins = 200;

} // namespace detail

/** Sets the handler for the process and returns the one before; nullptr is the default, which prints the
 * exception to the standard error and lets the program go on. */
inline exception_handler set_exception_handler(exception_handler handler) noexcept
{
    return detail::unhandled.exchange(handler, std::memory_order_acq_rel);
}

} // namespace fastjobs
#endif
