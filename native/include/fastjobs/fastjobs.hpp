/*
 * fastjobs.hpp - FastJobs for C++17 and later, header-only over the C API of libfastjobs.so.
 *
 *     fjpp/base.hpp       errors, exceptions that nobody catches
 *     fjpp/pool.hpp       engine, pool, where a job was submitted
 *     fjpp/memory.hpp     memory of jobs: ec_malloc types of a few sizes
 *     fjpp/job.hpp        outcome, and what all kinds of jobs share
 *     fjpp/submit.hpp     post, submit
 *     fjpp/claim.hpp      a job with two owners
 *     fjpp/task.hpp       start, task_handle
 *     fjpp/pending.hpp    a count that threads wait for
 *     fjpp/frame.hpp      what a thread is in the middle of
 *     fjpp/nest.hpp       jobs that a thread keeps until another has nothing to do
 *     fjpp/group.hpp      group (with group_job.hpp, group_nest.hpp)
 *     fjpp/coroutine.hpp  schedule, run (C++20, where the compiler has coroutines)
 *     fjpp/queue_work.hpp the job of a named queue: job_options, job_run
 *     fjpp/queue_info.hpp snapshots: job_info, queue_info
 *     fjpp/queue.hpp      queue, queue_feed, job_output
 *     fjpp/queued_job.hpp queued_job
 *     fjpp/queue_set.hpp  queue_set
 *
 * The executor for Boost.Asio is in fastjobs_asio.hpp, which needs Boost. docs/cpp-api.md is the manual.
 *
 * Works with -fno-rtti; needs exceptions. Every function may be called from any thread unless its comment
 * says otherwise; objects of this header are, as in the standard library, used by one thread at a time unless
 * their comment says otherwise. In a program built with ThreadSanitizer the header tells it what the library
 * orders (the library itself is not instrumented).
 */
#ifndef FASTJOBS_FASTJOBS_HPP
#define FASTJOBS_FASTJOBS_HPP

#include "fjpp/base.hpp"
#include "fjpp/pool.hpp"
#include "fjpp/memory.hpp"
#include "fjpp/job.hpp"
#include "fjpp/submit.hpp"
#include "fjpp/claim.hpp"
#include "fjpp/task.hpp"
#include "fjpp/pending.hpp"
#include "fjpp/frame.hpp"
#include "fjpp/group.hpp"
#include "fjpp/coroutine.hpp"
#include "fjpp/queue_work.hpp"
#include "fjpp/queue_info.hpp"
#include "fjpp/queue.hpp"
#include "fjpp/queued_job.hpp"
#include "fjpp/queue_set.hpp"

#endif
