// consumer_hpp.cpp - a C++ program with an installed FastJobs: uses fastjobs.hpp and prints the version.
#include <fastjobs.hpp>
#include <fastjobs/fastjobs.hpp> // the same file

#include <cstdio>

int main()
{
    try {
        fastjobs::engine engine;
        int answer = 0;
        fastjobs::group group;
        group.run(fastjobs::pool::cpu(), [&answer] { answer += 40; });
        group.wait();
        answer += fastjobs::submit(
                      fastjobs::pool::io(), [](int number) { return number; }, 2)
                      .get();
        engine.shutdown();
        if (answer != 42)
            return 1;
        std::puts(fastjobs::engine::version());
        return 0;
    } catch (const fastjobs::error &error) {
        std::fprintf(stderr, "consumer_hpp: %s\n", error.what());
        return 1;
    }
}
