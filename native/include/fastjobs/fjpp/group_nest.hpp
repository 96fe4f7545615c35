/*
 * fjpp/group_nest.hpp - part of fastjobs.hpp: what a group has to do with nests. docs/protocols.md#nest.
 */
#ifndef FASTJOBS_FJPP_GROUP_NEST_HPP
#define FASTJOBS_FJPP_GROUP_NEST_HPP

#include "group.hpp"

namespace fastjobs
{

template <typename Node> bool group::keep(detail::node_ptr<Node> &made, const target &to)
{
    detail::nest *const here = detail::nest::of_this_thread(to.to().job_class());
    if (here == nullptr || here->full())
        return false;
    job *const kept = made.get();
    kept->job_class = here->job_class();
    kept->file = to.file();
    kept->line = to.line();
    kept->cancels = nested_.add(); /* before it counts as under way: a waiter asks in that order */
    if (!pending_.add_quietly())
        return dropped(*made);
    static_cast<void>(made.release());
    here->push(kept, this);
    if (here->call_thief() || here->take(this) == nullptr)
        return true;
    made.reset(static_cast<Node *>(kept)); /* the pool takes no jobs: it shall say why */
    const bool cancelled = dropped(*made);
    pending_.finish();
    return cancelled;
}

template <typename Node> bool group::dropped(Node &made)
{
    const bool cancelled = !nested_.leave(made.cancels);
    if (cancelled)
        made.work.end();
    made.below = nullptr;
    return cancelled;
}

inline void group::end_nested(job *taken)
{
    const struct freeing {
        job *taken;
        ~freeing() { taken->act(taken, what::free_memory); }
    } at_end{taken};
    group &owner = taken->owner();
    if (owner.nested_.leave(taken->cancels)) {
        owner.execute(taken);
    } else {
        taken->act(taken, what::drop);
        owner.pending_.finish();
    }
}

inline void group::hand_on(job *taken)
{
    group &owner = taken->owner();
    if (!owner.nested_.leave(taken->cancels)) {
        taken->act(taken, what::drop);
        taken->act(taken, what::free_memory);
        owner.pending_.finish();
        return;
    }
    const char *const file = taken->file;
    const int line = taken->line;
    const std::uint32_t number = owner.pending_.add(); /* so that the group outlives the push */
    owner.push(taken, number);
    owner.pending_.finish();
    if (!ec_queue_async_job_(taken, file, line, 0))
        from_pool(taken, nullptr); /* in the pool's place */
}

inline void group::search_nests()
{
    detail::nest::each([this](detail::nest &in) {
        while (nested_.any()) {
            job *const taken = in.steal();
            if (taken == nullptr)
                return true;
            if (&taken->owner() == this)
                end_nested(taken);
            else
                hand_on(taken);
        }
        return false;
    });
}

namespace detail
{

inline group &group_job::owner() const noexcept
{
    return *static_cast<group *>(closure);
}

inline void end_nested(group_job *taken)
{
    group::end_nested(taken);
}

inline void hand_on(group_job *taken)
{
    group::hand_on(taken);
}

} // namespace detail
} // namespace fastjobs
#endif
