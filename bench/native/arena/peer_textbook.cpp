/*
 * The pool of a textbook: a mutex, a condition variable, a queue of functions. Its event loop is the
 * textbook's too: epoll, and an eventfd for what other threads send.
 */
#include "main.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <queue>
#include <sys/epoll.h>
#include <sys/eventfd.h>

using namespace arena;

namespace
{

class Loop
{
  public:
    Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    {
        add(wake_);
    }
    void add(int fd)
    {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
            std::abort();
    }
    void post(std::function<void()> call)
    {
        {
            std::lock_guard<std::mutex> locked(mutex_);
            posted_.push_back(std::move(call));
            if (posted_.size() > 1)
                return;
        }
        eventfd_write(wake_, 1);
    }
    template <class Readable> void run(const bool &over, Readable readable)
    {
        while (!over) {
            epoll_event events[64];
            const int n = epoll_wait(epoll_, events, 64, -1);
            for (int i = 0; i < n; i++) {
                if (events[i].data.fd == wake_)
                    take_posted();
                else
                    readable(events[i].data.fd);
            }
        }
    }

  private:
    void take_posted()
    {
        eventfd_t n;
        eventfd_read(wake_, &n);
        std::deque<std::function<void()>> all;
        {
            std::lock_guard<std::mutex> locked(mutex_);
            all.swap(posted_);
        }
        for (auto &call : all)
            call();
    }
    int epoll_, wake_;
    std::mutex mutex_;
    std::deque<std::function<void()>> posted_;
};

struct Textbook : Pool {
    static const char *name() { return "textbook"; }
    static std::string version() { return gcc_version(); }

    explicit Textbook(Setup setup)
    {
        for (int i = 0; i < setup.workers; i++)
            std::thread([this] { work(); }).detach();
    }
    [[noreturn]] void work()
    {
        for (;;) {
            std::function<void()> job;
            {
                std::unique_lock<std::mutex> locked(mutex);
                filled.wait(locked, [this] { return !queue.empty(); });
                job = std::move(queue.front());
                queue.pop();
            }
            job();
        }
    }
    template <class Callable> void put(Callable callable)
    {
        {
            std::lock_guard<std::mutex> locked(mutex);
            queue.emplace(callable);
        }
        filled.notify_one();
    }
    struct Producer {
        Textbook &pool;
        explicit Producer(Textbook &p) : pool(p) {}
        void submit(Job *job) { pool.submit_nested(job); }
        void submit_many(Job **jobs, int n)
        {
            {
                std::lock_guard<std::mutex> locked(pool.mutex);
                for (int i = 0; i < n; i++)
                    pool.queue.emplace([job = jobs[i]] { run_job(job); });
            }
            pool.filled.notify_all();
        }
        void finish() {}
    };
    void submit_nested(Job *job)
    {
        put([job] { run_job(job); });
    }

    static inline Textbook *s_pool;
    static inline Loop *s_loop;
    static void completion(const Cell &cell, Figures &out)
    {
        s_pool = &make_lane<Textbook>(cell.workers());
        s_loop = new Loop;
        bool over = false;
        static bool *s_over = &over;
        Completions all(cell, [](Completions::Request *r) {
            s_pool->put([r] {
                count_one();
                s_loop->post([r] { *s_over = !r->all->completed(r); });
            });
        });
        all.start();
        s_loop->run(over, [](int) {});
        all.put(out);
    }
    static void echo(const Cell &cell, Figures &out)
    {
        const Connections sockets = connections(cell);
        std::thread([&sockets] {
            Loop loop;
            for (const int fd : sockets.server)
                loop.add(fd);
            loop.run(false, [](int fd) {
                char text[4096];
                const ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
                if (n > 0 && send(fd, text, std::size_t(n), MSG_NOSIGNAL) != n)
                    std::abort();
            });
        }).detach();
        echo_client(cell, out, sockets);
    }
    static bool own_way(const Cell &cell, Figures &out) { return by_event_loop<Textbook>(cell, out); }

    std::mutex mutex;
    std::condition_variable filled;
    std::queue<std::function<void()>> queue;
};

} // namespace

int main(int argc, char **argv)
{
    return bench_main<Textbook>(argc, argv);
}
