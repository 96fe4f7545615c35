/*
 * test_hpp_task.cpp - fastjobs.hpp: start and task_handle; waiting, helping, dropping, and the two owners.
 */
#include "hpp_tests.hpp"

namespace
{

using namespace std::chrono_literals;

void results_and_exceptions_come_by_handles()
{
    const fj::pool pool = pool_of(2);
    fj::task_handle<int> sum = fj::start(
        pool, [](int a, int b) { return a + b; }, 40, 2);
    CHECK(sum.valid());
    CHECK_EQ(sum.get(), 42);
    CHECK(!sum.valid());
    fj::task_handle<std::unique_ptr<int>> moved =
        fj::start(pool, [number = std::make_unique<int>(7)]() mutable { return std::move(number); });
    CHECK_EQ(*moved.get(), 7);
    int variable = 0;
    CHECK(&fj::start(pool, [&]() -> int & { return variable; }).get() == &variable);
    fj::start(pool, [&] { variable = 3; }).get();
    CHECK_EQ(variable, 3);
    fj::task_handle<int> failed = fj::start(pool, []() -> int { throw std::runtime_error("in a task"); });
    CHECK_STR(text_of([&] { failed.get(); }).c_str(), "in a task");
    CHECK(unhandled_texts::none());
}

void a_waiter_runs_what_nobody_has_begun()
{
    const fj::pool pool = pool_of(1);
    pool.defer(true);
    std::thread::id ran;
    fj::task_handle<void> task = fj::start(pool, [&] { ran = std::this_thread::get_id(); });
    CHECK(!task.ready());
    CHECK(!task.wait_for(1ms));
    CHECK(!task.wait_for(-1ms));
    task.wait();
    CHECK(ran == std::this_thread::get_id());
    CHECK(task.ready());
    CHECK(task.wait_for(0ms));
    CHECK(task.wait_for(std::chrono::hours::max()));
    task.wait();
    task.get();
    pool.defer(false); /* the pool comes to it and only lets go */
    CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1);
}

void a_waiter_sleeps_until_the_worker_is_done()
{
    const fj::pool pool = pool_of(1);
    Gate gate;
    auto held = std::make_shared<int>(5);
    fj::task_handle<int> task = fj::start(pool, [&gate, held] {
        gate.pass();
        return *held;
    });
    gate.await(1);
    CHECK(!task.ready());
    CHECK(!task.wait_for(2ms)); /* withdraws */
    std::thread opener([&] { gate.open(); });
    CHECK_EQ(task.get(), 5);
    CHECK_EQ(held.use_count(), 1);
    opener.join();
}

void tasks_may_wait_for_tasks_in_a_pool_of_one()
{
    const fj::pool pool = pool_of(1);
    struct recursion {
        static int fib(fj::pool pool, int n)
        {
            if (n < 2)
                return n;
            fj::task_handle<int> left = fj::start(pool, fib, pool, n - 1);
            const int right = fib(pool, n - 2);
            return left.get() + right;
        }
    };
    CHECK_EQ(fj::start(pool, recursion::fib, pool, 15).get(), 610);
}

void dropped_handles_let_their_jobs_run()
{
    const fj::pool pool = pool_of(1);
    std::atomic<int> ran{0};
    pool.defer(true);
    {
        fj::task_handle<void> dropped = fj::start(pool, [&] { ran++; });
        fj::task_handle<void> other = fj::start(pool, [&] { ran++; });
        dropped = std::move(other); /* drops the first */
        CHECK(!other.valid());      // NOLINT: that is what is tested
        fj::task_handle<void> third;
        third.swap(dropped);
        CHECK(third.valid() && !dropped.valid());
    }
    pool.defer(false);
    POLL(ran.load() == 2);
    {
        fj::task_handle<int> failed =
            fj::start(pool, []() -> int { throw std::runtime_error("nobody looks"); });
    }
    CHECK_STR(unhandled_texts::next().c_str(), "nobody looks");
    {
        fj::task_handle<int> failed =
            fj::start(pool, []() -> int { throw std::runtime_error("nobody fetches"); });
        failed.wait();
        CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1);
    }
    CHECK_STR(unhandled_texts::next().c_str(), "nobody fetches");
    fj::start(pool, [] { return Counted(1); });
    fj::start(pool, Counted(2));
    POLL(Counted::alive.load() == 0);
}

void a_handle_without_a_job_says_so()
{
    fj::task_handle<int> none;
    CHECK(!none.valid());
    CHECK_EQ(code_of([&] { none.ready(); }), FJ_EINVAL);
    CHECK_EQ(code_of([&] { none.wait(); }), FJ_EINVAL);
    CHECK_EQ(code_of([&] { none.wait_for(1ms); }), FJ_EINVAL);
    CHECK_EQ(code_of([&] { none.get(); }), FJ_EINVAL);
    none = fj::start(fj::pool::cpu(), [] { return 3; });
    CHECK_EQ(none.get(), 3);
    CHECK_EQ(code_of([&] { none.get(); }), FJ_EINVAL);
}

/* Every way in which the two owners can meet: the handle waits, waits a little, polls, or is dropped while
 * the worker is at it. */
void owners_meet_in_every_way()
{
    const fj::pool pool = pool_of(2);
    std::atomic<int> ran{0};
    int started = 0;
    for (int i = 0; i < many(20000); i++) {
        auto number = std::make_unique<int>(i);
        fj::task_handle<int> task = fj::start(pool, [&ran, number = std::move(number)] {
            ran++;
            return *number;
        });
        started++;
        for (int pause = i % 50; pause > 0; pause--)
            fj::detail::spin_once();
        switch (i % 5) {
        case 0:
            CHECK_EQ(task.get(), i);
            break;
        case 1:
            if (task.wait_for(20us)) {
                CHECK_EQ(task.get(), i);
            }
            break;
        case 2:
            if (!task.ready())
                task.wait();
            CHECK(task.ready());
            break;
        case 3:
            while (!task.wait_for(1us)) {
            }
            break;
        default:
            break; /* drops it */
        }
    }
    POLL(ran.load() == started);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(results_and_exceptions_come_by_handles);
    RUN(a_waiter_runs_what_nobody_has_begun);
    RUN(a_waiter_sleeps_until_the_worker_is_done);
    RUN(tasks_may_wait_for_tasks_in_a_pool_of_one);
    RUN(dropped_handles_let_their_jobs_run);
    RUN(a_handle_without_a_job_says_so);
    RUN(owners_meet_in_every_way);
    ec_thread_pool_shutdown();
    CHECK(unhandled_texts::none());
    return check_report();
}
