#include <fastjobs/fastjobs.hpp>

#include <iostream>

int main()
{
    std::promise<void> first, second;
    const fastjobs::engine engine; // below what its jobs use: it ends before
    const auto divide = [](int a, int b) {
        if (b == 0)
            throw std::domain_error("division by zero");
        return a / b;
    };

    // In the worker thread, right after the job.
    fastjobs::submit(fastjobs::pool::cpu(), fastjobs::on_worker([&](fastjobs::outcome<int> &&result) {
                         std::cout << result.get() << '\n';
                         first.set_value();
                     }),
                     divide, 84, 2);
    first.get_future().wait();

    // In the library's scheduler thread, where all such callbacks run one after the other.
    fastjobs::submit(fastjobs::pool::cpu(), fastjobs::on_scheduler([&](fastjobs::outcome<int> &&result) {
                         try {
                             std::cout << result.get() << '\n';
                         } catch (const std::domain_error &error) {
                             std::cout << error.what() << '\n';
                         }
                         second.set_value();
                     }),
                     divide, 1, 0);
    second.get_future().wait();
}
