/*
 * test_hpp_group.cpp - fastjobs.hpp: group. Waiting, helping, nesting, exceptions, cancelling.
 */
#include "hpp_tests.hpp"

namespace
{

void wait_means_all_have_run()
{
    const fj::pool pool = pool_of(2);
    fj::group group;
    CHECK(group.idle());
    group.wait();                             /* for nothing */
    for (int round = 0; round < 3; round++) { /* a group can be used again */
        std::vector<int> squares(1000);
        for (std::size_t i = 0; i < squares.size(); i++)
            group.run(
                pool, [&squares](std::size_t at) { squares[at] = static_cast<int>(at * at); }, i);
        group.wait(round == 1 ? fj::help::no : fj::help::yes);
        CHECK(group.idle());
        for (std::size_t i = 0; i < squares.size(); i++)
            CHECK_EQ(squares[i], i * i);
    }
    auto move_only = std::make_unique<int>(7);
    int got = 0;
    group.run(pool, [&got, number = std::move(move_only)] { got = *number; });
    group.wait();
    CHECK_EQ(got, 7);
}

void the_waiter_helps()
{
    const fj::pool pool = pool_of(1);
    pool.defer(true); /* so nobody else can */
    fj::group group;
    std::vector<int> order;
    for (int i = 0; i < 10; i++)
        group.run(pool, [&order, i] { order.push_back(i); });
    CHECK(!group.idle());
    group.wait();
    CHECK_EQ(order.size(), 10);
    CHECK_EQ(order.front(), 9); /* newest first */
    {
        fj::group short_lived; /* is gone before the pool comes to its jobs */
        for (int i = 0; i < 10; i++)
            short_lived.run(pool, [&order, i] { order.push_back(i); });
    }
    CHECK_EQ(order.size(), 20);
    CHECK_EQ(pool.queue_size(), 20);
    pool.defer(false);
    CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1);
    CHECK_EQ(order.size(), 20);
}

void a_waiter_that_does_not_help_keeps_to_the_pool()
{
    const fj::pool pool = pool_of(1);
    std::atomic<int> inside{0}, most{0};
    fj::group group;
    for (int i = 0; i < 200; i++)
        group.run(pool, [&] {
            if (++inside > most)
                most = inside.load();
            --inside;
        });
    group.wait(fj::help::no);
    CHECK_EQ(most.load(), 1);
}

void jobs_without_a_pool_run_in_their_submitter()
{
    fj::group group;
    std::thread::id ran;
    group.run(fj::pool::short_lived(), [&] { ran = std::this_thread::get_id(); });
    CHECK(ran == std::this_thread::get_id());
    CHECK(group.idle());
    group.wait();
}

void the_first_exception_comes_out_of_wait()
{
    const fj::pool pool = pool_of(1);
    fj::group group;
    pool.defer(true);
    std::atomic<int> ran{0};
    for (int i = 0; i < 3; i++)
        group.run(pool, [&ran, i] {
            ran++;
            throw std::runtime_error("job " + std::to_string(i));
        });
    CHECK_STR(text_of([&] { group.wait(); }).c_str(), "job 2"); /* the waiter began with the newest */
    CHECK_EQ(ran.load(), 3);
    group.wait(); /* it is thrown once */
    group.run(pool, [] { throw std::runtime_error("again"); });
    CHECK_STR(text_of([&] { group.wait(); }).c_str(), "again");
    pool.defer(false);
    group.run(pool, [] { throw std::runtime_error("in a worker"); });
    CHECK_STR(text_of([&] { group.wait(fj::help::no); }).c_str(), "in a worker");
    CHECK(unhandled_texts::none());
    {
        fj::group dropped;
        dropped.run(pool, [] { throw std::runtime_error("nobody waits"); });
    }
    CHECK_STR(unhandled_texts::next().c_str(), "nobody waits");
}

void cancel_drops_what_has_not_begun()
{
    const fj::pool pool = pool_of(1);
    Gate gate;
    fj::group group;
    std::atomic<int> ran{0};
    group.run(pool, [&] {
        gate.pass();
        ran++;
    });
    gate.await(1);
    for (int i = 0; i < 10; i++)
        group.run(pool, [&ran, held = Counted(1)] { ran++; });
    CHECK_EQ(Counted::alive.load(), 10);
    CHECK_EQ(group.cancel(), 10);
    CHECK_EQ(Counted::alive.load(), 0);
    CHECK_EQ(group.cancel(), 0);
    CHECK(!group.idle()); /* the one that runs goes on */
    gate.open();
    group.wait();
    CHECK_EQ(ran.load(), 1);
    group.run(pool, [&] { ran++; });
    group.wait();
    CHECK_EQ(ran.load(), 2);
}

void a_job_may_cancel_its_group()
{
    const fj::pool pool = pool_of(1);
    Gate gate;
    fj::group group;
    std::size_t dropped = 0;
    group.run(pool, [&] {
        gate.pass();
        dropped = group.cancel();
    });
    gate.await(1);
    int ran = 0;
    for (int i = 0; i < 5; i++)
        group.run(pool, [&ran] { ran++; });
    gate.open();
    group.wait(fj::help::no);
    CHECK_EQ(dropped, 5);
    CHECK_EQ(ran, 0);
}

int tree(fj::pool pool, int depth)
{
    if (depth == 0)
        return 1;
    std::atomic<int> leaves{0};
    fj::group group;
    for (int i = 0; i < 3; i++)
        group.run(pool, [&, depth] { leaves += tree(pool, depth - 1); });
    group.wait();
    return leaves;
}

void groups_nest_in_pools_of_any_concurrency()
{
    for (int concurrency : {0, 1, 2, 8}) {
        const fj::pool pool = pool_of(concurrency);
        CHECK_EQ(fj::submit(pool, tree, pool, 6).get(), 729);
        CHECK_EQ(tree(pool, 6), 729);
    }
}

void groups_nest_where_the_backlog_is_short()
{
    const fj::pool pool = pool_of(1, 2);
    CHECK_EQ(tree(pool, 5), 243);
}

/* The only worker of `one` sleeps in wait(); a job in another pool gives the group a job for `one`. */
void a_job_that_comes_while_the_waiter_sleeps_is_run()
{
    const fj::pool one = pool_of(1), two = pool_of(1);
    const auto in_one = [&] {
        fj::group group;
        Gate gate;
        std::atomic<bool> ran{false};
        std::atomic<long> waiter{0};
        group.run(two, [&] {
            gate.pass();
            POLL(thread_sleeps(waiter.load()));
            group.run(one, [&] { ran = true; });
        });
        gate.await(1);
        gate.open();
        waiter = thread_id();
        group.wait();
        CHECK(ran.load());
    };
    fj::submit(one, in_one).get();
}

void a_job_that_waits_for_its_own_group_is_told()
{
    const fj::pool pool = pool_of(1); /* so that the job's thread runs the innermost one too */
    fj::group group;
    int code = 0, inner_code = 0;
    group.run(pool, [&] {
        code = code_of([&] { group.wait(); });
        fj::group inner;
        inner.run(pool, [] {});
        inner.wait(); /* another group is fine */
        fj::group innermost;
        innermost.run(pool, [&] { inner_code = code_of([&] { group.wait(); }); });
        innermost.wait();
    });
    group.wait(fj::help::no);
    CHECK_EQ(code, FJ_EDEADLK);
    CHECK_EQ(inner_code, FJ_EDEADLK);
}

void a_job_that_destroys_its_own_group_ends_the_program()
{
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == nullptr)
            _exit(1);
        auto *group = new fj::group;
        group->run(fj::pool::short_lived(), [&] { delete group; });
        _exit(0);
    }
    const int status = CHILD_STATUS(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(a_job_that_destroys_its_own_group_ends_the_program); /* first: it forks */
    RUN(wait_means_all_have_run);
    RUN(the_waiter_helps);
    RUN(a_waiter_that_does_not_help_keeps_to_the_pool);
    RUN(jobs_without_a_pool_run_in_their_submitter);
    RUN(the_first_exception_comes_out_of_wait);
    RUN(cancel_drops_what_has_not_begun);
    RUN(a_job_may_cancel_its_group);
    RUN(groups_nest_in_pools_of_any_concurrency);
    RUN(groups_nest_where_the_backlog_is_short);
    RUN(a_job_that_comes_while_the_waiter_sleeps_is_run);
    RUN(a_job_that_waits_for_its_own_group_is_told);
    ec_thread_pool_shutdown(); /* comes to the jobs that waiters have run */
    CHECK_EQ(Counted::alive.load(), 0);
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(fj::detail::memory_type(100, 8), &usage), 1);
    CHECK_EQ(usage.objects, 0);
    CHECK(unhandled_texts::none());
    return check_report();
}
