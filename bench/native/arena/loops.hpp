/*
 * loops.hpp - workloads of event loops: completion on the loop's thread, and echo through the loop. A peer
 * with a loop calls these from its own_way().
 */
#pragma once

#include "peer.hpp"

#include <sys/socket.h>
#include <thread>

namespace arena
{

/** `window` jobs are under way; whenever one has completed, in the loop's thread, that thread submits it
 * again. */
class Completions
{
  public:
    struct Request {
        Completions *all;
        std::uint64_t submitted_ns;
        void *of_peer; /* the peer's own */
    };

    Completions(const Cell &cell, void (*submit)(Request *))
        : requests(std::size_t(cell.get("window", 1))), submit_(submit), n_(cell.jobs(200e3)), left_(n_)
    {
        for (auto &r : requests)
            r = {this, 0, nullptr};
        times_.reserve(n_);
        sem_init(&over, 0, 0);
    }

    /** First, in the loop's thread or before it runs. */
    void start()
    {
        base_ = counted();
        stretch_ = Stretch();
        for (auto &r : requests)
            submit(r);
    }
    /** In the loop's thread: the request's job has run. false: that was the last. */
    bool completed(Request *r)
    {
        times_.push_back(std::uint32_t(std::min<std::uint64_t>(now_ns() - r->submitted_ns, UINT32_MAX)));
        if (times_.size() == n_) {
            stretch_.stop();
            sem_post(&over);
            return false;
        }
        if (left_ > 0)
            submit(*r);
        return true;
    }
    void put(Figures &out)
    {
        stretch_.put(out, n_);
        put_percentiles(out, times_);
        check_count(out, base_ + n_);
    }
    std::vector<Request> requests;
    sem_t over; /* posted when all have completed */

  private:
    void submit(Request &r)
    {
        left_--;
        r.submitted_ns = now_ns();
        submit_(&r);
    }
    void (*submit_)(Request *);
    std::uint64_t n_, left_, base_ = 0;
    std::vector<std::uint32_t> times_;
    Stretch stretch_;
};

/* ---- echo ---- */

constexpr std::size_t message = 64;

struct Connections {
    std::vector<int> client, server;

    explicit Connections(int n)
    {
        for (int i = 0; i < n; i++) {
            int ends[2];
            if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
                std::abort();
            client.push_back(ends[0]);
            server.push_back(ends[1]);
        }
    }
};

inline void exchange(const Connections &sockets, unsigned char round)
{
    unsigned char text[message];
    for (const int fd : sockets.client) {
        std::fill_n(text, message, round);
        if (send(fd, text, message, MSG_NOSIGNAL) != ssize_t(message))
            std::abort();
    }
    for (const int fd : sockets.client) {
        if (recv(fd, text, message, MSG_WAITALL) != ssize_t(message) || text[message - 1] != round)
            std::abort();
    }
}

/** The client: writes a message to each connection, then reads all answers. The peer's loop serves the other
 * ends meanwhile. */
inline void echo_client(const Cell &cell, Figures &out, const Connections &sockets)
{
    for (int i = 0; i < 200; i++)
        exchange(sockets, 7);
    const std::uint64_t n = std::max<std::uint64_t>(cell.jobs(50e3) / sockets.client.size(), 100);
    std::vector<std::uint32_t> times;
    const Stretch stretch;
    for (std::uint64_t i = 0; i < n; i++) {
        const std::uint64_t before = now_ns();
        exchange(sockets, static_cast<unsigned char>(i));
        times.push_back(std::uint32_t(now_ns() - before));
    }
    stretch.put(out, n * sockets.client.size());
    put_percentiles(out, times);
}

inline Connections connections(const Cell &cell)
{
    return Connections(int(cell.get("connections", 1)));
}

} // namespace arena
