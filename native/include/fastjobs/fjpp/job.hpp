/*
 * fjpp/job.hpp - part of fastjobs.hpp: outcome, and what every kind of job shares.
 */
#ifndef FASTJOBS_FJPP_JOB_HPP
#define FASTJOBS_FJPP_JOB_HPP

#include "memory.hpp"
#include "pool.hpp"

#include <functional>
#include <tuple>
#include <type_traits>
#include <variant>

namespace fastjobs
{

/** What a callable made: a value of type R (void and references too), or the exception that left it. Empty
 * until a job has filled it, and after get(). */
template <typename R> class outcome
{
    using value_type = std::remove_cv_t<
        std::conditional_t<std::is_void_v<R>, std::monostate,
                           std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R> *, R>>>;

  public:
    /** Whether there is a value. */
    bool ok() const noexcept { return kept_.index() == 1; }
    explicit operator bool() const noexcept { return ok(); }

    /** The exception, or null. */
    std::exception_ptr exception() const noexcept
    {
        return ok() ? std::exception_ptr() : *std::get_if<0>(&kept_);
    }

    /** Moves the value out, or throws the exception. Once: afterwards, as before a job has filled it, throws
     * error FJ_EINVAL. */
    R get()
    {
        if (!ok()) {
            std::exception_ptr exception = std::exchange(std::get<0>(kept_), nullptr);
            if (exception == nullptr)
                throw error(FJ_EINVAL, "fastjobs::outcome::get: there is no result, or it was taken");
            std::rethrow_exception(std::move(exception));
        }
        if constexpr (std::is_void_v<R>) {
            kept_.template emplace<0>();
        } else if constexpr (std::is_reference_v<R>) {
            value_type value = *std::get_if<1>(&kept_);
            kept_.template emplace<0>();
            return static_cast<R>(*value);
        } else {
            value_type value = std::move(*std::get_if<1>(&kept_));
            kept_.template emplace<0>();
            return value;
        }
    }

    /** Calls the callable and keeps what comes out of it. Throws nothing (see detail::guarded). */
    template <typename Callable> void fill(Callable &&callable)
    {
        detail::guarded(
            [&] {
                if constexpr (std::is_void_v<R>) {
                    callable();
                    kept_.template emplace<1>();
                } else if constexpr (std::is_reference_v<R>) {
                    R value = callable();
                    kept_.template emplace<1>(std::addressof(value));
                } else {
                    kept_.template emplace<1>(callable());
                }
            },
            [&](std::exception_ptr exception) { kept_.template emplace<0>(std::move(exception)); });
    }

  private:
    std::variant<std::exception_ptr, value_type> kept_;
};

namespace detail
{

/** A callable with its arguments, as a job keeps them: decayed copies, as std::thread makes. Called once. */
template <typename Callable, typename... Arguments> struct bound {
    std::tuple<Callable, Arguments...> parts;

    template <typename... Given>
    explicit bound(std::in_place_t, Given &&...given) : parts(std::forward<Given>(given)...)
    {
    }

    decltype(auto) operator()()
    {
        return std::apply(
            [](Callable &callable, Arguments &...arguments) -> decltype(auto) {
                return std::invoke(std::move(callable), std::move(arguments)...);
            },
            parts);
    }
};

template <typename... Given> using bound_of = bound<std::decay_t<Given>...>;
template <typename Callable, typename... Arguments>
using result_of = std::invoke_result_t<std::decay_t<Callable>, std::decay_t<Arguments>...>;

/** Back into the caller's own object, from which it was moved into a job that was not taken. */
template <typename Stored, typename Given>
void give_back_one(Stored &stored, std::remove_reference_t<Given> &given) noexcept
{
    if constexpr (!std::is_reference_v<Given> && std::is_same_v<Stored, Given>) {
        if constexpr (std::is_nothrow_move_assignable_v<Stored>) {
            given = std::move(stored);
        } else if constexpr (std::is_nothrow_move_constructible_v<Stored>) {
            given.~Given(); /* a lambda cannot be assigned to */
            ::new (static_cast<void *>(std::addressof(given))) Given(std::move(stored));
        }
    }
}

template <typename... Given, typename Bound, std::size_t... Index>
void give_back(Bound &stored, std::index_sequence<Index...>,
               std::remove_reference_t<Given> &...given) noexcept
{
    (give_back_one<std::tuple_element_t<Index, decltype(stored.parts)>, Given>(std::get<Index>(stored.parts),
                                                                               given),
     ...);
}

/** Hands a job over. Throws error if it is not taken: then it is the caller's still. After it was taken the
 * job may be gone by the time this returns. */
inline void queue(ec_async_job &job, const target &to)
{
    job.job_class = to.to().job_class();
    if (!ec_queue_async_job_(&job, to.file(), to.line(), 0))
        throw error::last();
}

/** Queues a job that keeps the callable and its arguments in `work`; if it is not taken, what was moved into
 * it is moved back. Given: the deduced types of forwarding references. */
template <typename... Given, typename Bound>
void queue(ec_async_job &job, const target &to, Bound &work, std::remove_reference_t<Given> &...given)
{
    try {
        queue(job, to);
    } catch (...) {
        give_back<Given...>(work, std::index_sequence_for<Given...>(), given...);
        throw;
    }
}

} // namespace detail
} // namespace fastjobs
#endif
