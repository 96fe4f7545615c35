/*
 * test_hpp_nest.cpp - fastjobs.hpp: jobs of groups that jobs of the same pool submit
 * (docs/protocols.md#nest). Trees, thieves, waiters whose jobs are elsewhere, cancels, a pool that ends. More
 * with FASTJOBS_STRESS=1.
 */
#include "hpp_tests.hpp"

namespace
{

/** How many threads are inside of jobs, at most. A waiter that runs a job in a job counts once. */
struct Inside {
    static inline std::atomic<int> now{0}, most{0};
    static inline thread_local int depth = 0;

    Inside()
    {
        if (depth++ != 0)
            return;
        const int mine = ++now;
        int seen = most.load();
        while (mine > seen && !most.compare_exchange_weak(seen, mine)) {
        }
    }
    ~Inside()
    {
        if (--depth == 0)
            now--;
    }
};

void node(fj::pool in, int depth, int children, std::atomic<long> &ran)
{
    const Inside inside;
    ran++;
    if (depth == 0)
        return;
    fj::group group;
    for (int i = 0; i < children; i++)
        group.run(in, node, in, depth - 1, children, std::ref(ran));
    group.wait();
}

void a_tree_keeps_to_the_pools_concurrency()
{
    for (const int workers : {1, 2, 4}) {
        const fj::pool pool = pool_of(workers);
        Inside::most = 0;
        for (int round = 0; round < many(20); round++) {
            std::atomic<long> ran{0};
            fj::group root;
            root.run(pool, node, pool, 10, 2, std::ref(ran));
            root.wait(fj::help::no);
            CHECK_EQ(ran.load(), (2L << 10) - 1);
        }
        CHECK(Inside::most.load() <= workers);
    }
}

void a_job_may_have_more_children_than_a_nest_holds()
{
    const fj::pool pool = pool_of(2);
    std::atomic<long> ran{0};
    fj::group root;
    root.run(pool, node, pool, 2, 700, std::ref(ran));
    root.wait(fj::help::no);
    CHECK_EQ(ran.load(), 1 + 700 + 700 * 700);
}

/* The parent works on and does not wait: another thread of the pool has to come for the children. */
void what_a_busy_thread_keeps_is_stolen()
{
    const fj::pool pool = pool_of(3);
    for (int round = 0; round < many(200); round++) {
        fj::group root;
        root.run(pool, [&] {
            std::atomic<int> ran{0};
            for (int i = 0; i < 2; i++)
                root.run(pool, [&ran] {
                    ran++;
                    while (ran.load() < 2) /* two thieves at once */
                        std::this_thread::yield();
                });
            while (ran.load() < 2)
                std::this_thread::yield();
        });
        root.wait(fj::help::no);
    }
}

/* Both workers are taken: one waits for the group, the other's job has submitted to it and will not end
 * before that has run. */
void a_waiter_runs_what_another_thread_keeps()
{
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(2000); round++) {
        fj::group outer, group;
        std::atomic<bool> began{false}, ran{false};
        outer.run(pool, [&] {
            group.run(pool, [&, round] {
                began = true;
                for (int pause = 41 * round % 5000; pause > 0; pause--)
                    fj::detail::spin_once(); /* the waiter spins, goes to sleep, sleeps */
                fj::group other;
                other.run(pool, [] {});
                group.run(pool, [&ran] { ran = true; });
                other.run(pool, [] {});
                while (!ran.load())
                    std::this_thread::yield();
            });
            while (!began.load())
                std::this_thread::yield();
            group.wait();
        });
        outer.wait(fj::help::no);
    }
}

void jobs_of_other_groups_do_not_bury_a_waiters()
{
    const fj::pool pool = pool_of(1);
    for (int round = 0; round < many(500); round++) {
        std::string order;
        fj::group root, second;
        root.run(pool, [&] {
            fj::group first;
            first.run(pool, [&] { order += '1'; });
            second.run(pool, [&] { order += '2'; });
            if (round % 2 == 0)
                CHECK_EQ(first.cancel(), 1);
            first.wait();
            CHECK(order == (round % 2 == 0 ? "" : "1"));
        });
        root.wait(fj::help::no);
        second.wait(fj::help::no);
        CHECK(order == (round % 2 == 0 ? "2" : "12"));
    }
}

void a_cancel_drops_what_is_kept()
{
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(500); round++) {
        fj::group root;
        std::atomic<long> ran{0}, dropped{0};
        root.run(pool, [&, round] {
            fj::group group;
            for (int i = 0; i < 100; i++) {
                group.run(pool, [&ran, held = Counted(1)] { ran++; });
                if (i == round % 100)
                    dropped += static_cast<long>(group.cancel());
            }
            dropped += static_cast<long>(group.cancel());
            CHECK_EQ(group.cancel(), 0);
            group.run(pool, [&ran] { ran++; });
            group.wait();
        });
        root.wait(round % 2 == 0 ? fj::help::no : fj::help::yes);
        CHECK_EQ(ran.load() + dropped.load(), 101);
        CHECK_EQ(Counted::alive.load(), 0);
    }
}

void exceptions_of_kept_jobs_come_out_of_the_wait()
{
    const fj::pool pool = pool_of(2);
    fj::group root;
    std::atomic<int> caught{0};
    for (int i = 0; i < 100; i++)
        root.run(pool, [&] {
            fj::group group;
            group.run(pool, [] { throw std::runtime_error("kept"); });
            group.run(pool, [] {});
            try {
                group.wait();
            } catch (const std::runtime_error &) {
                caught++;
            }
            group.wait(); /* it was fetched */
        });
    root.wait();
    CHECK_EQ(caught.load(), 100);
}

/* A thread has jobs of two pools in turn, one inside of the other. */
void two_pools(fj::pool one, fj::pool other, int depth, std::atomic<long> &ran)
{
    ran++;
    if (depth == 0)
        return;
    fj::group group;
    group.run(one, two_pools, one, other, depth - 1, std::ref(ran));
    group.run(other, two_pools, other, one, depth - 1, std::ref(ran));
    group.run(one, two_pools, other, one, depth - 1, std::ref(ran));
    group.wait();
}

void a_thief_runs_nothing_of_a_deferred_pool()
{
    for (int jobs = 1; jobs <= 2; jobs++) { /* with the second one others could come */
        const fj::pool pool = pool_of(2);
        std::atomic<bool> stolen{false}, over{false};
        std::atomic<int> ran{0};
        fj::group outer;
        outer.run(pool, [&] {
            fj::group group;
            group.run(pool, [&] {
                stolen = true;
                while (!over)
                    std::this_thread::yield();
            });
            POLL(stolen.load()); /* the other thread is at this nest */
            pool.defer(true);
            for (int i = 0; i < jobs; i++)
                group.run(pool, [&] { ran++; });
            over = true;
            POLL(ran.load() > 0 ||
                 pool.queue_size() == 2); /* the call for it, and the job that was handed on */
            CHECK_EQ(ran.load(), 0);
            pool.defer(false);
            group.wait(fj::help::no);
            CHECK_EQ(ran.load(), jobs);
        });
        outer.wait(fj::help::no);
    }
}

void a_nested_job_without_a_pool_leaves_no_error()
{
    int before = -1, after = -1;
    fj::group outer;
    outer.run(fj::pool::short_lived(), [&] {
        before = fj_last_error_code();
        fj::group group;
        group.run(fj::pool::short_lived(), [] {});
        group.wait();
        after = fj_last_error_code();
    });
    outer.wait();
    CHECK_EQ(after, before);
}

void jobs_of_two_pools_may_nest()
{
    const fj::pool one = pool_of(1), other = pool_of(2);
    for (int round = 0; round < many(20); round++) {
        std::atomic<long> ran{0};
        fj::group root;
        root.run(one, two_pools, one, other, 6, std::ref(ran));
        root.wait(round % 2 == 0 ? fj::help::no : fj::help::yes);
        CHECK_EQ(ran.load(), (2187 - 1) / 2); /* 1 + 3 + ... + 3^6 */
    }
}

/* Nobody helps: what jobs add to their own group is over by the pool's threads alone. */
void jobs_that_nobody_waits_for_are_run()
{
    struct adding {
        static void job(fj::group &group, fj::pool in, int depth, std::atomic<long> &ran)
        {
            ran++;
            for (int i = 0; i < 3 && depth > 0; i++)
                group.run(in, job, std::ref(group), in, depth - 1, std::ref(ran));
        }
    };
    const fj::pool pool = pool_of(2);
    for (int round = 0; round < many(50); round++) {
        std::atomic<long> ran{0};
        auto group = std::make_unique<fj::group>();
        group->run(pool, adding::job, std::ref(*group), pool, 6, std::ref(ran));
        group->wait(fj::help::no);
        group.reset();
        CHECK_EQ(ran.load(), (2187 - 1) / 2);
    }
}

/* While the engine ends, jobs still submit: each child is run or refused. */
void a_pool_that_ends_runs_what_it_took()
{
    const fj::pool pool = pool_of(2);
    std::atomic<long> taken{0}, ran{0};
    std::atomic<bool> ends{false};
    fj::group root;
    for (int i = 0; i < 2; i++)
        root.run(pool, [&] {
            for (int more = 0; more < 1000; more += ends.load() ? 1 : 0) {
                fj::group group;
                try {
                    for (int child = 0; child < 5; child++) {
                        group.run(pool, [&ran] { ran++; });
                        taken++;
                    }
                } catch (const fj::error &error) {
                    CHECK_EQ(error.code(), FJ_ESHUTDOWN);
                }
                group.wait();
            }
        });
    POLL(ran.load() > 100);
    ends = true;
    CHECK_EQ(ec_thread_pool_shutdown(), 1);
    root.wait(fj::help::no);
    CHECK_EQ(ran.load(), taken.load());
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(a_tree_keeps_to_the_pools_concurrency);
    RUN(a_job_may_have_more_children_than_a_nest_holds);
    RUN(what_a_busy_thread_keeps_is_stolen);
    RUN(a_waiter_runs_what_another_thread_keeps);
    RUN(jobs_of_other_groups_do_not_bury_a_waiters);
    RUN(a_cancel_drops_what_is_kept);
    RUN(exceptions_of_kept_jobs_come_out_of_the_wait);
    RUN(a_thief_runs_nothing_of_a_deferred_pool);
    RUN(a_nested_job_without_a_pool_leaves_no_error);
    RUN(jobs_of_two_pools_may_nest);
    RUN(jobs_that_nobody_waits_for_are_run);
    RUN(a_pool_that_ends_runs_what_it_took);
    for (const std::size_t size : {128u, 192u, 320u}) {
        fj_memtype_usage usage;
        CHECK_EQ(fj_memtype_usage_get(fj::detail::memory_type(size, 8), &usage), 1);
        CHECK_EQ(usage.objects, 0);
    }
    CHECK(unhandled_texts::none());
    return check_report();
}
