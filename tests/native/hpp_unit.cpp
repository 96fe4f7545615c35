/*
 * hpp_unit.cpp - the other translation unit of test_hpp_units, which uses all of fastjobs.hpp. It is also
 * compiled by every compiler that is here, as C++17 and C++20, with and without RTTI, with every warning.
 */
#include <fastjobs/fastjobs.hpp>

#include <memory>
#include <string>

namespace fj = fastjobs;

namespace other
{

fj::exception_handler set_handler(fj::exception_handler handler);
int memory_type(std::size_t size);
fj::task_handle<int> start(fj::pool pool, int number);
void run_in(fj::group &group, fj::pool pool, std::atomic<int> &sum);
int wait_for_own_group(fj::group &group, fj::pool pool);
void throw_in(fj::pool pool);
int everything(fj::pool pool);

fj::exception_handler set_handler(fj::exception_handler handler)
{
    return fj::set_exception_handler(handler);
}

int memory_type(std::size_t size)
{
    return fj::detail::memory_type(size, 8);
}

fj::task_handle<int> start(fj::pool pool, int number)
{
    return fj::start(pool, [number] { return number; });
}

void run_in(fj::group &group, fj::pool pool, std::atomic<int> &sum)
{
    for (int i = 0; i < 40; i++)
        group.run(pool, [&sum] { sum++; });
}

int wait_for_own_group(fj::group &group, fj::pool pool)
{
    std::atomic<int> code{0};
    group.run(pool, [&] {
        try {
            group.wait();
        } catch (const fj::error &error) {
            code = error.code();
        }
    });
    group.wait();
    return code;
}

void throw_in(fj::pool pool)
{
    fj::post(pool, [] { throw std::runtime_error("from the other unit"); });
}

#if FASTJOBS_HAS_COROUTINES
namespace
{
struct detached {
    struct promise_type {
        detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

detached awaits(fj::pool pool, std::promise<int> result)
{
    co_await fj::schedule(pool);
    const int a = co_await fj::run(pool, [] { return 40; });
    const int b = co_await fj::run(
        pool, fj::resume_on::scheduler, [](int x) { return x; }, 2);
    try {
        co_await fj::run(pool, [] { throw std::string("text"); });
    } catch (const std::string &) {
        result.set_value(a + b);
    }
}
} // namespace
#endif

/* How many things went wrong. */
int everything(fj::pool pool)
{
    int wrong = 0;
    wrong += fj::submit(
                 pool, [](std::unique_ptr<int> number) { return *number; }, std::make_unique<int>(42))
                         .get() == 42
                 ? 0
                 : 1;
    try {
        fj::submit(pool, [] { throw std::string("text"); }).get();
        wrong++;
    } catch (const std::string &) {
    }
    fj::task_handle<std::string> task = fj::start(pool, [] { return std::string("text"); });
    wrong += task.get() == "text" ? 0 : 1;
    std::promise<int> on_worker, on_scheduler;
    fj::submit(pool, fj::on_worker([&](fj::outcome<int> &&result) { on_worker.set_value(result.get()); }),
               [] { return 1; });
    fj::submit(pool,
               fj::on_scheduler([&](fj::outcome<int> &&result) { on_scheduler.set_value(result.get()); }),
               [] { return 2; });
    wrong += on_worker.get_future().get() == 1 ? 0 : 1;
    wrong += on_scheduler.get_future().get() == 2 ? 0 : 1;
    fj::group group;
    group.run(pool, [] { throw fj::error(FJ_EINVAL, "in a group"); });
    try {
        group.wait();
        wrong++;
    } catch (const fj::error &error) {
        wrong += error.code() == FJ_EINVAL ? 0 : 1;
    }
    wrong += static_cast<int>(group.cancel());
    wrong += pool.queue_size() < 0 || pool.stats().concurrency != 2 ? 1 : 0;
    try {
        fj::pool::named("there is none of this name");
        wrong++;
    } catch (const fj::error &error) {
        wrong += error.code() == FJ_ENOCLASS ? 0 : 1;
    }
    const fj::queue_set set;
    fj::queue queue = set.create("a queue");
    fj::queued_job<int> queued = queue.add([](fj::job_run run) { return run.attempt(); });
    wrong += queued.wait_for(std::chrono::minutes(1)) && queued.get() == 1 ? 0 : 1;
    auto called = std::make_shared<std::promise<int>>();
    queue.add([] { return 3; }).then([called](fj::outcome<int> &&result) {
        called->set_value(result.get());
    });
    wrong += called->get_future().get() == 3 ? 0 : 1;
    wrong += queue.jobs().empty() && set.queues().size() == 1 ? 0 : 1;
#if FASTJOBS_HAS_COROUTINES
    std::promise<int> promise;
    std::future<int> awaited = promise.get_future();
    awaits(pool, std::move(promise));
    wrong += awaited.get() == 42 ? 0 : 1;
#endif
    return wrong;
}

} // namespace other
