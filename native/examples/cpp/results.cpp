#include <fastjobs/fastjobs.hpp>

#include <iostream>
#include <memory>

int main()
{
    const fastjobs::engine engine; // at the end of main: run what is queued, end the threads

    // A std::future of the result, or of the exception.
    std::future<int> sum = fastjobs::submit(
        fastjobs::pool::cpu(), [](int a, int b) { return a + b; }, 40, 2);
    std::cout << sum.get() << '\n';

    // A handle is cheaper, and who waits for it runs the job if nobody has begun it.
    auto text = std::make_unique<std::string>("moved in, moved out");
    auto handle = fastjobs::start(fastjobs::pool::cpu(),
                                  [text = std::move(text)]() mutable { return std::move(text); });
    std::cout << *handle.get() << '\n';

    // Fire and forget, in a pool of its own: at most two at once, at most 100 waiting.
    const fastjobs::pool mail = fastjobs::pool::create("mail", 2, 100);
    for (int i = 0; i < 3; i++)
        fastjobs::post(mail, [i] { std::cerr << "letter " << i << '\n'; });
}
