/*
 * nested.hpp - jobs that submit jobs: fan-out (W3), a tree whose parents continue when their children are
 * done, and a pipeline through three lanes.
 */
#pragma once

#include "throughput.hpp"

namespace arena
{

template <class P> struct FanOut {
    P *pool;
    std::uint64_t n;
    std::atomic<std::uint64_t> submitted{0};

    static void root(void *self)
    {
        auto *f = static_cast<FanOut *>(self);
        const std::uint64_t limit = now_ns() + std::uint64_t(budget * 1e9);
        std::uint64_t i = 0;
        while (i < f->n && now_ns() < limit)
            for (const std::uint64_t end = std::min(f->n, i + batch); i < end; i++)
                f->pool->submit_nested(&g_count);
        f->submitted.store(i, std::memory_order_release);
    }
};

/** A job submits n jobs. */
template <class P> void fan_out(const Cell &cell, Figures &out)
{
    if constexpr (!P::can_nest) {
        out.not_possible("a job cannot submit a job");
    } else {
        auto &pool = make_lane<P>(cell.workers());
        pool.scope([&] {
            typename P::Producer producer(pool);
            warm_up(producer);
            auto &f = *new FanOut<P>{&pool, cell.jobs(1e6, P::scale)};
            Job root{FanOut<P>::root, &f};
            const std::uint64_t base = counted();
            const Stretch stretch;
            producer.submit(&root);
            producer.finish();
            std::uint64_t done;
            while ((done = f.submitted.load(std::memory_order_acquire)) == 0)
                nap_us(200);
            wait_for_count(base + done);
            stretch.put(out, done);
            if (done < f.n)
                out.put("truncated", 1);
            check_count(out, base + done);
        });
        check_threads<P>(cell, out);
    }
}

/* ---- a tree ---- */

/** A full binary tree in an array: node i has the children 2i+1 and 2i+2. A parent's second half runs when
 * both children are done, in the worker that ended the last of them. */
template <class P> struct Tree {
    struct Node {
        Job job;
        Tree *tree;
        std::atomic<int> open;
    };
    P *pool;
    std::vector<Node> nodes;
    sem_t over;

    Tree(P &in, int depth) : pool(&in), nodes((std::size_t(2) << depth) - 1)
    {
        sem_init(&over, 0, 0);
        for (auto &node : nodes) {
            node.job = {run, &node};
            node.tree = this;
        }
    }
    static void run(void *self)
    {
        auto *node = static_cast<Node *>(self);
        node->tree->begin(std::size_t(node - node->tree->nodes.data()));
    }
    void begin(std::size_t i)
    {
        count_one();
        const std::size_t child = 2 * i + 1;
        if (child >= nodes.size()) {
            end(i);
            return;
        }
        nodes[i].open.store(2, std::memory_order_relaxed); /* published by the submits */
        pool->submit_nested(&nodes[child].job);
        pool->submit_nested(&nodes[child + 1].job);
    }
    void end(std::size_t i)
    {
        while (i != 0) {
            i = (i - 1) / 2;
            if (nodes[i].open.fetch_sub(1, std::memory_order_acq_rel) != 1)
                return;
        }
        sem_post(&over);
    }
};

template <class P> void tree(const Cell &cell, Figures &out)
{
    if constexpr (!P::can_nest) {
        out.not_possible("a job cannot submit a job");
    } else {
        const int depth = P::scale < 1 ? 9 : 15;
        auto &pool = make_lane<P>(cell.workers());
        pool.scope([&] {
            typename P::Producer producer(pool);
            warm_up(producer);
            auto &tree = *new Tree<P>(pool, depth);
            const auto rounds = std::max<std::uint64_t>(cell.jobs(10 << 16, P::scale) / tree.nodes.size(), 1);
            const std::uint64_t base = counted();
            const Stretch stretch;
            const std::uint64_t limit = stretch.began() + std::uint64_t(budget * 1e9);
            std::uint64_t done = 0;
            do {
                producer.submit(&tree.nodes[0].job);
                producer.finish();
                take(&tree.over);
            } while (++done < rounds && now_ns() < limit);
            stretch.put(out, done * tree.nodes.size());
            if (done < rounds)
                out.put("truncated", 1);
            check_count(out, base + done * tree.nodes.size());
        });
        check_threads<P>(cell, out);
    }
}

/** For peers whose jobs can wait for jobs: wait_node(depth) counts one, runs two trees of depth - 1 as jobs
 * and waits for both; `outermost` runs the root as a job and waits for it. */
template <class Outermost> void waiting_tree(const Cell &cell, Figures &out, int depth, Outermost outermost)
{
    const std::uint64_t nodes = (std::uint64_t(2) << depth) - 1;
    const auto rounds = std::max<std::uint64_t>(cell.jobs(10 << 16) / nodes / (depth < 12 ? 40 : 1), 1);
    outermost(depth);
    const std::uint64_t base = counted();
    const Stretch stretch;
    for (std::uint64_t r = 0; r < rounds; r++)
        outermost(depth);
    stretch.put(out, rounds * nodes);
    check_count(out, base + rounds * nodes);
}

template <class P> void tree_wait(const Cell &, Figures &out)
{
    out.not_possible("a job that waits for jobs keeps a worker");
}

/* ---- a pipeline ---- */

constexpr int stages = 3;

template <class P> struct Pipeline {
    struct Item {
        Job job;
        Pipeline *pipeline;
        int stage;
    };
    P *lanes[stages];
    std::vector<Item> items;

    explicit Pipeline(std::uint64_t n) : items(n)
    {
        for (auto &item : items)
            item = {{step, &item}, this, 0};
    }
    static void step(void *self)
    {
        auto *item = static_cast<Item *>(self);
        if (++item->stage == stages)
            count_one();
        else
            item->pipeline->lanes[item->stage]->submit_nested(&item->job);
    }
};

/** Three lanes with a worker each; every item goes through all of them. */
template <class P> void pipeline(const Cell &cell, Figures &out)
{
    if constexpr (!P::can_nest) {
        out.not_possible("a job cannot submit a job");
    } else if constexpr (!P::many_lanes) {
        out.not_possible("no two lanes in a process");
    } else {
        const std::uint64_t n = cell.jobs(200e3, P::scale);
        auto &line = *new Pipeline<P>(n);
        for (auto &lane : line.lanes) {
            lane = &make_lane<P>(1);
            typename P::Producer producer(*lane);
            warm_up(producer, 100);
        }
        typename P::Producer producer(*line.lanes[0]);
        const std::uint64_t base = counted();
        const Stretch stretch;
        const std::uint64_t limit = stretch.began() + std::uint64_t(budget * 1e9);
        std::uint64_t done = 0;
        while (done < n && now_ns() < limit)
            for (const std::uint64_t end = std::min(n, done + batch); done < end; done++)
                producer.submit(&line.items[done].job);
        producer.finish();
        wait_for_count(base + done);
        stretch.put(out, done);
        if (done < n)
            out.put("truncated", 1);
        check_count(out, base + done);
        for (std::uint64_t i = 0; i < done; i++)
            if (line.items[i].stage != stages)
                out.error("an item did not pass all stages");
    }
}

} // namespace arena
