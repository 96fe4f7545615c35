/*
 * fjpp/pool.hpp - part of fastjobs.hpp: the engine's end, pools as values, where a job was submitted.
 */
#ifndef FASTJOBS_FJPP_POOL_HPP
#define FASTJOBS_FJPP_POOL_HPP

#include "base.hpp"

#include <cstddef>

namespace fastjobs
{

/** A pool of the process, by its number: what C calls a job class. A value; pools are never removed. All
 * members that can fail throw error: FJ_ENOCLASS if there is no such pool, and what they say. */
class pool
{
  public:
    /** The pool with this job class. Nothing is checked before it is used. */
    constexpr explicit pool(int job_class) noexcept : class_(job_class) {}

    static constexpr pool cpu() noexcept { return pool(ECTP_CLASS_CPU); }
    static constexpr pool io() noexcept { return pool(ECTP_CLASS_IO); }
    /** Not a pool: its jobs run at once, in the thread that submits them. */
    static constexpr pool short_lived() noexcept { return pool(ECTP_CLASS_SHORT_LIVED); }

    /** The pool of this name, in any case of letters. */
    static pool named(const std::string &name)
    {
        const int found = ec_thread_pool_name_to_class(name.c_str());
        return found >= ECTP_CLASS_SHORT_LIVED ? pool(found) : throw error::last();
    }

    /** Makes a pool. concurrency: how many jobs run at once, 0: in their submitter. backlog: how many may
     * wait before a submitter must, 0: any number. stack_size in bytes, 0: the system's. Throws FJ_EEXIST if
     * the name is taken, FJ_EINVAL for an empty name, a negative concurrency, an impossible stack size. */
    static pool create(const std::string &name, int concurrency, std::size_t backlog = 0,
                       std::size_t stack_size = 0)
    {
        const int made =
            ec_thread_pool_create_module(nullptr, name.c_str(), concurrency, stack_size, backlog);
        return made >= 0 ? pool(made) : throw error::last();
    }

    /** How many pools there are. */
    static int count() { return ec_thread_pool_count(); }

    constexpr int job_class() const noexcept { return class_; }

    std::string name() const { return stats().name; }

    /** Jobs that wait, those that wait for a concurrency semaphore included. */
    int queue_size() const
    {
        const int size = ec_thread_pool_get_queue_size(class_);
        return size >= 0 ? size : throw error::last();
    }

    fj_pool_stats stats() const
    {
        fj_pool_stats figures{};
        figures.struct_size = sizeof figures;
        require(fj_pool_stats_get(class_, &figures));
        return figures;
    }
    void reset_stats() const { require(fj_pool_stats_reset(class_)); }

    void set_concurrency(int concurrency) const { require(fj_pool_set_concurrency(class_, concurrency)); }
    /** Idle threads exit after so many milliseconds, 0: never. */
    void set_idle_timeout(int milliseconds) const { require(fj_pool_set_idle_timeout(class_, milliseconds)); }
    /** Gives up the strict order of the jobs, or asks for it: see fj_pool_set_order. */
    void set_order(fj_order order) const { require(fj_pool_set_order(class_, order)); }
    /** Only before the pool has threads: FJ_EBUSY afterwards. */
    void set_backlog(std::size_t jobs) const { require(ec_thread_pool_set_backlog(class_, jobs)); }
    /** Of threads started from now on. */
    void set_stack_size(std::size_t bytes) const { require(ec_thread_pool_set_stack_size(class_, bytes)); }
    /** From now on a thread that finds no more jobs exits. */
    void auto_shrink() const
    {
        queue_size(); /* the C function has no way to say that there is no such pool */
        ec_thread_pool_auto_shrink(class_);
    }
    /** true: jobs pile up and none starts; false: the pool runs again. */
    void defer(bool deferred) const
    {
        queue_size();
        ec_thread_pool_defer_spawn(class_, deferred ? 1 : 0);
    }
    bool is_deferred() const
    {
        const int deferred = fj_pool_is_deferred(class_);
        require(deferred >= 0);
        return deferred > 0;
    }

    friend constexpr bool operator==(pool a, pool b) noexcept { return a.class_ == b.class_; }
    friend constexpr bool operator!=(pool a, pool b) noexcept { return a.class_ != b.class_; }

  private:
    static void require(int succeeded)
    {
        if (!succeeded)
            throw error::last();
    }

    int class_;
};

/** A pool and the line that submits to it, which statistics and queue listings show. Made by itself where a
 * function takes a target and is given a pool. The file's name must live as long as the job. */
class target
{
  public:
    target(pool to, const char *file = __builtin_FILE(), int line = __builtin_LINE()) noexcept
        : to_(to), file_(file), line_(line)
    {
    }

    pool to() const noexcept { return to_; }
    const char *file() const noexcept { return file_; }
    int line() const noexcept { return line_; }

  private:
    pool to_;
    const char *file_;
    int line_;
};

/*
 * The engine of the process, as something that has an end. There is one engine however many of these there
 * are, and it starts by itself with the first job; an engine object starts it early (a millisecond) and shuts
 * it down at the end of its scope, if asked. Without one, or with at_end::keep_running, a process that exits
 * drops what is queued.
 *
 * A shutdown runs everything that was submitted, then ends the threads; afterwards submitting throws
 * FJ_ESHUTDOWN. So main() is the place for it, below what its jobs use, so that it ends before that.
 */
class engine
{
  public:
    enum class at_end { shut_down, keep_running };

    /** Throws FJ_EFORKED in a process forked from one that used the library. */
    explicit engine(at_end what = at_end::shut_down) : owner_(what == at_end::shut_down)
    {
        if (ec_thread_pool_count() == 0) /* ten are predefined */
            throw error::last();
    }
    engine(engine &&other) noexcept : owner_(std::exchange(other.owner_, false)) {}
    engine(const engine &) = delete;
    engine &operator=(const engine &) = delete;
    engine &operator=(engine &&) = delete;

    /** A shutdown that fails (it was called before, or this is a job) is told to the exception handler. */
    ~engine()
    {
        if (owner_ && !ec_thread_pool_shutdown())
            detail::report_unhandled(std::make_exception_ptr(error::last()));
    }

    /** Shuts down now; the destructor will not. Throws FJ_EDEADLK in a job, FJ_ESHUTDOWN the second time. */
    void shutdown()
    {
        if (!ec_thread_pool_shutdown())
            throw error::last();
        owner_ = false;
    }

    /** The destructor will not shut down. */
    void keep_running() noexcept { owner_ = false; }

    /** The library's, "MAJOR.MINOR.PATCH". */
    static const char *version() noexcept { return fj_version(); }

  private:
    bool owner_;
};

} // namespace fastjobs
#endif
