/*
 * main.hpp - the program of a peer: runs one cell in this process and prints its row.
 *
 *   bench_NAME WORKLOAD [PARAMETER=NUMBER]... | --info | --calibrate
 *
 * The row is a line of JSON: peer, version, workload, status ("ok", "n/a: why", "error: why"), metrics.
 */
#pragma once

#include "backlog.hpp"
#include "latency.hpp"
#include "loops.hpp"
#include "nested.hpp"

#include <cstring>

namespace arena
{

constexpr unsigned time_limit = 40; /* seconds of a cell */

template <class P> void no_loop(const Cell &, Figures &out)
{
    out.not_possible("no event loop");
}

template <class P> bool run(const Cell &cell, Figures &out)
{
    static const std::map<std::string, void (*)(const Cell &, Figures &)> workloads = {
        {"throughput", throughput<P>},
        {"bursts", bursts<P>},
        {"round-trip", round_trip<P>},
        {"lanes", lanes<P>},
        {"ping-pong", ping_pong<P>},
        {"fan-out", fan_out<P>},
        {"tree", tree<P>},
        {"tree-wait", tree_wait<P>},
        {"pipeline", pipeline<P>},
        {"backlog", backlog<P>},
        {"idle", idle<P>},
        {"completion", no_loop<P>},
        {"echo", no_loop<P>},
    };
    const auto found = workloads.find(cell.workload);
    if (found == workloads.end())
        return false;
    if (!P::own_way(cell, out))
        found->second(cell, out);
    return true;
}

inline int usage(const char *program, const char *wrong)
{
    std::fprintf(stderr, "%s: %s\nusage: %s WORKLOAD [PARAMETER=NUMBER]... | --info | --calibrate\n", program,
                 wrong, program);
    return 2;
}

template <class P> int bench_main(int argc, char **argv)
{
    if (argc < 2)
        return usage(argv[0], "no workload");
    alarm(time_limit);
    Cell cell{argv[1], {}};
    if (cell.workload == "--calibrate") {
        std::printf("%llu\n", static_cast<unsigned long long>(calibrate()));
        return 0;
    }
    if (cell.workload == "--info") {
        std::printf("{\"peer\":\"%s\",\"version\":\"%s\"}\n", P::name(), P::version().c_str());
        return 0;
    }
    for (int i = 2; i < argc; i++) {
        char *const equals = std::strchr(argv[i], '=');
        char *end = nullptr;
        const double value = equals != nullptr ? std::strtod(equals + 1, &end) : 0;
        if (equals == nullptr || end == equals + 1 || *end != 0)
            return usage(argv[0], argv[i]);
        cell.parameters[std::string(argv[i], equals)] = value;
    }
    const char *spins = std::getenv("ARENA_SPINS_PER_US");
    g_spins_per_us = spins != nullptr ? std::strtoull(spins, nullptr, 10) : 0;
    if (g_spins_per_us == 0)
        g_spins_per_us = calibrate();
    Figures out;
    if (!run<P>(cell, out))
        return usage(argv[0], argv[1]);
    std::printf(
        "{\"peer\":\"%s\",\"version\":\"%s\",\"workload\":\"%s\",\"status\":\"%s\",\"metrics\":{%s}}\n",
        P::name(), P::version().c_str(), cell.workload.c_str(), out.status().c_str(), out.metrics().c_str());
    std::fflush(stdout);
    _exit(out.failed()); /* the pools are still there */
}

} // namespace arena
