/*
 * test_hpp_pool.cpp - fastjobs.hpp: pools and their settings, the line that submitted, outcomes, the version.
 */
#include "hpp_tests.hpp"

namespace
{

void pools_are_values()
{
    static_assert(fj::pool::cpu() == fj::pool(ECTP_CLASS_CPU), "by number");
    static_assert(fj::pool::io() != fj::pool::cpu(), "");
    static_assert(fj::pool::short_lived().job_class() == ECTP_CLASS_SHORT_LIVED, "");
    CHECK(fj::pool::named("cpu") == fj::pool::cpu());
    CHECK(fj::pool::named("Short_Lived") == fj::pool::short_lived());
    const int before = fj::pool::count();
    const fj::pool made = fj::pool::create("hpp.values", 3, 7);
    CHECK_EQ(fj::pool::count(), before + 1);
    CHECK(fj::pool::named("HPP.Values") == made);
    CHECK_STR(made.name().c_str(), "hpp.values");
    CHECK_EQ(made.stats().concurrency, 3);
    CHECK_EQ(made.queue_size(), 0);
    CHECK_EQ(code_of([] { fj::pool::named("hpp.nobody"); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([] { fj::pool::create("hpp.VALUES", 1); }), FJ_EEXIST);
    CHECK_EQ(code_of([] { fj::pool::create("", 1); }), FJ_EINVAL);
    CHECK_EQ(code_of([] { fj::pool::create("hpp.negative", -1); }), FJ_EINVAL);
}

void settings_reach_the_pool()
{
    const fj::pool pool = pool_of(2);
    pool.set_backlog(5);
    pool.set_stack_size(256 * 1024);
    pool.set_concurrency(1);
    CHECK_EQ(pool.stats().concurrency, 1);
    CHECK(!pool.is_deferred());
    pool.defer(true);
    CHECK(pool.is_deferred());
    for (int i = 0; i < 3; i++)
        fj::post(pool, [] {});
    CHECK_EQ(pool.queue_size(), 3);
    pool.defer(false);
    CHECK(!pool.is_deferred());
    std::thread::id worker;
    std::future<void> last = fj::submit(pool, [&] { worker = std::this_thread::get_id(); });
    last.get();
    CHECK(worker != std::this_thread::get_id());
    POLL(pool.stats().invocations == 4);
    pool.reset_stats();
    CHECK_EQ(static_cast<int>(pool.stats().invocations), 0);
    CHECK_EQ(code_of([&] { pool.set_backlog(6); }), FJ_EBUSY);
    CHECK_EQ(pool.stats().num_threads, 1);
    pool.auto_shrink();
    POLL(pool.stats().num_threads == 0);

    const fj::pool idle = pool_of(1);
    idle.set_idle_timeout(1);
    idle.set_order(FJ_ORDER_RELAXED);
    fj::submit(idle, [] {}).get();
    POLL(idle.stats().num_threads == 0);
}

void a_pool_that_is_not_there_is_an_error_everywhere()
{
    const fj::pool nowhere(12345);
    CHECK_EQ(code_of([&] { nowhere.name(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.queue_size(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.stats(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.reset_stats(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.set_concurrency(1); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.set_idle_timeout(1); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.set_order(FJ_ORDER_RELAXED); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.set_backlog(1); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.set_stack_size(0); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.auto_shrink(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.defer(true); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { nowhere.is_deferred(); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { fj::post(nowhere, [] {}); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { fj::submit(nowhere, [] {}); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { fj::submit(nowhere, fj::on_worker([](auto &&) {}), [] {}); }), FJ_ENOCLASS);
    CHECK_EQ(code_of([&] { fj::submit(nowhere, fj::on_scheduler([](auto &&) {}), [] {}); }), FJ_ENOCLASS);
    CHECK_STR(text_of([&] { fj::post(nowhere, [] {}); }).c_str(), "no pool has job class 12345");
}

void listings_show_the_line_that_submitted()
{
    const fj::pool pool = pool_of(1);
    pool.defer(true);
    fj::post(pool, [] {});
    const int line = __LINE__ - 1;
    fj_job_kind kinds[4];
    CHECK_EQ(fj_pool_job_kinds(pool.job_class(), kinds, 4), 1);
    CHECK_STR(kinds[0].file, __FILE__);
    CHECK_EQ(kinds[0].line, line);
    pool.defer(false);
    const fj::target here(pool, "a file", 7);
    CHECK(here.to() == pool);
    CHECK_STR(here.file(), "a file");
    CHECK_EQ(here.line(), 7);
}

void the_version_is_the_librarys()
{
    CHECK_STR(fj::engine::version(), fj_version());
}

/* ---- outcome ---- */

void an_outcome_is_empty_a_value_or_an_exception()
{
    fj::outcome<int> number;
    CHECK(!number.ok() && !number);
    CHECK(number.exception() == nullptr);
    CHECK_EQ(code_of([&] { number.get(); }), FJ_EINVAL);
    number.fill([] { return 42; });
    CHECK(number.ok() && number.exception() == nullptr);
    CHECK_EQ(number.get(), 42);
    CHECK_EQ(code_of([&] { number.get(); }), FJ_EINVAL);
    number.fill([]() -> int { throw std::runtime_error("no number"); });
    CHECK(!number && number.exception() != nullptr);
    CHECK_STR(text_of([&] { number.get(); }).c_str(), "no number");
    CHECK(number.exception() == nullptr);

    int variable = 1;
    fj::outcome<int &> reference;
    reference.fill([&]() -> int & { return variable; });
    CHECK(&reference.get() == &variable);
    fj::outcome<void> nothing;
    nothing.fill([] {});
    CHECK(nothing.ok());
    nothing.get();
    CHECK(!nothing.ok());
    fj::outcome<std::exception_ptr> pointer; /* a value that could be taken for the exception */
    pointer.fill([] { return std::make_exception_ptr(1); });
    CHECK(pointer.ok() && pointer.get() != nullptr);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(pools_are_values);
    RUN(settings_reach_the_pool);
    RUN(a_pool_that_is_not_there_is_an_error_everywhere);
    RUN(listings_show_the_line_that_submitted);
    RUN(the_version_is_the_librarys);
    RUN(an_outcome_is_empty_a_value_or_an_exception);
    return check_report();
}
