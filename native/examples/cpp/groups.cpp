#include <fastjobs/fastjobs.hpp>

#include <algorithm>
#include <iostream>
#include <vector>

// Sorts with a job for each half, down to 1,000 numbers. Jobs wait for jobs here, in a pool of two threads:
// that is fine, because a thread that waits for a group runs the group's jobs that nobody has begun.
template <typename Iterator> void parallel_sort(Iterator begin, Iterator end)
{
    if (end - begin <= 1000) {
        std::sort(begin, end);
        return;
    }
    const Iterator middle = begin + (end - begin) / 2;
    fastjobs::group halves;
    halves.run(fastjobs::pool::named("sort"), [=] { parallel_sort(begin, middle); });
    halves.run(fastjobs::pool::named("sort"), [=] { parallel_sort(middle, end); });
    halves.wait(); // throws the first exception, if there was one
    std::inplace_merge(begin, middle, end);
}

int main()
{
    const fastjobs::engine engine;
    fastjobs::pool::create("sort", 2);
    std::vector<int> numbers(100000);
    for (std::size_t i = 0; i < numbers.size(); i++)
        numbers[i] = static_cast<int>(i * 7919 % numbers.size());
    parallel_sort(numbers.begin(), numbers.end());
    std::cout << (std::is_sorted(numbers.begin(), numbers.end()) ? "sorted" : "not sorted") << '\n';
}
