/*
 * test_hpp_coroutine.cpp - fastjobs.hpp: co_await schedule and run. In C++17, and with compilers without
 * C++20's coroutines, what is tested is that the header says so.
 */
#include "hpp_tests.hpp"

#if FASTJOBS_HAS_COROUTINES
#include <coroutine>

namespace
{

/* A coroutine that runs at once and tells when it has ended, with its exception. */
struct Ended {
    sem_t posted;
    std::exception_ptr exception;
    Ended() { new_semaphore(&posted, 0); }
    void get()
    {
        AWAIT(&posted);
        if (exception)
            std::rethrow_exception(std::exchange(exception, nullptr));
    }
};

struct Detached {
    struct promise_type {
        Ended &ended;
        template <typename... Rest> explicit promise_type(Ended &to_tell, Rest &&...) : ended(to_tell) {}
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        struct tell {
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<promise_type> coroutine) const noexcept
            {
                Ended &ended = coroutine.promise().ended;
                coroutine.destroy();
                sem_post(&ended.posted);
            }
            void await_resume() const noexcept {}
        };
        tell final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { ended.exception = std::current_exception(); }
    };
};

Detached go_on_in(Ended &, fj::pool pool, std::thread::id &before, std::thread::id &after)
{
    before = std::this_thread::get_id();
    co_await fj::schedule(pool);
    after = std::this_thread::get_id();
}

void schedule_goes_on_in_a_worker()
{
    Ended ended;
    std::thread::id before, after;
    go_on_in(ended, pool_of(1), before, after);
    ended.get();
    CHECK(before == std::this_thread::get_id());
    CHECK(after != before);
    go_on_in(ended, fj::pool::short_lived(), before, after); /* at once */
    ended.get();
    CHECK(after == std::this_thread::get_id());
}

void schedule_that_fails_throws_at_the_await()
{
    Ended ended;
    std::thread::id before, after;
    go_on_in(ended, fj::pool(12345), before, after);
    CHECK_EQ(code_of([&] { ended.get(); }), FJ_ENOCLASS);
    CHECK(after == std::thread::id());
}

int twice(int number)
{
    return 2 * number;
}

Detached run_things(Ended &, fj::pool pool, std::vector<std::string> &got)
{
    got.push_back(std::to_string(co_await fj::run(pool, twice, 21)));
    std::thread::id ran;
    auto number = std::make_unique<int>(7);
    /* Not written into the co_await: GCC 12 destroys a lambda there twice if its captures have destructors.
     */
    auto give_back = [&ran, number = std::move(number)]() mutable {
        ran = std::this_thread::get_id();
        return std::move(number);
    };
    const std::unique_ptr<int> back = co_await fj::run(pool, std::move(give_back));
    CHECK(ran == std::this_thread::get_id()); /* it goes on in the worker that ran it */
    got.push_back(std::to_string(*back));
    int variable = 0;
    int &reference = co_await fj::run(pool, [&]() -> int & { return variable; });
    CHECK(&reference == &variable);
    co_await fj::run(pool, [&] { variable = 3; });
    got.push_back(std::to_string(variable));
    try {
        co_await fj::run(pool, [] { throw std::runtime_error("in a job"); });
    } catch (const std::runtime_error &error) {
        got.emplace_back(error.what());
    }
    co_await fj::run(fj::pool(12345), [] {});
    got.emplace_back("not reached");
}

void run_brings_results_and_exceptions_back()
{
    for (int concurrency : {0, 1, 2}) {
        Ended ended;
        std::vector<std::string> got;
        run_things(ended, pool_of(concurrency), got);
        CHECK_EQ(code_of([&] { ended.get(); }), FJ_ENOCLASS);
        CHECK_OR_RETURN(got.size() == 4);
        CHECK_STR(got[0].c_str(), "42");
        CHECK_STR(got[1].c_str(), "7");
        CHECK_STR(got[2].c_str(), "3");
        CHECK_STR(got[3].c_str(), "in a job");
    }
}

Detached run_and_go_on_in_the_scheduler(Ended &, fj::pool pool, int &there, std::string &text)
{
    std::thread::id ran;
    const int sum = co_await fj::run(
        pool, fj::resume_on::scheduler,
        [&](int a) {
            ran = std::this_thread::get_id();
            CHECK(!fj_is_scheduler_thread());
            return a + 2;
        },
        40);
    CHECK_EQ(sum, 42);
    there = fj_is_scheduler_thread();
    CHECK(ran != std::this_thread::get_id());
    try {
        co_await fj::run(pool, fj::resume_on::scheduler, [] { throw std::runtime_error("far away"); });
    } catch (const std::runtime_error &error) {
        text = error.what();
    }
    CHECK(fj_is_scheduler_thread());
    co_await fj::run(pool, fj::resume_on::worker, [] {});
    CHECK(!fj_is_scheduler_thread());
}

void run_may_go_on_in_the_scheduler_thread()
{
    Ended ended;
    int there = 0;
    std::string text;
    run_and_go_on_in_the_scheduler(ended, pool_of(1), there, text);
    ended.get();
    CHECK_EQ(there, 1);
    CHECK_STR(text.c_str(), "far away");
}

/* A promise that lets exceptions out of resume(). */
struct Leaky {
    struct promise_type {
        Leaky get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const { throw; }
    };
    std::coroutine_handle<> frame;
};

struct keep_handle {
    std::coroutine_handle<> &kept;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine) const noexcept
    {
        kept = coroutine;
        return false;
    }
    void await_resume() const noexcept {}
};

Leaky leak(fj::pool pool, std::coroutine_handle<> &frame)
{
    co_await keep_handle{frame};
    co_await fj::schedule(pool);
    throw std::runtime_error("leaked");
}

void what_leaves_a_coroutine_goes_to_the_handler()
{
    const fj::pool pool = pool_of(1);
    std::coroutine_handle<> frame;
    leak(pool, frame);
    CHECK_STR(unhandled_texts::next().c_str(), "leaked");
    CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1); /* behind the resume */
    frame.destroy();
}

Detached hop(Ended &, fj::pool a, fj::pool b, int times, std::atomic<long> &sum)
{
    for (int i = 0; i < times; i++) {
        co_await fj::schedule(i % 2 == 0 ? a : b);
        sum += co_await fj::run(i % 3 == 0 ? a : b,
                                i % 5 == 0 ? fj::resume_on::scheduler : fj::resume_on::worker,
                                [i] { return i; });
    }
}

void many_coroutines_hop_between_pools()
{
    const fj::pool a = pool_of(1), b = pool_of(2);
    const int times = many(1000);
    std::atomic<long> sum{0};
    std::vector<Ended> ended(20);
    for (Ended &one : ended)
        hop(one, a, b, times, sum);
    for (Ended &one : ended)
        one.get();
    CHECK_EQ(sum.load(), 20L * times * (times - 1) / 2);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(schedule_goes_on_in_a_worker);
    RUN(schedule_that_fails_throws_at_the_await);
    RUN(run_brings_results_and_exceptions_back);
    RUN(run_may_go_on_in_the_scheduler_thread);
    RUN(what_leaves_a_coroutine_goes_to_the_handler);
    RUN(many_coroutines_hop_between_pools);
    ec_thread_pool_shutdown();
    CHECK(unhandled_texts::none());
    return check_report();
}

#else

int main()
{
    hpp_tests_begin();
#if defined(__cpp_impl_coroutine)
    CHECK_STR("FASTJOBS_HAS_COROUTINES is 0", "but the compiler has them");
#endif
    CHECK_EQ(FASTJOBS_HAS_COROUTINES, 0);
    return check_report();
}

#endif
