/*
 * test_hpp_alloc.cpp - fastjobs.hpp allocates nothing once it is warm: neither by operator new nor, in any
 * thread of the process, by malloc. Large callables, which use operator new, show that the counts count.
 */
#include "hpp_tests.hpp"

#include <array>
#include <cstdlib>
#include <new>

#if FASTJOBS_HAS_COROUTINES
#include <coroutine>
#endif

namespace
{
std::atomic<long> allocated{0};
} // namespace

#if !defined(ADDRESS_SANITIZER) && !defined(THREAD_SANITIZER)
/* The sanitizers have a malloc of their own, and FASTJOBS_CHECK=1 is to use it: with them only operator new
 * is counted. */
extern "C" {
void *__libc_malloc(std::size_t size);
void *__libc_calloc(std::size_t count, std::size_t size);
void *__libc_realloc(void *memory, std::size_t size);
void *__libc_memalign(std::size_t alignment, std::size_t size);

void *malloc(std::size_t size)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    return __libc_malloc(size);
}
void *calloc(std::size_t count, std::size_t size)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    return __libc_calloc(count, size);
}
void *realloc(void *memory, std::size_t size)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    return __libc_realloc(memory, size);
}
void *aligned_alloc(std::size_t alignment, std::size_t size)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    return __libc_memalign(alignment, size);
}
}
#endif

/* Inlined, GCC takes each half of a pair for the other's mismatch. */
[[gnu::noinline]] void *operator new(std::size_t size)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    if (void *memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void *operator new(std::size_t size, std::align_val_t alignment)
{
    allocated.fetch_add(1, std::memory_order_relaxed);
    const auto to = static_cast<std::size_t>(alignment);
    if (void *memory = std::aligned_alloc(to, (size + to - 1) / to * to))
        return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void *memory) noexcept
{
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void *memory, std::align_val_t) noexcept
{
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void *memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}

namespace
{

constexpr int jobs = 500; /* a round */

/* Rounds until one allocates nothing, then five more: what these allocate. */
template <typename Round> long allocated_when_warm(Round &&round)
{
    long seen = -1;
    for (int i = 0; i < 50 && seen != 0; i++) {
        const long before = allocated.load();
        round();
        seen = allocated.load() - before;
    }
    CHECK_EQ(seen, 0); /* it gets warm */
    const long before = allocated.load();
    for (int i = 0; i < 5; i++)
        round();
    return allocated.load() - before;
}

fj::pool shared_pool()
{
    static const fj::pool pool = pool_of(2);
    return pool;
}

std::atomic<int> left{0};

void await_none_left()
{
    while (left.load() > 0)
        std::this_thread::yield();
}

template <std::size_t Bytes> struct closure {
    std::array<char, Bytes> bytes{};
    void operator()() const { left--; }
};

template <std::size_t Bytes> void post_round()
{
    left = jobs;
    for (int i = 0; i < jobs; i++)
        fj::post(shared_pool(), closure<Bytes>());
    await_none_left();
}

void post_allocates_nothing()
{
    CHECK_EQ(allocated_when_warm(post_round<1>), 0);
    CHECK_EQ(allocated_when_warm(post_round<32>), 0);
    CHECK_EQ(allocated_when_warm(post_round<96>), 0);
    CHECK_EQ(allocated_when_warm(post_round<224>), 0);
}

void large_callables_come_from_operator_new()
{
    const long before = allocated.load();
    post_round<225>();
    CHECK(allocated.load() - before >= jobs);
}

void a_group_allocates_nothing()
{
    const auto round = [] {
        fj::group group;
        left = 3 * jobs;
        for (int i = 0; i < jobs; i++) {
            group.run(shared_pool(), closure<8>());
            group.run(shared_pool(), closure<72>());
            group.run(shared_pool(), closure<200>());
        }
        group.wait();
        CHECK_EQ(left.load(), 0);
    };
    CHECK_EQ(allocated_when_warm(round), 0);
}

void handles_futures_and_callbacks_allocate_nothing()
{
    CHECK_EQ(allocated_when_warm([] {
                 for (int i = 0; i < jobs; i++)
                     CHECK_EQ(fj::start(shared_pool(), [i] { return i; }).get(), i);
             }),
             0);
    CHECK_EQ(allocated_when_warm([] {
                 for (int i = 0; i < jobs; i++)
                     CHECK_EQ(fj::submit(shared_pool(), [i] { return i; }).get(), i);
             }),
             0);
    CHECK_EQ(allocated_when_warm([] {
                 left = 2 * jobs;
                 for (int i = 0; i < jobs; i++) {
                     fj::submit(shared_pool(), fj::on_worker([](fj::outcome<int> &&) { left--; }),
                                [i] { return i; });
                     fj::submit(shared_pool(), fj::on_scheduler([](fj::outcome<int> &&) { left--; }),
                                [i] { return i; });
                 }
                 await_none_left();
             }),
             0);
}

#if FASTJOBS_HAS_COROUTINES
struct detached {
    struct promise_type {
        detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

detached hop(int times)
{
    for (int i = 0; i < times; i++) {
        co_await fj::schedule(shared_pool());
        const int got = co_await fj::run(shared_pool(), [i] { return i; });
        CHECK_EQ(got, i);
    }
    left--;
}

void awaiting_allocates_nothing_but_the_frame()
{
    constexpr int frames = 3;
    const auto round = [] {
        left = frames;
        for (int i = 0; i < frames; i++)
            hop(jobs);
        await_none_left();
    };
    for (int i = 0; i < 3; i++)
        round();
    const long before = allocated.load();
    round();
#if defined(ADDRESS_SANITIZER) || defined(THREAD_SANITIZER)
    CHECK_EQ(allocated.load() - before, frames); /* operator new */
#else
    CHECK_EQ(allocated.load() - before, 2 * frames); /* operator new, and its malloc */
#endif
}
#endif

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(post_allocates_nothing);
    RUN(large_callables_come_from_operator_new);
    RUN(a_group_allocates_nothing);
    RUN(handles_futures_and_callbacks_allocate_nothing);
#if FASTJOBS_HAS_COROUTINES
    RUN(awaiting_allocates_nothing_but_the_frame);
#endif
    return check_report();
}
