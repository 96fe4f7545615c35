/* Boost.Asio: thread_pool and post(); an io_context for what concerns event loops. */
#include "main.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/version.hpp>

using namespace arena;
namespace asio = boost::asio;

namespace
{

struct Connection {
    asio::local::stream_protocol::socket socket;
    char text[4096];

    Connection(asio::io_context &loop, int fd) : socket(loop, asio::local::stream_protocol(), fd) {}
    void read()
    {
        socket.async_read_some(asio::buffer(text),
                               [this](const boost::system::error_code &failed, std::size_t n) {
                                   if (!failed)
                                       write(n);
                               });
    }
    void write(std::size_t n)
    {
        asio::async_write(socket, asio::buffer(text, n),
                          [this](const boost::system::error_code &failed, std::size_t) {
                              if (!failed)
                                  read();
                          });
    }
};

struct Asio : Pool {
    static const char *name() { return "asio"; }
    static std::string version()
    {
        return "Boost " + std::to_string(BOOST_VERSION / 100000) + "." +
               std::to_string(BOOST_VERSION / 100 % 1000) + "." + std::to_string(BOOST_VERSION % 100);
    }
    explicit Asio(Setup setup) : pool(std::size_t(setup.workers)) {}
    struct Producer {
        Asio &asio;
        explicit Producer(Asio &a) : asio(a) {}
        void submit(Job *job) { asio.submit_nested(job); }
        void finish() {}
    };
    void submit_nested(Job *job)
    {
        asio::post(pool, [job] { run_job(job); });
    }

    static inline asio::thread_pool *s_pool;
    static inline asio::io_context *s_loop;
    static void completion(const Cell &cell, Figures &out)
    {
        s_pool = &make_lane<Asio>(cell.workers()).pool;
        s_loop = new asio::io_context(1);
        const auto guard = asio::make_work_guard(*s_loop);
        Completions all(cell, [](Completions::Request *r) {
            asio::post(*s_pool, [r] {
                count_one();
                asio::post(*s_loop, [r] {
                    if (!r->all->completed(r))
                        s_loop->stop();
                });
            });
        });
        all.start();
        s_loop->run();
        all.put(out);
    }
    static void echo(const Cell &cell, Figures &out)
    {
        const Connections sockets = connections(cell);
        s_loop = new asio::io_context(1);
        for (const int fd : sockets.server)
            (new Connection(*s_loop, fd))->read();
        std::thread([] { s_loop->run(); }).detach();
        echo_client(cell, out, sockets);
    }
    static bool own_way(const Cell &cell, Figures &out) { return by_event_loop<Asio>(cell, out); }

    asio::thread_pool pool;
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Asio>(argc, argv);
}
