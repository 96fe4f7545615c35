/*
 * test_hpp_asio.cpp - fastjobs_asio.hpp: pools as executors of Boost.Asio. Built if Boost is there.
 */
#include "hpp_tests.hpp"

#if defined(THREAD_SANITIZER)
#define BOOST_ASIO_DISABLE_FENCED_BLOCK /* the sanitizer does not know fences; nothing here is ordered by    \
                                           them */
#endif
#include "fastjobs_asio.hpp"

#include <boost/asio.hpp>

#include <algorithm>

namespace asio = boost::asio;

namespace
{

static_assert(asio::execution::is_executor<fj::executor>::value, "the base concept");
static_assert(asio::can_require<fj::executor, asio::execution::blocking_t::never_t>::value, "post needs it");
static_assert(asio::can_require<fj::executor, asio::execution::outstanding_work_t::tracked_t>::value, "");
static_assert(std::is_convertible<fj::executor, asio::any_io_executor>::value, "I/O objects need it");

void handlers_run_in_the_pool()
{
    const fj::pool pool = pool_of(1);
    fj::executor_context context(pool);
    std::atomic<int> ran{0};
    std::thread::id worker;
    asio::post(context.get_executor(), [&] {
        worker = std::this_thread::get_id();
        ran++;
    });
    asio::dispatch(context.get_executor(), [&] { ran++; });
    asio::defer(context.get_executor(), [&, number = std::make_unique<int>(1)] { ran += *number; });
    context.join();
    CHECK_EQ(ran.load(), 3);
    CHECK(worker != std::this_thread::get_id());
    CHECK_EQ(asio::post(context.get_executor(), asio::use_future([] { return 42; })).get(), 42);
}

void dispatch_runs_at_once_where_it_may()
{
    fj::executor_context context(pool_of(1));
    const fj::pool other = pool_of(1);
    const fj::executor executor = context.get_executor();
    std::vector<std::string> order;
    CHECK(!executor.running_in_this_thread());
    asio::post(executor, [&] {
        CHECK(executor.running_in_this_thread());
        CHECK(!context.get_executor(other).running_in_this_thread());
        asio::post(executor, [&] { order.emplace_back("posted"); });
        asio::dispatch(executor, [&] { order.emplace_back("dispatched"); });
        asio::dispatch(executor, [] { throw std::runtime_error("at once"); });
        order.emplace_back("returned");
    });
    context.join();
    CHECK_OR_RETURN(order.size() == 3);
    CHECK_STR(order[0].c_str(), "dispatched");
    CHECK_STR(order[1].c_str(), "returned");
    CHECK_STR(order[2].c_str(), "posted");
    CHECK_STR(unhandled_texts::next().c_str(), "at once");
}

void properties_are_what_was_asked_for()
{
    namespace execution = asio::execution;
    fj::executor_context context(pool_of(1));
    const fj::executor executor = context.get_executor();
    CHECK(asio::query(executor, execution::blocking) == execution::blocking.possibly);
    const auto never = asio::require(executor, execution::blocking.never);
    CHECK(asio::query(never, execution::blocking) == execution::blocking.never);
    CHECK(asio::require(never, execution::blocking.possibly) == executor);
    CHECK(never != executor);
    CHECK(asio::query(executor, execution::relationship) == execution::relationship.fork);
    const auto continuation = asio::prefer(executor, execution::relationship.continuation);
    CHECK(asio::query(continuation, execution::relationship) == execution::relationship.continuation);
    CHECK(asio::require(continuation, execution::relationship.fork) == executor);
    CHECK(asio::query(executor, execution::mapping) == execution::mapping.thread);
    CHECK(asio::query(executor, execution::outstanding_work) == execution::outstanding_work.untracked);
    CHECK(&asio::query(executor, execution::context) == &context);
    CHECK(&executor.context() == &context);
    const auto tracked = asio::require(executor, execution::outstanding_work.tracked);
    CHECK(asio::query(tracked, execution::outstanding_work) == execution::outstanding_work.tracked);
    CHECK(asio::require(tracked, execution::outstanding_work.untracked) == executor);
    fj::executor_context other(pool_of(1));
    CHECK(other.get_executor() != executor);
    CHECK(context.get_executor(fj::pool::io()) != executor);
    fj::executor assigned = other.get_executor();
    assigned = executor;
    CHECK(assigned == executor);
    fj::executor swapped = other.get_executor();
    swapped.swap(assigned);
    CHECK(swapped == executor && assigned == other.get_executor());
}

void join_waits_for_tracked_work()
{
    fj::executor_context context(pool_of(1));
    bool done = false;
    using tracked_executor = std::decay_t<decltype(asio::require(context.get_executor(),
                                                                 asio::execution::outstanding_work.tracked))>;
    auto work = std::make_unique<tracked_executor>(
        asio::require(context.get_executor(), asio::execution::outstanding_work.tracked));
    {
        tracked_executor copy = *work;
        tracked_executor moved = std::move(copy);
        *work = moved;
        *work = std::move(moved);
    } /* back to one */
    std::atomic<long> joiner{0};
    std::thread ends([&] {
        POLL(joiner.load() != 0 && thread_sleeps(joiner.load()));
        done = true;
        work.reset();
    });
    joiner = thread_id();
    context.join();
    CHECK(done);
    ends.join();
    context.join();
}

void a_strand_runs_one_at_a_time_in_order()
{
    fj::executor_context context(pool_of(4));
    auto strand = asio::make_strand(context.get_executor());
    std::vector<int> order;
    std::atomic<int> inside{0};
    int most = 0;
    const int count = many(5000);
    for (int i = 0; i < count; i++)
        asio::post(strand, [&, i] {
            most = std::max(most, ++inside);
            order.push_back(i);
            inside--;
        });
    context.join();
    CHECK_EQ(most, 1);
    CHECK_EQ(order.size(), count);
    CHECK(std::is_sorted(order.begin(), order.end()));
    bool at_once = false;
    asio::post(strand, [&] {
        bool ran = false;
        asio::dispatch(strand, [&] { ran = true; });
        at_once = ran;
    });
    context.join();
    CHECK(at_once);
}

void any_io_executor_holds_one()
{
    fj::executor_context context(pool_of(1));
    const asio::any_io_executor any = context.get_executor();
    std::atomic<int> ran{0};
    asio::post(any, [&] { ran++; });
    asio::dispatch(asio::make_strand(any), [&] { ran++; });
    context.join();
    CHECK_EQ(ran.load(), 2);
    CHECK(any == asio::any_io_executor(context.get_executor()));
}

void timers_complete_in_the_pool()
{
    fj::executor_context context(pool_of(1));
    const fj::executor executor = context.get_executor();
    asio::steady_timer timer(executor, std::chrono::milliseconds(2));
    bool in_pool = false;
    timer.async_wait([&](const boost::system::error_code &error) {
        in_pool = !error && executor.running_in_this_thread();
    });
    context.join();
    CHECK(in_pool);
    boost::system::error_code code;
    asio::steady_timer late(executor, std::chrono::hours(1));
    late.async_wait([&](const boost::system::error_code &error) { code = error; });
    late.cancel();
    context.join();
    CHECK(code == asio::error::operation_aborted);
}

void failures_are_thrown_or_told()
{
    fj::executor_context context(fj::pool(12345));
    CHECK_EQ(code_of([&] { asio::post(context.get_executor(), [] {}); }), FJ_ENOCLASS);
    context.join(); /* it counts not */
    asio::post(context.get_executor(fj::pool::cpu()), [] { throw std::runtime_error("a handler"); });
    CHECK_STR(unhandled_texts::next().c_str(), "a handler");
    int code = 0;
    asio::post(context.get_executor(fj::pool::cpu()), [&] { code = code_of([&] { context.join(); }); });
    context.join();
    CHECK_EQ(code, FJ_EDEADLK);
}

void a_handler_that_destroys_its_context_ends_the_program()
{
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == nullptr)
            _exit(1);
        auto *context = new fj::executor_context(fj::pool::short_lived());
        asio::post(context->get_executor(), [&] { delete context; });
        _exit(0);
    }
    const int status = CHILD_STATUS(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* The destructor comes while handlers are on their way, and each starts another. */
void contexts_end_when_their_handlers_have()
{
    const fj::pool pool = pool_of(2);
    struct chain {
        static void link(const fj::executor &executor, std::atomic<int> &ran, int left)
        {
            ran++;
            if (left > 0)
                asio::post(executor, [executor, &ran, left] { link(executor, ran, left - 1); });
        }
    };
    for (int i = 0; i < many(2000); i++) {
        std::atomic<int> ran{0};
        {
            fj::executor_context context(pool);
            chain::link(context.get_executor(), ran, i % 5);
        }
        CHECK_EQ(ran.load(), i % 5 + 1);
    }
}

#if defined(BOOST_ASIO_HAS_CO_AWAIT)
asio::awaitable<int> add(fj::executor executor, int a, int b)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_await asio::post(executor, asio::use_awaitable);
    co_return a + b;
}

void coroutines_are_spawned_in_the_pool()
{
    fj::executor_context context(pool_of(2));
    std::vector<std::future<int>> sums;
    for (int i = 0; i < 50; i++)
        sums.push_back(
            asio::co_spawn(context.get_executor(), add(context.get_executor(), i, 2), asio::use_future));
    for (int i = 0; i < 50; i++)
        CHECK_EQ(sums[static_cast<std::size_t>(i)].get(), i + 2);
    context.join();
}
#endif

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(a_handler_that_destroys_its_context_ends_the_program); /* first: it forks */
    RUN(handlers_run_in_the_pool);
    RUN(dispatch_runs_at_once_where_it_may);
    RUN(properties_are_what_was_asked_for);
    RUN(join_waits_for_tracked_work);
    RUN(a_strand_runs_one_at_a_time_in_order);
    RUN(any_io_executor_holds_one);
    RUN(timers_complete_in_the_pool);
    RUN(failures_are_thrown_or_told);
    RUN(contexts_end_when_their_handlers_have);
#if defined(BOOST_ASIO_HAS_CO_AWAIT)
    RUN(coroutines_are_spawned_in_the_pool);
#endif
    ec_thread_pool_shutdown();
    CHECK(unhandled_texts::none());
    return check_report();
}
