/*
 * hpp_tests.hpp - what the tests of fastjobs.hpp share: checks of exceptions, a pool of each test's own, and
 * the exceptions that nobody handled.
 */
#ifndef FASTJOBS_TESTS_HPP_TESTS_HPP
#define FASTJOBS_TESTS_HPP_TESTS_HPP

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include "fastjobs.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fj = fastjobs;

/* The code of the fastjobs::error that it throws, -1 if it throws none. */
template <typename Callable> int code_of(Callable &&callable)
{
    try {
        callable();
    } catch (const fj::error &error) {
        CHECK(error.what()[0] != '\0');
        return error.code();
    }
    return -1;
}

/* The text of the std::exception that it throws. */
template <typename Callable> std::string text_of(Callable &&callable)
{
    try {
        callable();
    } catch (const std::exception &error) {
        return error.what();
    }
    return "(nothing was thrown)";
}

inline fj::pool pool_of(int concurrency, std::size_t backlog = 0)
{
    static std::atomic<int> number{0};
    return fj::pool::create("test." + std::to_string(++number), concurrency, backlog);
}

/* Exceptions that got to the handler, in this process. */
struct unhandled_texts {
    static std::mutex &lock()
    {
        static std::mutex here;
        return here;
    }
    static std::vector<std::string> &texts()
    {
        static std::vector<std::string> here;
        return here;
    }
    static void keep(std::exception_ptr exception)
    {
        std::string text = text_of([&] { std::rethrow_exception(exception); });
        exception = nullptr;
        const std::lock_guard<std::mutex> locked(lock());
        texts().push_back(std::move(text));
    }
    /* Waits for one and takes it. */
    static std::string next()
    {
        std::string text;
        POLL(take(text));
        return text;
    }
    static bool take(std::string &text)
    {
        const std::lock_guard<std::mutex> locked(lock());
        if (texts().empty())
            return false;
        text = texts().front();
        texts().erase(texts().begin());
        return true;
    }
    static bool none()
    {
        const std::lock_guard<std::mutex> locked(lock());
        return texts().empty();
    }
};

/* A callable that counts its copies and its ends. */
struct Counted {
    static inline std::atomic<int> alive{0};
    static inline std::atomic<int> copies{0};
    int number;

    explicit Counted(int n) : number(n) { alive++; }
    Counted(const Counted &other) : number(other.number)
    {
        alive++;
        copies++;
    }
    Counted(Counted &&other) noexcept : number(std::exchange(other.number, -1)) { alive++; }
    Counted &operator=(const Counted &) = delete;
    Counted &operator=(Counted &&) = delete;
    ~Counted() { alive--; }
    int operator()() const { return number; }
};

/* A gate that jobs stand at, which opens at the end of the test at the latest. */
class Gate
{
  public:
    Gate() = default;
    Gate(const Gate &) = delete;
    Gate &operator=(const Gate &) = delete;
    void pass() { GATE_PASS(&gate_); }
    void open() { gate_open(&gate_); }
    void await(int workers) { GATE_AWAIT(&gate_, workers); }

  private:
    struct gate gate_ = GATE_CLOSED;
};

/* With AddressSanitizer: each object of ec_malloc comes from malloc, so that it sees them. Before main's
 * first call of the library. */
inline void hpp_tests_begin()
{
#if defined(ADDRESS_SANITIZER)
    setenv("FASTJOBS_CHECK", "1", 1);
#endif
    fj::set_exception_handler(unhandled_texts::keep);
}

#endif
