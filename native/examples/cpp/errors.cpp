#include <fastjobs/fastjobs.hpp>

#include <iostream>
#include <memory>

int main()
{
    auto number = std::make_unique<int>(42);
    auto job = [number = std::move(number)] { return *number; };
    try {
        fastjobs::start(fastjobs::pool(12345), std::move(job));
    } catch (const fastjobs::error &error) {
        std::cout << error.what() << (error.code() == FJ_ENOCLASS ? " (FJ_ENOCLASS)\n" : "\n");
    }
    std::cout << job() << '\n'; // given back: it was not taken

    fastjobs::set_exception_handler([](std::exception_ptr exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception &error) {
            std::cout << "unhandled: " << error.what() << '\n';
        }
    });
    const fastjobs::engine engine; // its end waits for the job
    fastjobs::post(fastjobs::pool::cpu(),
                   [] { throw std::runtime_error("from a job that nobody waits for"); });
}
