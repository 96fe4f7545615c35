#include <fastjobs/fastjobs.hpp>

#include <iostream>

int main()
{
    using namespace std::chrono_literals;
    const fastjobs::queue_set set; // at the end of main: run what is queued, end the threads
    fastjobs::queue queue = set.create("reports", 2);

    // A job has an id, and its result is kept until it is asked for.
    fastjobs::queued_job<int> sum = queue.add([] { return 40 + 2; });
    std::cout << sum.id() << ": " << sum.get() << '\n';

    // A job that takes its job_run can say how far it is, write, and see that it was cancelled.
    auto endless = queue.add([](fastjobs::job_run run) {
        for (int i = 0; !run.is_cancelled(); i++)
            run.report("round " + std::to_string(i));
    });
    if (!endless.wait_for(10ms))
        endless.cancel();
    try {
        endless.get();
    } catch (const fastjobs::job_cancelled &cancelled) {
        std::cout << cancelled.what() << '\n';
    }

    // An id of its own, a delay, and another try if it throws.
    fastjobs::job_options options;
    options.id = "mail";
    options.delay = 1ms;
    options.max_attempts = 3;
    options.retry = 1ms;
    auto mail = queue.add(options, [](fastjobs::job_run run) {
        if (run.attempt() == 1)
            throw std::runtime_error("the network is down");
        return run.id() + " sent at the second attempt";
    });
    std::cout << mail.get() << '\n';
}
