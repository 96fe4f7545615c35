#include <fastjobs/fastjobs_asio.hpp>

#include <boost/asio.hpp>

#include <iostream>

int main()
{
    const fastjobs::engine engine;
    fastjobs::executor_context context(fastjobs::pool::cpu());

    // An executor as Asio knows them: post, dispatch, defer, strands, timers, sockets, co_spawn.
    auto strand = boost::asio::make_strand(context.get_executor());
    int sum = 0; // no lock: a strand runs one handler at a time
    for (int i = 1; i <= 100; i++)
        boost::asio::post(strand, [&sum, i] { sum += i; });

    boost::asio::steady_timer timer(strand, std::chrono::milliseconds(10));
    timer.async_wait([&](const boost::system::error_code &) { std::cout << "10 ms later: " << sum << '\n'; });

    context.join(); // no handler is queued or runs, no operation is outstanding
}
