/*
 * test_hpp_submit.cpp - fastjobs.hpp: post, submit with a future and with callbacks, and what happens to
 * exceptions and to callables that are not taken.
 */
#include "hpp_tests.hpp"

#include <array>

namespace
{

/* ---- results ---- */

int sum_of(int a, int b)
{
    return a + b;
}

struct Account {
    int balance = 40;
    int deposit(int amount) { return balance += amount; }
};

void results_come_by_futures()
{
    const fj::pool pool = pool_of(2);
    CHECK_EQ(fj::submit(pool, sum_of, 40, 2).get(), 42);
    Account account;
    CHECK_EQ(fj::submit(pool, &Account::deposit, &account, 2).get(), 42);
    int variable = 0;
    std::future<int &> reference = fj::submit(pool, [&]() -> int & { return variable; });
    CHECK(&reference.get() == &variable);
    fj::submit(
        pool, [](int &changed) { changed = 5; }, std::ref(variable))
        .get();
    CHECK_EQ(variable, 5);
    auto number = std::make_unique<int>(7);
    std::future<std::unique_ptr<int>> moved = fj::submit(
        pool, [](std::unique_ptr<int> given) { return given; }, std::move(number));
    CHECK_EQ(*moved.get(), 7);
    std::future<int> failed = fj::submit(pool, []() -> int { throw std::runtime_error("in a job"); });
    CHECK_STR(text_of([&] { failed.get(); }).c_str(), "in a job");
    CHECK_EQ(fj::submit(fj::pool::short_lived(), [] { return 3; }).get(), 3);
}

/* ---- calls ---- */

std::atomic<int> calls_ran{0};

void count_call()
{
    calls_ran++;
}

void small_callables_run_as_calls()
{
    const fj::pool pool = pool_of(2);
    std::atomic<int> ran{0};
    calls_ran = 0;
    for (int i = 0; i < many(1000); i++) {
        fj::call(pool, [&ran] { ran++; });
        fj::call(pool, [] { calls_ran++; });
        fj::call(pool, count_call);
        fj::call(pool,
                 [number = -1.5F, sign = static_cast<short>(-3)] { calls_ran += number < 0 && sign == -3; });
    }
    CHECK_EQ(fj_pool_wait_empty(pool.job_class(), WAIT_SECONDS * 1000), 1);
    CHECK_EQ(ran, many(1000));
    CHECK_EQ(calls_ran, 3 * many(1000));
    CHECK_EQ(code_of([] { fj::call(fj::pool(4711), count_call); }), FJ_ENOCLASS);
}

/* The callable is over before its result is there. */
void callables_end_before_their_results_come()
{
    const fj::pool pool = pool_of(2);
    for (int i = 0; i < many(500); i++) {
        auto shared = std::make_shared<int>(i);
        const int got = fj::submit(pool, [shared] { return *shared; }).get();
        CHECK_EQ(got, i);
        CHECK_EQ(shared.use_count(), 1);
    }
}

void callables_are_moved_and_copied_as_little_as_need_be()
{
    const fj::pool pool = pool_of(1);
    Counted::copies = 0;
    CHECK_EQ(fj::submit(pool, Counted(5)).get(), 5);
    CHECK_EQ(Counted::copies.load(), 0);
    const Counted kept(6);
    CHECK_EQ(fj::submit(pool, kept).get(), 6);
    CHECK_EQ(Counted::copies.load(), 1);
    CHECK_EQ(Counted::alive.load(), 1);
}

template <std::size_t Size, std::size_t Alignment> void run_of_size(fj::pool pool)
{
    struct alignas(Alignment) Block {
        std::array<unsigned char, Size> bytes;
    };
    Block block{};
    for (std::size_t i = 0; i < Size; i++)
        block.bytes[i] = static_cast<unsigned char>(i * 7);
    const auto judge = [block] {
        bool same = reinterpret_cast<std::uintptr_t>(&block) % Alignment == 0;
        for (std::size_t i = 0; i < Size; i++)
            same = same && block.bytes[i] == static_cast<unsigned char>(i * 7);
        return same;
    };
    CHECK(fj::submit(pool, judge).get());
    CHECK(fj::start(pool, judge).get());
    std::atomic<bool> posted{false}, grouped{false};
    fj::post(pool, [&posted, judge] { posted = judge(); });
    POLL(posted.load());
    fj::group group;
    group.run(pool, [&grouped, judge] { grouped = judge(); });
    group.wait();
    CHECK(grouped.load());
}

void callables_of_all_sizes_and_alignments_run()
{
    const fj::pool pool = pool_of(2);
    run_of_size<1, 1>(pool);
    run_of_size<24, 8>(pool);
    run_of_size<32, 16>(pool);
    run_of_size<96, 8>(pool);
    run_of_size<224, 16>(pool);
    run_of_size<225, 1>(pool);
    run_of_size<5000, 8>(pool);
    run_of_size<64, 64>(pool);
    run_of_size<4096, 4096>(pool);
}

/* ---- exceptions ---- */

void exceptions_of_posted_jobs_go_to_the_handler()
{
    const fj::pool pool = pool_of(1);
    CHECK(fj::set_exception_handler(unhandled_texts::keep) == unhandled_texts::keep);
    fj::post(pool, [] { throw std::runtime_error("posted"); });
    CHECK_STR(unhandled_texts::next().c_str(), "posted");
    CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1); /* the worker goes on */
    fj::submit(pool, []() -> int { throw std::runtime_error("dropped with its future"); }).wait();
    CHECK(unhandled_texts::none());
}

/* In a child, whose standard error is a file. */
void the_default_handler_prints()
{
    char name[] = "/tmp/fastjobs-hpp-XXXXXX";
    const int file = mkstemp(name);
    CHECK_OR_RETURN(file >= 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(file, STDERR_FILENO);
        fj::set_exception_handler(nullptr);
        fj::post(fj::pool::cpu(), [] { throw std::runtime_error("seen by nobody"); });
        fj::post(fj::pool::cpu(), [] { throw 5; });
        ec_thread_pool_shutdown();
        _exit(0);
    }
    EXPECT_EXIT(child, 0);
    char text[512] = "";
    CHECK(pread(file, text, sizeof text - 1, 0) > 0);
    CHECK(strstr(text, "seen by nobody") != nullptr);
    CHECK(strstr(text, "not a std::exception") != nullptr);
    close(file);
    unlink(name);
}

/* ---- callbacks ---- */

void callbacks_get_outcomes_in_the_worker()
{
    const fj::pool pool = pool_of(1);
    sem_t done;
    new_semaphore(&done, 0);
    std::thread::id ran, called;
    int got = 0;
    auto gate = std::make_unique<int>(2); /* both may be move-only */
    fj::submit(
        pool, fj::on_worker([&, gate = std::move(gate)](fj::outcome<int> &&result) {
            called = std::this_thread::get_id();
            got = result.get() + *gate;
            sem_post(&done);
        }),
        [&](std::unique_ptr<int> given) {
            ran = std::this_thread::get_id();
            return *given;
        },
        std::make_unique<int>(40));
    AWAIT(&done);
    CHECK_EQ(got, 42);
    CHECK(ran == called && ran != std::this_thread::get_id());

    std::string text;
    fj::submit(pool, fj::on_worker([&](fj::outcome<void> &&result) {
                   text = text_of([&] { result.get(); });
                   sem_post(&done);
               }),
               [] { throw std::runtime_error("for the callback"); });
    AWAIT(&done);
    CHECK_STR(text.c_str(), "for the callback");

    fj::submit(pool, fj::on_worker([](fj::outcome<void> &&) { throw std::runtime_error("callback"); }),
               [] {});
    CHECK_STR(unhandled_texts::next().c_str(), "callback");
}

void callbacks_get_outcomes_in_the_scheduler_thread()
{
    const fj::pool pool = pool_of(2);
    sem_t done;
    new_semaphore(&done, 0);
    int in_scheduler = 0, got = 0;
    auto alive = std::make_shared<int>(40);
    long users = -1;
    fj::submit(
        pool, fj::on_scheduler([&](fj::outcome<int> &&result) {
            in_scheduler = fj_is_scheduler_thread();
            users = alive.use_count(); /* the callable is over */
            got = result.get();
            sem_post(&done);
        }),
        [alive](int more) { return *alive + more; }, 2);
    AWAIT(&done);
    CHECK_EQ(in_scheduler, 1);
    CHECK_EQ(got, 42);
    CHECK_EQ(users, 1);

    std::string text;
    fj::submit(pool, fj::on_scheduler([&](fj::outcome<std::string> &&result) {
                   text = text_of([&] { result.get(); });
                   sem_post(&done);
               }),
               []() -> std::string { throw std::runtime_error("for the scheduler"); });
    AWAIT(&done);
    CHECK_STR(text.c_str(), "for the scheduler");
    fj::submit(pool, fj::on_scheduler([](fj::outcome<void> &&) { throw std::runtime_error("scheduler"); }),
               [] {});
    CHECK_STR(unhandled_texts::next().c_str(), "scheduler");
}

/* ---- callables that are not taken ---- */

struct Assignable {
    std::unique_ptr<int> held = std::make_unique<int>(9);
    int operator()(const std::string &) const { return *held; }
};

void what_is_not_taken_is_given_back()
{
    const fj::pool nowhere(12345);
    const auto judge = [](auto &&submit_it) {
        auto number = std::make_unique<int>(3);
        auto lambda = [number = std::move(number)](const std::string &) { return *number; };
        Assignable assignable;
        std::string text = "an argument that is too long for a small string";
        CHECK_EQ(code_of([&] { submit_it(std::move(lambda), std::move(text)); }), FJ_ENOCLASS);
        CHECK_STR(text.c_str(), "an argument that is too long for a small string");
        CHECK_EQ(lambda(text), 3);
        CHECK_EQ(code_of([&] { submit_it(std::move(assignable), std::move(text)); }), FJ_ENOCLASS);
        CHECK_EQ(assignable(text), 9);
    };
    judge([&](auto &&c, auto &&a) { fj::post(nowhere, std::move(c), std::move(a)); });
    judge([&](auto &&c, auto &&a) { fj::submit(nowhere, std::move(c), std::move(a)); });
    judge([&](auto &&c, auto &&a) {
        fj::submit(nowhere, fj::on_worker([](auto &&) {}), std::move(c), std::move(a));
    });
    judge([&](auto &&c, auto &&a) {
        fj::submit(nowhere, fj::on_scheduler([](auto &&) {}), std::move(c), std::move(a));
    });
    judge([&](auto &&c, auto &&a) { fj::start(nowhere, std::move(c), std::move(a)); });
    fj::group group;
    judge([&](auto &&c, auto &&a) { group.run(nowhere, std::move(c), std::move(a)); });
    group.wait(); /* it counts none of them */
    CHECK_EQ(Counted::alive.load(), 0);
    Counted kept(4);
    CHECK_EQ(code_of([&] { fj::post(nowhere, kept); }), FJ_ENOCLASS);
    CHECK_EQ(kept.number, 4);
    CHECK_EQ(code_of([&] { fj::post(nowhere, std::move(kept)); }), FJ_ENOCLASS);
    CHECK_EQ(kept.number, 4);
    CHECK_EQ(Counted::alive.load(), 1);
}

struct ThrowsWhenMoved {
    ThrowsWhenMoved() = default;
    ThrowsWhenMoved(const ThrowsWhenMoved &) { throw std::runtime_error("no copy"); }
    void operator()() const {}
};

void a_callable_that_cannot_be_copied_in_throws_its_own()
{
    const ThrowsWhenMoved callable;
    CHECK_STR(text_of([&] { fj::post(fj::pool::cpu(), callable); }).c_str(), "no copy");
    fj::group group;
    CHECK_STR(text_of([&] { group.run(fj::pool::cpu(), callable); }).c_str(), "no copy");
    group.wait();
}

/* ---- threads that jobs end ---- */

void a_job_that_ends_its_thread_keeps_no_one_waiting()
{
    const fj::pool pool = pool_of(1);
    std::future<void> future = fj::submit(pool, [] { pthread_exit(nullptr); });
    CHECK(text_of([&] { future.get(); }) != "(nothing was thrown)");
    fj::post(pool, [held = Counted(1)] { pthread_exit(nullptr); });
    CHECK_STR(unhandled_texts::next().c_str(), "the job ended its thread (pthread_exit)");
    fj::group group;
    group.run(pool, [] { pthread_exit(nullptr); });
    CHECK_STR(text_of([&] { group.wait(fj::help::no); }).c_str(), "the job ended its thread (pthread_exit)");
    fj::task_handle<int> task = fj::start(pool, []() -> int { pthread_exit(nullptr); });
    while (!task.wait_for(std::chrono::seconds(1))) {
    }
    CHECK_STR(text_of([&] { task.get(); }).c_str(), "the job ended its thread (pthread_exit)");
    CHECK_EQ(fj::submit(pool, [] { return 1; }).get(), 1);
    POLL(Counted::alive.load() == 0);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(the_default_handler_prints); /* first: it forks */
    RUN(results_come_by_futures);
    RUN(small_callables_run_as_calls);
    RUN(callables_end_before_their_results_come);
    RUN(callables_are_moved_and_copied_as_little_as_need_be);
    RUN(callables_of_all_sizes_and_alignments_run);
    RUN(exceptions_of_posted_jobs_go_to_the_handler);
    RUN(callbacks_get_outcomes_in_the_worker);
    RUN(callbacks_get_outcomes_in_the_scheduler_thread);
    RUN(what_is_not_taken_is_given_back);
    RUN(a_callable_that_cannot_be_copied_in_throws_its_own);
    RUN(a_job_that_ends_its_thread_keeps_no_one_waiting);
    return check_report();
}
