/*
 * peer.hpp - what a peer is: a class derived from arena::Pool that runs jobs on a number of workers, used as
 * its authors advise. An object of it is one lane.
 *
 *   struct Peer : arena::Pool {
 *       static const char *name();
 *       static std::string version();
 *       explicit Peer(arena::Setup);
 *       struct Producer {                      // made in the producer's thread
 *           explicit Producer(Peer &);
 *           void submit(Job *);                // returns when the job is queued
 *           void submit_many(Job **, int);     // optional: if the peer has a way for that
 *           void finish();                     // whatever the peer must do so that all are run
 *       };
 *       void submit_nested(Job *);             // in a worker; unless can_nest is false
 *   };
 *
 * own_way() takes a workload that the peer does in another form, or tells why it cannot.
 */
#pragma once

#include "measure.hpp"

#include <map>
#include <utility>

namespace arena
{

/** How many threads run jobs, and how many submit them. */
struct Setup {
    int workers, producers;
};

/** A workload and its parameters, as the command line names them. */
struct Cell {
    std::string workload;
    std::map<std::string, double> parameters;

    double get(const char *name, double otherwise) const
    {
        const auto found = parameters.find(name);
        return found == parameters.end() ? otherwise : found->second;
    }
    int workers() const { return int(get("workers", 2)); }
    int producers() const { return int(get("producers", 1)); }
    Setup setup() const { return {workers(), producers()}; }
    /** A number of jobs: `jobs`, times `scale`. */
    std::uint64_t jobs(double otherwise, double peers_scale = 1) const
    {
        return std::uint64_t(std::max(get("jobs", otherwise) * get("scale", 1) * peers_scale, 100.0));
    }
};

struct Pool {
    static constexpr bool can_nest = true;   /* a job may submit jobs */
    static constexpr bool is_pool = true;    /* has a queue to fill and threads to idle */
    static constexpr bool many_lanes = true; /* there may be several objects of it */
    static constexpr bool helps = false; /* a producer that has submitted all runs jobs, one of the workers */
    static constexpr double scale = 1;   /* of the numbers of jobs */

    /** Runs a producer's whole body. */
    template <class Body> void scope(Body body) { body(); }
    /** true: it has dealt with the cell. */
    static bool own_way(const Cell &, Figures &) { return false; }
};

/** The own way of a peer that has an event loop. */
template <class P> bool by_event_loop(const Cell &cell, Figures &out)
{
    if (cell.workload == "completion")
        P::completion(cell, out);
    else if (cell.workload == "echo")
        P::echo(cell, out);
    else
        return false;
    return true;
}

inline std::string gcc_version()
{
    return "libstdc++ " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
}

template <class Producer>
auto submit_all(Producer &to, Job **jobs, int n, int) -> decltype(to.submit_many(jobs, n))
{
    to.submit_many(jobs, n);
}
template <class Producer> void submit_all(Producer &to, Job **jobs, int n, long)
{
    for (int i = 0; i < n; i++)
        to.submit(jobs[i]);
}

template <class Producer> void warm_up(Producer &producer, std::uint64_t n = 2000)
{
    const std::uint64_t base = counted();
    for (std::uint64_t i = 0; i < n; i++)
        producer.submit(&g_count);
    producer.finish();
    wait_for_count(base + n);
}

/** A lane that lasts as long as the process: the end of a pool is not what is measured. */
template <class P> P &make_lane(int workers, int producers = 1)
{
    return *new P(Setup{workers, producers});
}

/** As many threads ran jobs as may. Where producers help, they and the thread that warms up do too. */
template <class P> void check_threads(const Cell &cell, Figures &out)
{
    const unsigned ran = g_threads.load();
    unsigned most = unsigned(cell.workers());
    if (P::helps)
        most += unsigned(cell.producers()) - 1 + (cell.producers() > 1);
    if (!P::is_pool)
        return;
    out.put("job_threads", ran);
    if (ran > most)
        out.error(std::to_string(ran) + " threads ran jobs");
}

inline void check_count(Figures &out, std::uint64_t expected)
{
    nap_us(2000); /* for one that is run twice */
    if (counted() != expected)
        out.error(std::to_string(counted()) + " jobs ran in place of " + std::to_string(expected));
}

} // namespace arena
