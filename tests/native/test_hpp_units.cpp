/*
 * test_hpp_units.cpp - fastjobs.hpp in two translation units of one program; the other, hpp_unit.cpp, is
 * compiled with -fno-rtti. What is one per process must be one in both.
 */
#include "hpp_tests.hpp"

namespace other
{
fj::exception_handler set_handler(fj::exception_handler handler);
int memory_type(std::size_t size);
fj::task_handle<int> start(fj::pool pool, int number);
void run_in(fj::group &group, fj::pool pool, std::atomic<int> &sum);
int wait_for_own_group(fj::group &group, fj::pool pool);
void throw_in(fj::pool pool);
int everything(fj::pool pool);
} // namespace other

namespace
{

void both_units_share_what_is_one()
{
    CHECK(other::set_handler(unhandled_texts::keep) == unhandled_texts::keep);
    for (std::size_t size : {100u, 150u, 300u})
        CHECK_EQ(other::memory_type(size), fj::detail::memory_type(size, 8));
    const fj::pool pool = pool_of(1);
    other::throw_in(pool);
    CHECK_STR(unhandled_texts::next().c_str(), "from the other unit");
}

void jobs_of_one_unit_are_waited_for_in_the_other()
{
    const fj::pool pool = pool_of(2);
    CHECK_EQ(other::start(pool, 42).get(), 42);
    fj::group group;
    std::atomic<int> sum{0};
    other::run_in(group, pool, sum);
    group.run(pool, [&] { sum += 2; });
    group.wait();
    CHECK_EQ(sum.load(), 42);
    CHECK_EQ(other::wait_for_own_group(group, pool), FJ_EDEADLK);
}

void everything_works_without_rtti()
{
    CHECK_EQ(other::everything(pool_of(2)), 0);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(both_units_share_what_is_one);
    RUN(jobs_of_one_unit_are_waited_for_in_the_other);
    RUN(everything_works_without_rtti);
    ec_thread_pool_shutdown();
    return check_report();
}
