/*
 * test_hpp_shutdown.cpp - fastjobs.hpp: the engine's end by RAII, and what a program may still do after it.
 * Each scenario ends its process's engine, so each is a child process.
 */
#include "hpp_tests.hpp"

namespace
{

std::atomic<int> ran{0};

void post_some()
{
    for (int i = 0; i < 100; i++)
        fj::post(fj::pool::cpu(), [] { ran++; });
}

void scope_end_runs_what_was_submitted()
{
    {
        const fj::engine engine;
        post_some();
    }
    CHECK_EQ(ran.load(), 100);
    CHECK_EQ(code_of([] { fj::post(fj::pool::cpu(), [] {}); }), FJ_ESHUTDOWN);
}

void keep_running_keeps_it()
{
    {
        const fj::engine asked(fj::engine::at_end::keep_running);
        fj::engine told;
        told.keep_running();
        fj::engine source;
        const fj::engine moved(std::move(source));
        CHECK_EQ(fj::submit(fj::pool::cpu(), [] { return 1; }).get(), 1);
        source.keep_running(); /* it is not the owner any more: this says nothing */
    }
    CHECK_EQ(code_of([] { fj::post(fj::pool::cpu(), [] {}); }), FJ_ESHUTDOWN); /* `moved` was */
}

void keep_running_alone_keeps_it()
{
    {
        const fj::engine asked(fj::engine::at_end::keep_running);
        fj::engine told;
        told.keep_running();
    }
    CHECK_EQ(fj::submit(fj::pool::cpu(), [] { return 1; }).get(), 1);
}

void shutdown_is_explicit_or_fails_with_a_reason()
{
    fj::engine engine;
    post_some();
    const int in_a_job = fj::submit(fj::pool::cpu(), [] {
                             fj::engine mine(fj::engine::at_end::keep_running);
                             return code_of([&] { mine.shutdown(); });
                         }).get();
    CHECK_EQ(in_a_job, FJ_EDEADLK);
    engine.shutdown();
    CHECK_EQ(ran.load(), 100);
    CHECK_EQ(code_of([&] { engine.shutdown(); }), FJ_ESHUTDOWN);
    CHECK(unhandled_texts::none());
    {
        const fj::engine second;
    } /* cannot throw: it tells the handler */
    CHECK(!unhandled_texts::none());
    CHECK_STR(unhandled_texts::next().c_str(), "ec_thread_pool_shutdown has been called before");
}

void after_a_shutdown_callables_are_given_back()
{
    fj::group group; /* outlives the engine */
    {
        const fj::engine engine;
        group.run(fj::pool::cpu(), [] { ran++; });
    }
    auto number = std::make_unique<int>(5);
    auto job = [number = std::move(number)] { return *number; };
    CHECK_EQ(code_of([&] { fj::start(fj::pool::cpu(), std::move(job)); }), FJ_ESHUTDOWN);
    CHECK_EQ(code_of([&] { group.run(fj::pool::cpu(), std::move(job)); }), FJ_ESHUTDOWN);
    CHECK_EQ(code_of([&] { fj::submit(fj::pool::short_lived(), std::move(job)); }), FJ_ESHUTDOWN);
    CHECK_EQ(job(), 5);
    group.wait();
    CHECK_EQ(ran.load(), 1);
    CHECK_EQ(code_of([] { fj::pool::create("too late", 1); }), FJ_ESHUTDOWN);
}

void jobs_that_submit_jobs_are_drained_too()
{
    struct chain {
        static void link(int left)
        {
            ran++;
            if (left > 0)
                fj::post(fj::pool::cpu(), link, left - 1);
        }
    };
    {
        const fj::engine engine;
        fj::post(fj::pool::cpu(), chain::link, 999);
        fj::submit(fj::pool::cpu(), fj::on_scheduler([](fj::outcome<int> &&) { ran++; }), [] { return 1; });
    }
    CHECK_EQ(ran.load(), 1001);
}

/* A process forked from one that uses the library: every call says so, nothing is lost or hangs. */
void a_forked_process_is_told()
{
    fj::submit(fj::pool::cpu(), [] {}).get();
    const pid_t child = fork();
    if (child == 0) {
        bool told = code_of([] { fj::engine engine; }) == FJ_EFORKED;
        told = told && code_of([] { fj::post(fj::pool::cpu(), [] {}); }) == FJ_EFORKED;
        told = told && code_of([] { fj::pool::named("cpu"); }) == FJ_EFORKED;
        _exit(told ? 0 : 1);
    }
    EXPECT_EXIT(child, 0);
}

} // namespace

int main()
{
    hpp_tests_begin();
#define RUN_IN_CHILD(scenario)                                                                               \
    RUN([] { IN_CHILD(scenario); });                                                                         \
    static_cast<void>(0)
    RUN_IN_CHILD(scope_end_runs_what_was_submitted);
    RUN_IN_CHILD(keep_running_keeps_it);
    RUN_IN_CHILD(keep_running_alone_keeps_it);
    RUN_IN_CHILD(shutdown_is_explicit_or_fails_with_a_reason);
    RUN_IN_CHILD(after_a_shutdown_callables_are_given_back);
    RUN_IN_CHILD(jobs_that_submit_jobs_are_drained_too);
    RUN_IN_CHILD(a_forked_process_is_told);
    return check_report();
}
