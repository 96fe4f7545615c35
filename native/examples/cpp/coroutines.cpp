#include <fastjobs/fastjobs.hpp>

#include <cctype>
#include <coroutine>
#include <iostream>
#include <string>

// A coroutine that runs at once and that nobody waits for. Bring your own kind: any will do.
struct detached {
    struct promise_type {
        detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { throw; } // to fastjobs::set_exception_handler
    };
};

detached serve(std::string request, std::promise<std::string> answer)
{
    // From here on in a worker of the pool.
    co_await fastjobs::schedule(fastjobs::pool::cpu());
    for (char &c : request)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));

    // In another pool, and back here with the result or the exception, in the thread that ran it …
    const std::size_t length = co_await fastjobs::run(fastjobs::pool::io(), [&] { return request.size(); });

    // … or in the scheduler thread.
    co_await fastjobs::run(fastjobs::pool::io(), fastjobs::resume_on::scheduler, [&] { request += '!'; });
    answer.set_value(request + " (" + std::to_string(length) + ')');
}

int main()
{
    const fastjobs::engine engine;
    std::promise<std::string> promise;
    std::future<std::string> answer = promise.get_future();
    serve("hello", std::move(promise));
    std::cout << answer.get() << '\n';
}
