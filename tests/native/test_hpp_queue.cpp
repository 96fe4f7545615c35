/*
 * test_hpp_queue.cpp - fastjobs.hpp: named queues: typed results and exceptions, time-outs, cancel,
 * callbacks, dropped handles, options, listings, output, the feed, hooks, the end of a set.
 */
#include "hpp_tests.hpp"

namespace
{

using namespace std::chrono_literals;

void results_and_exceptions_come_by_handles()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 2);
    fj::queued_job<int> sum = queue.add([a = 40] { return a + 2; });
    CHECK(sum.valid());
    CHECK_STR(sum.id().c_str(), "job0");
    CHECK_EQ(sum.get(), 42);
    CHECK(!sum.valid());
    CHECK_EQ(code_of([&] { sum.get(); }), FJ_EINVAL);
    auto moved = queue.add([number = std::make_unique<int>(7)]() mutable { return std::move(number); });
    CHECK_EQ(*moved.get(), 7);
    int variable = 0;
    CHECK(&queue.add([&]() -> int & { return variable; }).get() == &variable);
    queue.add([&] { variable = 3; }).get();
    CHECK_EQ(variable, 3);
    auto failed = queue.add([]() -> int { throw std::runtime_error("in a job"); });
    CHECK_STR(text_of([&] { failed.get(); }).c_str(), "in a job");
    CHECK_EQ(queue.info().done, 0);
    CHECK(unhandled_texts::none());
}

void a_wait_has_a_time_and_a_handle_is_moved()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    Gate gate;
    fj::queued_job<std::string> job = queue.add([&] {
        gate.pass();
        return std::string("through");
    });
    CHECK(!job.wait_for(1ms));
    CHECK(!job.wait_for(-1ms));
    CHECK(!queue.wait_any_for(1ms));
    fj::queued_job<std::string> other = std::move(job);
    CHECK(!job.valid());
    gate.open();
    queue.wait_any();
    CHECK(other.wait_for(std::chrono::hours::max()));
    CHECK(other.wait_for(0ms));
    job = std::move(other);
    job.wait();
    CHECK_STR(job.get().c_str(), "through");
}

void a_job_knows_itself_and_is_cancelled()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    Gate gate;
    auto job = queue.add([&](fj::job_run run) {
        CHECK_STR(run.id().c_str(), "job0");
        CHECK_STR(run.queue_name().c_str(), "q");
        CHECK_EQ(run.attempt(), 1);
        CHECK(run.thread_state() == nullptr);
        CHECK(fj::job_run::current().has_value() && fj::job_run::current()->get() == run.get());
        CHECK(!run.is_cancelled());
        run.report("half");
        run.set_result("bytes for others");
        gate.pass();
        POLL(run.is_cancelled());
        return 1;
    });
    gate.await(1);
    CHECK(!fj::job_run::current().has_value());
    const fj::job_info info = job.info();
    CHECK_EQ(info.phase, FJ_JOB_RUNNING);
    CHECK_STR(info.progress.value().c_str(), "half");
    CHECK(info.thread != 0 && !info.detached && info.attempt == 1 && !info.end_time.has_value());
    CHECK(std::chrono::system_clock::now() - info.start_time < 60s);
    gate.open();
    CHECK(job.cancel());
    CHECK_STR(text_of([&] { job.get(); }).c_str(), "Job cancelled.");

    queue.pause();
    auto waits = queue.add([] { return 2; });
    CHECK(!waits.cancel());
    CHECK_EQ(code_of([&] { waits.get(); }), FJ_OUTCOME_CANCELLED);
    CHECK_EQ(code_of([&] { queue.cancel("job1"); }), FJ_ENOJOB);
    queue.resume();
    CHECK(unhandled_texts::none());
}

void what_a_dropped_handle_leaves_is_collected()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    {
        Gate gate;
        auto first = queue.add([&gate] { gate.pass(); });
        static_cast<void>(queue.add([counted = Counted(1)] { return counted(); }));
        static_cast<void>(queue.add([] { throw std::runtime_error("nobody asks"); }));
        gate.open();
        first.get();
    }
    CHECK_STR(unhandled_texts::next().c_str(), "nobody asks");
    POLL(queue.jobs().empty());
    POLL(Counted::alive == 0);
    auto collected = queue.add([] { throw std::runtime_error("waited for, not asked"); });
    collected.wait();
    collected = fj::queued_job<void>();
    CHECK_STR(unhandled_texts::next().c_str(), "waited for, not asked");
    const std::string id = queue.add([] { return 1; }).release();
    CHECK_STR(id.c_str(), "job4");
    POLL(queue.job(id).phase == FJ_JOB_DONE);
    CHECK_EQ(fj_queue_wait(queue.get(), fj_job_named(id.c_str()), 0, nullptr), 1);
    CHECK(!queue.exists(id));
}

void a_callback_takes_the_place_of_a_wait()
{
    std::promise<std::string> called, failed;
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    queue.add([] { return std::string("done"); }).then([&](fj::outcome<std::string> &&result) {
        called.set_value(result.get());
    });
    CHECK_STR(called.get_future().get().c_str(), "done");
    auto job = queue.add([]() -> int { throw std::runtime_error("not done"); });
    job.wait(); /* so it is called at once */
    std::string text;
    job.then([&](fj::outcome<int> &&result) { text = text_of([&] { result.get(); }); });
    CHECK_STR(text.c_str(), "not done");
    CHECK(!job.valid());
    queue.add([] {}).then([](fj::outcome<void> &&) { throw std::runtime_error("in a callback"); });
    CHECK_STR(unhandled_texts::next().c_str(), "in a callback");
}

void options_say_how_a_job_is_queued()
{
    fj::queue_options queue_options;
    queue_options.name = "q";
    queue_options.description = "what for";
    queue_options.concurrency = 1;
    queue_options.expire = 1h;
    const fj::queue_set set;
    fj::queue queue = set.create(queue_options);
    std::string order;
    fj::job_options head;
    head.head = true;
    fj::job_options own;
    own.id = "own";
    own.expire = -1ms;
    fj::job_options later;
    later.delay = 5ms;
    fj::job_options again;
    again.max_attempts = 3;
    again.retry = 1ms;
    again.retry_factor = 1;
    queue.pause();
    auto a = queue.add(own, [&] { order += 'a'; });
    auto b = queue.add(later, [&] { order += 'b'; });
    queue.post(head, [&] { order += 'c'; });
    int tries = 0;
    auto d = queue.add(again, [&](fj::job_run run) {
        if (++tries < 3)
            throw std::runtime_error("again");
        return run.attempt();
    });
    auto move_only = [number = std::make_unique<int>(5)] { return *number; };
    CHECK_EQ(code_of([&] { queue.add(own, std::move(move_only)); }), FJ_EEXIST);
    CHECK(move_only() == 5); /* it was moved back */
    later.delay = 1h;
    auto never = queue.add(later, [] {});
    CHECK_EQ(queue.jobs().size(), 5);
    CHECK_STR(queue.jobs()[0].id.c_str(), "own");
    CHECK(queue.jobs()[2].detached && queue.jobs()[4].delayed);
    never.cancel();
    CHECK_EQ(code_of([&] { never.get(); }), FJ_OUTCOME_CANCELLED);
    const fj::queue_info info = set.queues().at(0);
    CHECK(info.name == "q" && info.description == "what for" && info.concurrency == 1 && info.paused &&
          !info.deleting && info.scheduled == 4 && info.running == 0);
    queue.resume();
    a.get();
    b.get();
    CHECK_EQ(d.get(), 3);
    CHECK_STR(order.substr(0, 2).c_str(), "ca");
    CHECK_EQ(order.size(), 3);
    own.delay = -1ms;
    CHECK_EQ(code_of([&] { queue.post(own, [] {}); }), FJ_EINVAL);
    queue.post([] { throw std::runtime_error("posted"); });
    CHECK_STR(unhandled_texts::next().c_str(), "posted");
    queue.set_concurrency(3);
    CHECK_EQ(set.find("q").info().concurrency, 3);
    queue.remove();
    POLL(code_of([&] { set.find("q"); }) == FJ_ENOQUEUE);
    CHECK_EQ(code_of([&] { queue.info(); }), FJ_ENOQUEUE);
    CHECK_EQ(code_of([&] { queue.add([] {}); }), FJ_ENOQUEUE);
}

void output_is_read_and_a_feed_tells_what_is_done()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    fj::queue_feed feed = queue.feed();
    Gate gate;
    auto job = queue.add([&](fj::job_run run) {
        run.write("first ");
        gate.pass();
        run.write("second");
    });
    fj::job_output output = job.output();
    char buffer[32];
    CHECK_EQ(output.read(buffer, 3), 3);
    CHECK_EQ(output.read_for(buffer, sizeof buffer, 1min).value(), 3);
    CHECK(!output.read_for(buffer, sizeof buffer, 1ms).has_value());
    CHECK(!feed.next_for(1ms).has_value());
    CHECK_EQ(code_of([&] { queue.output(job.id()); }), FJ_EBUSY);
    gate.open();
    CHECK_STR(output.read_all().c_str(), "second");
    CHECK_STR(feed.next().c_str(), "job0");
    job.get();
    fj::job_options own;
    own.id = "own";
    auto second = queue.add(own, [] {});
    CHECK_STR(feed.next_for(1min).value().c_str(), "own");
    second.get();
    queue.remove();
    CHECK_EQ(code_of([&] { feed.next(); }), FJ_ENOQUEUE);
}

void a_set_has_hooks_settings_and_an_end()
{
    struct counts {
        std::atomic<int> started{0}, after{0}, ended{0}, logged{0};
    } counts;
    fj::queue_set_options options;
    options.name = "hpp";
    options.settings = fj_queue_settings{sizeof(fj_queue_settings), 0, 1000, -1};
    options.on_thread_start = [&]() -> void * {
        counts.started++;
        return &counts;
    };
    options.after_job = [&](void *state) {
        CHECK(state == &counts);
        counts.after++;
    };
    options.on_thread_exit = [&](void *state) {
        CHECK(state == &counts);
        counts.ended++;
        throw std::runtime_error("in a hook");
    };
    options.log = [&](const fj_queue_event &event) { counts.logged += event.kind == FJ_QUEUE_DISCARDED; };
    fj::queue_set set(std::move(options));
    CHECK_EQ(set.settings().idle_ms, 1000);
    fj_queue_settings settings = set.settings();
    settings.jobs_per_thread = 100;
    set.configure(settings);
    CHECK_EQ(set.settings().jobs_per_thread, 100);
    CHECK(set.new_id() != set.new_id());
    fj::queue queue = set.create("q", 1);
    CHECK_EQ(set.threads().max_threads, 1);
    CHECK_EQ(code_of([&] { set.create("q"); }), FJ_EEXIST);
    CHECK(queue.add([](fj::job_run run) { return run.thread_state(); }).get() == &counts);
    Gate gate;
    gate.open();
    auto runs = queue.add([&gate](fj::job_run run) {
        gate.pass();
        POLL(run.is_cancelled());
    });
    gate.await(1); /* else the close might discard this one too */
    auto waits = queue.add([counted = Counted(1)] { return counted(); });
    CHECK_EQ(set.close_for(1ms), 1);
    CHECK_EQ(code_of([&] { runs.get(); }), FJ_OUTCOME_CANCELLED);
    CHECK_EQ(code_of([&] { waits.get(); }), FJ_OUTCOME_DISCARDED);
    CHECK_EQ(Counted::alive, 0);
    CHECK_EQ(code_of([&] { queue.add([] {}); }), FJ_EREFUSED);
    set.close();
    CHECK_EQ(counts.logged, 1);
    CHECK_EQ(counts.after, 2);
    CHECK(counts.started >= 1 && counts.started == counts.ended);
    for (int i = 0; i < counts.ended; i++)
        CHECK_STR(unhandled_texts::next().c_str(), "in a hook");
}

void the_end_of_a_scope_runs_what_is_queued()
{
    std::atomic<int> ran{0};
    std::optional<fj::queue> outlives;
    {
        const fj::queue_set set;
        outlives = set.create("q", 3);
        for (int i = 0; i < 100; i++)
            outlives->post([&] { ran++; });
    }
    CHECK_EQ(ran, 100);
    outlives.reset();
    CHECK_EQ(Counted::alive, 0);
    CHECK_EQ(Counted::copies, 0);
}

void a_job_that_ends_its_thread_says_so()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 1);
    auto ends = queue.add([]() -> int { pthread_exit(nullptr); });
    CHECK_STR(text_of([&] { ends.get(); }).c_str(), "the job ended its thread (pthread_exit)");
    CHECK_EQ(queue.add([] { return 1; }).get(), 1);
}

void many_threads_use_a_queue()
{
    const fj::queue_set set;
    fj::queue queue = set.create("q", 2);
    std::atomic<long> sum{0};
    std::vector<std::thread> threads;
    const int jobs = many(5000);
    for (int t = 0; t < 3; t++)
        threads.emplace_back([&, queue]() mutable {
            for (int i = 0; i < jobs; i++) {
                auto job = queue.add([i, counted = Counted(i)] { return i + counted() - i; });
                if (i % 5 == 0)
                    continue; /* dropped */
                if (i % 7 == 0)
                    job.then([&](fj::outcome<int> &&result) { sum += result.get(); });
                else
                    sum += job.get();
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    POLL(queue.jobs().empty());
    long expected = 0;
    for (int i = 0; i < jobs; i++)
        expected += i % 5 == 0 ? 0 : 3 * i;
    POLL(sum == expected);
    POLL(Counted::alive == 0);
}

} // namespace

int main()
{
    hpp_tests_begin();
    RUN(results_and_exceptions_come_by_handles);
    RUN(a_wait_has_a_time_and_a_handle_is_moved);
    RUN(a_job_knows_itself_and_is_cancelled);
    RUN(what_a_dropped_handle_leaves_is_collected);
    RUN(a_callback_takes_the_place_of_a_wait);
    RUN(options_say_how_a_job_is_queued);
    RUN(output_is_read_and_a_feed_tells_what_is_done);
    RUN(a_set_has_hooks_settings_and_an_end);
    RUN(the_end_of_a_scope_runs_what_is_queued);
    RUN(a_job_that_ends_its_thread_says_so);
    RUN(many_threads_use_a_queue);
    CHECK(unhandled_texts::none());
    return check_report();
}
