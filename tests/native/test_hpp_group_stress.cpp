/*
 * test_hpp_group_stress.cpp - fastjobs.hpp: groups of many threads, groups that are destroyed as soon as
 * wait() allows, waiters that turn back (docs/protocols.md#group). More with FASTJOBS_STRESS=1.
 */
#include "hpp_tests.hpp"

namespace
{

void groups_take_jobs_of_many_threads_and_many_wait()
{
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(50); round++) {
        fj::group group;
        std::atomic<long> sum{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; t++)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 300; i++) {
                    group.run(pool, [&sum, i] { sum += i; });
                    if (t == 2 && i % 100 == 0)
                        group.wait();
                }
                group.wait(t == 0 ? fj::help::no : fj::help::yes);
            });
        for (std::thread &thread : threads)
            thread.join();
        CHECK_EQ(sum.load(), 3L * 300 * 299 / 2);
    }
}

/* The count comes to zero in a worker while the waiter is about to sleep, sleeps, or leaves and destroys the
 * group; and the pool comes to jobs that the waiter has run. */
void groups_end_as_soon_as_they_may()
{
    const fj::pool pool = pool_of(2);
    std::atomic<long> ran{0};
    long started = 0;
    for (int round = 0; round < many(20000); round++) {
        auto group = std::make_unique<fj::group>();
        const int jobs = 1 + round % 3;
        for (int i = 0; i < jobs; i++)
            group->run(pool, [&ran, round] {
                for (int pause = round % 97; pause > 0; pause--)
                    fj::detail::spin_once();
                ran++;
            });
        started += jobs;
        if (round % 4 == 0)
            started -= static_cast<long>(group->cancel());
        group->wait(round % 2 == 0 ? fj::help::no : fj::help::yes);
        group.reset();
        CHECK_EQ(ran.load(), started);
    }
}

/* Jobs come while the waiter goes to sleep, so it turns back while the last one is about to wake it. */
void groups_whose_jobs_add_jobs_end_too()
{
    const fj::pool pool = pool_of(2);
    struct chain {
        static void link(fj::group &group, fj::pool in, std::atomic<int> &ran, int left)
        {
            ran++;
            if (left > 0)
                group.run(in, link, std::ref(group), in, std::ref(ran), left - 1);
            for (int pause = 37 * left % 400; pause > 0; pause--)
                fj::detail::spin_once();
        }
    };
    for (int round = 0; round < many(5000); round++) {
        std::atomic<int> ran{0};
        auto group = std::make_unique<fj::group>();
        group->run(pool, chain::link, std::ref(*group), pool, std::ref(ran), round % 20);
        group->wait(round % 3 == 0 ? fj::help::no : fj::help::yes);
        group.reset();
        CHECK_EQ(ran.load(), round % 20 + 1);
    }
}

/* The count alone, with a waiter that sets its flag, turns back and looks again: so the last to finish is
 * often caught between its subtraction and its unlock. Then the waiter destroys the count. */
void counts_end_as_soon_as_their_waiter_leaves()
{
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(20000); round++) {
        auto count = std::make_unique<fj::detail::pending>();
        for (int i = 0; i < 2; i++) {
            count->add();
            fj::post(pool, [last = count.get()] { last->finish(); });
        }
        bool turns_back = false;
        while (!count->idle())
            count->sleep_unless([&] { return turns_back = !turns_back || round % 8 != 0; });
        {
            const std::lock_guard<std::mutex> behind(count->lock());
        }
        count.reset();
    }
}

/* Jobs long enough that the waiter has given up spinning. */
void waiters_that_sleep_are_woken()
{
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(300); round++) {
        fj::group group;
        std::atomic<int> ran{0};
        for (int i = 0; i < 2; i++)
            group.run(pool, [&ran] {
                const double end = seconds_now() + 100e-6;
                while (seconds_now() < end) {
                }
                ran++;
            });
        group.wait(fj::help::no);
        CHECK_EQ(ran.load(), 2);
    }
}

/* Nobody waits, so only run() can let go of what the workers have done. */
void a_group_that_nobody_waits_for_does_not_grow()
{
    const fj::pool pool = pool_of(1);
    const int type = fj::detail::memory_type(100, 8);
    fj::group group;
    fj_memtype_usage usage;
    for (int i = 0; i < 100000; i++) {
        group.run(pool, [] {});
        if (i % 100 == 99)
            POLL(group.idle());
    }
    CHECK_EQ(fj_memtype_usage_get(type, &usage), 1);
    CHECK(usage.objects < 2000);
    if (usage.objects >= 2000)
        fprintf(stderr, "%zu objects\n", usage.objects);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(groups_take_jobs_of_many_threads_and_many_wait);
    RUN(groups_end_as_soon_as_they_may);
    RUN(groups_whose_jobs_add_jobs_end_too);
    RUN(counts_end_as_soon_as_their_waiter_leaves);
    RUN(waiters_that_sleep_are_woken);
    RUN(a_group_that_nobody_waits_for_does_not_grow);
    ec_thread_pool_shutdown(); /* comes to the jobs that waiters have run */
    fj_memtype_usage usage;
    CHECK_EQ(fj_memtype_usage_get(fj::detail::memory_type(100, 8), &usage), 1);
    CHECK_EQ(usage.objects, 0);
    CHECK(unhandled_texts::none());
    return check_report();
}
