/*
 * pipeline - prints for each file what cksum(1) prints, in the order of the arguments.
 *
 *     pipeline FILE...          or a list of names, one a line, on the standard input: pipeline -
 *
 * A parallel pipeline of three stages: jobs of class IO read files, jobs of class CPU checksum them, and the
 * main thread prints in the order in which it started them. Bounded twice: at most `window` files are under
 * way, and at most `memory` bytes of files are in memory (a file that is larger by itself comes alone).
 *
 * Each file is a task_handle in the window, and the reading job starts the checksumming job. So main waits
 * for the oldest, in two steps, and helps if nobody has begun it.
 */
#include <fastjobs/fastjobs.hpp>

#include "budget.hpp"
#include "cksum.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

constexpr std::size_t window = 64;
constexpr std::size_t memory = std::size_t{64} << 20;

struct descriptor {
    int number;
    explicit descriptor(const char *path) : number(open(path, O_RDONLY | O_CLOEXEC))
    {
        if (number < 0)
            throw std::system_error(errno, std::generic_category());
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { close(number); }
};

std::vector<unsigned char> read_whole(const std::string &path, std::size_t expected)
{
    const descriptor file(path.c_str());
    std::vector<unsigned char> bytes(expected + 1); /* one more, to see the end without growing */
    std::size_t filled = 0;
    for (;;) {
        const ssize_t got = read(file.number, bytes.data() + filled, bytes.size() - filled);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category());
        filled += got > 0 ? static_cast<std::size_t>(got) : 0;
        if (filled == bytes.size())
            bytes.resize(2 * bytes.size()); /* it has grown since */
    }
    bytes.resize(filled);
    return bytes;
}

std::size_t size_of(const std::string &path)
{
    struct stat about;
    return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) ? static_cast<std::size_t>(about.st_size)
                                                                     : 0;
}

struct sum {
    std::uint32_t crc;
    std::size_t bytes;
};

/* The stages of one file. Its share of the budget goes with its bytes, and back when they are done with. */
fastjobs::task_handle<fastjobs::task_handle<sum>> begin(const std::string &path, std::size_t size,
                                                        pipeline::budget::share share)
{
    return fastjobs::start(fastjobs::pool::io(), [path, size, share = std::move(share)]() mutable {
        return fastjobs::start(fastjobs::pool::cpu(),
                               [bytes = read_whole(path, size), share = std::move(share)] {
                                   return sum{pipeline::cksum(bytes.data(), bytes.size()), bytes.size()};
                               });
    });
}

/* false: it could not be read; the others go on. */
bool print(const std::string &path, fastjobs::task_handle<fastjobs::task_handle<sum>> &file)
{
    try {
        const sum result = file.get().get();
        std::printf("%lu %zu %s\n", static_cast<unsigned long>(result.crc), result.bytes, path.c_str());
        return true;
    } catch (const std::system_error &error) {
        std::fprintf(stderr, "pipeline: %s: %s\n", path.c_str(), error.code().message().c_str());
        return false;
    }
}

} // namespace

int main(int count, char **arguments)
{
    const bool listed = count == 2 && std::strcmp(arguments[1], "-") == 0;
    if (count < 2) {
        std::fputs("usage: pipeline FILE...   or   pipeline -   (names on the standard input, one a line)\n",
                   stderr);
        return 2;
    }
    try {
        pipeline::budget budget(memory); /* the engine ends first: its jobs give back */
        const fastjobs::engine engine;
        struct entry {
            std::string path;
            fastjobs::task_handle<fastjobs::task_handle<sum>> file;
        };
        std::deque<entry> under_way;
        bool all_read = true;
        const auto print_oldest = [&] {
            all_read = print(under_way.front().path, under_way.front().file) && all_read;
            under_way.pop_front();
        };
        std::string path;
        for (int next = 1; listed ? static_cast<bool>(std::getline(std::cin, path)) : next < count; next++) {
            if (!listed)
                path = arguments[next];
            if (under_way.size() == window)
                print_oldest();
            const std::size_t size = size_of(path);
            under_way.push_back({path, begin(path, size, budget.take(size))});
        }
        while (!under_way.empty())
            print_oldest();
        return all_read && std::fflush(stdout) == 0 ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "pipeline: %s\n", error.what());
        return 1;
    }
}
