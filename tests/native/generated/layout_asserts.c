/* Written by interop/bindgen: dotnet run --project interop/bindgen
 * The layout that the ABI promises on 64-bit Linux, checked by the compiler. */
#include <stddef.h>

#include "ec_config.h"
#include "ec_malloc.h"
#include "ec_thread_pool.h"
#include "event.h"
#include "fastjobs.h"
#include "fj_base.h"
#include "fj_call.h"
#include "fj_config.h"
#include "fj_inspect.h"
#include "fj_queue.h"
#include "fj_queue_list.h"
#include "io_wrapper.h"
#include "misc/ec_string.h"
#include "scheduler.h"
#include "sp_async.h"

#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "sizeof(" #type ")")
#define FIELD(type, member, offset)                                                                          \
    _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member)

SIZE(struct ec_thread_pool_job, 96);
FIELD(struct ec_thread_pool_job, next, 0);
FIELD(struct ec_thread_pool_job, completion, 8);
FIELD(struct ec_thread_pool_job, job_class, 12);
FIELD(struct ec_thread_pool_job, concurrency, 16);
FIELD(struct ec_thread_pool_job, worker, 24);
FIELD(struct ec_thread_pool_job, closure, 32);
FIELD(struct ec_thread_pool_job, r, 40);
FIELD(struct ec_thread_pool_job, r.e, 40);
FIELD(struct ec_thread_pool_job, r.e.event, 40);
FIELD(struct ec_thread_pool_job, r.e.mask, 48);
FIELD(struct ec_thread_pool_job, r.e.ctx, 56);
FIELD(struct ec_thread_pool_job, r.e.inst, 64);
FIELD(struct ec_thread_pool_job, r.cb, 40);
FIELD(struct ec_thread_pool_job, r.cb.func, 40);
FIELD(struct ec_thread_pool_job, r.cb.closure, 48);
FIELD(struct ec_thread_pool_job, r.cb.inst, 56);
FIELD(struct ec_thread_pool_job, r.sema, 40);
FIELD(struct ec_thread_pool_job, free_on_completion_memtype, 72);
FIELD(struct ec_thread_pool_job, file, 80);
FIELD(struct ec_thread_pool_job, line, 88);

SIZE(struct ec_event_io_opset, 40);
FIELD(struct ec_event_io_opset, fj_event_accept, 0);
FIELD(struct ec_event_io_opset, fj_event_read, 8);
FIELD(struct ec_event_io_opset, fj_event_write, 16);
FIELD(struct ec_event_io_opset, fj_event_close, 24);
FIELD(struct ec_event_io_opset, fj_event_sendfile, 32);

SIZE(struct _Event, 72);
FIELD(struct _Event, trigger, 0);
FIELD(struct _Event, trigger.tv_sec, 0);
FIELD(struct _Event, trigger.tv_usec, 8);
FIELD(struct _Event, io_data, 16);
FIELD(struct _Event, io_opset, 24);
FIELD(struct _Event, mask, 36);
FIELD(struct _Event, fd, 40);
FIELD(struct _Event, callback, 48);
FIELD(struct _Event, closure, 56);
FIELD(struct _Event, scheduled_thread, 64);

SIZE(fj_pool_stats, 72);
FIELD(fj_pool_stats, struct_size, 0);
FIELD(fj_pool_stats, name, 8);
FIELD(fj_pool_stats, job_class, 16);
FIELD(fj_pool_stats, concurrency, 20);
FIELD(fj_pool_stats, invocations, 24);
FIELD(fj_pool_stats, avg_concurrency, 32);
FIELD(fj_pool_stats, saturation, 40);
FIELD(fj_pool_stats, avg_wallclock_time_per_op, 48);
FIELD(fj_pool_stats, queue_sz, 56);
FIELD(fj_pool_stats, num_threads, 60);
FIELD(fj_pool_stats, num_active_threads, 64);
FIELD(fj_pool_stats, num_inactive_threads, 68);

SIZE(fj_job_kind, 24);
FIELD(fj_job_kind, file, 0);
FIELD(fj_job_kind, line, 8);
FIELD(fj_job_kind, job_num_queued, 12);
FIELD(fj_job_kind, job_num_running, 16);

SIZE(fj_config_entry, 48);
FIELD(fj_config_entry, outcome, 0);
FIELD(fj_config_entry, line, 4);
FIELD(fj_config_entry, column, 8);
FIELD(fj_config_entry, source, 16);
FIELD(fj_config_entry, pool, 24);
FIELD(fj_config_entry, setting, 32);
FIELD(fj_config_entry, text, 40);

SIZE(fj_queued_job, 80);
FIELD(fj_queued_job, struct_size, 0);
FIELD(fj_queued_job, position, 8);
FIELD(fj_queued_job, state, 16);
FIELD(fj_queued_job, job, 24);
FIELD(fj_queued_job, worker, 32);
FIELD(fj_queued_job, function, 40);
FIELD(fj_queued_job, file, 48);
FIELD(fj_queued_job, line, 56);
FIELD(fj_queued_job, age, 64);
FIELD(fj_queued_job, label, 72);

SIZE(fj_trace_event, 48);
FIELD(fj_trace_event, struct_size, 0);
FIELD(fj_trace_event, kind, 8);
FIELD(fj_trace_event, job_class, 12);
FIELD(fj_trace_event, job, 16);
FIELD(fj_trace_event, worker, 24);
FIELD(fj_trace_event, file, 32);
FIELD(fj_trace_event, line, 40);

SIZE(fj_job_id, 16);
FIELD(fj_job_id, number, 0);
FIELD(fj_job_id, text, 8);

SIZE(fj_work, 40);
FIELD(fj_work, struct_size, 0);
FIELD(fj_work, name, 8);
FIELD(fj_work, run, 16);
FIELD(fj_work, stop, 24);
FIELD(fj_work, release, 32);

SIZE(fj_job_options, 56);
FIELD(fj_job_options, struct_size, 0);
FIELD(fj_job_options, id, 8);
FIELD(fj_job_options, detached, 16);
FIELD(fj_job_options, head, 20);
FIELD(fj_job_options, delay_ms, 24);
FIELD(fj_job_options, expire_ms, 28);
FIELD(fj_job_options, max_attempts, 32);
FIELD(fj_job_options, retry_ms, 36);
FIELD(fj_job_options, retry_factor, 40);
FIELD(fj_job_options, retry_max_ms, 48);

SIZE(fj_job_result, 40);
FIELD(fj_job_result, outcome, 0);
FIELD(fj_job_result, code, 4);
FIELD(fj_job_result, bytes, 8);
FIELD(fj_job_result, size, 16);
FIELD(fj_job_result, state, 24);
FIELD(fj_job_result, reserved, 32);

SIZE(fj_queued_id, 24);
FIELD(fj_queued_id, queue, 0);
FIELD(fj_queued_id, id, 8);
FIELD(fj_queued_id, id.number, 8);
FIELD(fj_queued_id, id.text, 16);

SIZE(fj_queue_options, 32);
FIELD(fj_queue_options, struct_size, 0);
FIELD(fj_queue_options, name, 8);
FIELD(fj_queue_options, description, 16);
FIELD(fj_queue_options, concurrency, 24);
FIELD(fj_queue_options, expire_ms, 28);

SIZE(fj_queue_settings, 32);
FIELD(fj_queue_settings, struct_size, 0);
FIELD(fj_queue_settings, jobs_per_thread, 8);
FIELD(fj_queue_settings, idle_ms, 16);
FIELD(fj_queue_settings, log_min_ms, 24);

SIZE(fj_queue_event, 104);
FIELD(fj_queue_event, struct_size, 0);
FIELD(fj_queue_event, kind, 8);
FIELD(fj_queue_event, queue, 16);
FIELD(fj_queue_event, id, 24);
FIELD(fj_queue_event, id.number, 24);
FIELD(fj_queue_event, id.text, 32);
FIELD(fj_queue_event, id_text, 40);
FIELD(fj_queue_event, work, 48);
FIELD(fj_queue_event, state, 56);
FIELD(fj_queue_event, code, 64);
FIELD(fj_queue_event, bytes, 72);
FIELD(fj_queue_event, size, 80);
FIELD(fj_queue_event, seconds, 88);
FIELD(fj_queue_event, text, 96);

SIZE(fj_queue_set_options, 64);
FIELD(fj_queue_set_options, struct_size, 0);
FIELD(fj_queue_set_options, name, 8);
FIELD(fj_queue_set_options, settings, 16);
FIELD(fj_queue_set_options, on_thread_start, 24);
FIELD(fj_queue_set_options, after_job, 32);
FIELD(fj_queue_set_options, on_thread_exit, 40);
FIELD(fj_queue_set_options, log, 48);
FIELD(fj_queue_set_options, closure, 56);

SIZE(fj_job_info, 136);
FIELD(fj_job_info, struct_size, 0);
FIELD(fj_job_info, id, 8);
FIELD(fj_job_info, id.number, 8);
FIELD(fj_job_info, id.text, 16);
FIELD(fj_job_info, id_text, 24);
FIELD(fj_job_info, phase, 32);
FIELD(fj_job_info, outcome, 36);
FIELD(fj_job_info, code, 40);
FIELD(fj_job_info, bytes, 48);
FIELD(fj_job_info, size, 56);
FIELD(fj_job_info, work, 64);
FIELD(fj_job_info, state, 72);
FIELD(fj_job_info, detached, 80);
FIELD(fj_job_info, waited_for, 84);
FIELD(fj_job_info, delayed, 88);
FIELD(fj_job_info, attempt, 92);
FIELD(fj_job_info, progress, 96);
FIELD(fj_job_info, thread, 104);
FIELD(fj_job_info, seconds, 112);
FIELD(fj_job_info, start_time, 120);
FIELD(fj_job_info, end_time, 128);

SIZE(fj_queue_info, 64);
FIELD(fj_queue_info, struct_size, 0);
FIELD(fj_queue_info, name, 8);
FIELD(fj_queue_info, description, 16);
FIELD(fj_queue_info, concurrency, 24);
FIELD(fj_queue_info, scheduled, 32);
FIELD(fj_queue_info, running, 40);
FIELD(fj_queue_info, done, 48);
FIELD(fj_queue_info, paused, 56);
FIELD(fj_queue_info, deleting, 60);

SIZE(fj_queue_threads, 32);
FIELD(fj_queue_threads, struct_size, 0);
FIELD(fj_queue_threads, max_threads, 8);
FIELD(fj_queue_threads, threads, 16);
FIELD(fj_queue_threads, idle_threads, 20);
FIELD(fj_queue_threads, stopping, 24);

SIZE(struct _io_job, 120);
FIELD(struct _io_job, job, 0);
FIELD(struct _io_job, job.next, 0);
FIELD(struct _io_job, job.completion, 8);
FIELD(struct _io_job, job.job_class, 12);
FIELD(struct _io_job, job.concurrency, 16);
FIELD(struct _io_job, job.worker, 24);
FIELD(struct _io_job, job.closure, 32);
FIELD(struct _io_job, job.r, 40);
FIELD(struct _io_job, job.r.e, 40);
FIELD(struct _io_job, job.r.e.event, 40);
FIELD(struct _io_job, job.r.e.mask, 48);
FIELD(struct _io_job, job.r.e.ctx, 56);
FIELD(struct _io_job, job.r.e.inst, 64);
FIELD(struct _io_job, job.r.cb, 40);
FIELD(struct _io_job, job.r.cb.func, 40);
FIELD(struct _io_job, job.r.cb.closure, 48);
FIELD(struct _io_job, job.r.cb.inst, 56);
FIELD(struct _io_job, job.r.sema, 40);
FIELD(struct _io_job, job.free_on_completion_memtype, 72);
FIELD(struct _io_job, job.file, 80);
FIELD(struct _io_job, job.line, 88);
FIELD(struct _io_job, filename, 96);
FIELD(struct _io_job, buffer, 104);
FIELD(struct _io_job, errorcode, 112);
FIELD(struct _io_job, status, 116);

SIZE(mem_type_def, 24);
FIELD(mem_type_def, name, 0);
FIELD(mem_type_def, size, 8);
FIELD(mem_type_def, flags, 16);

SIZE(fj_memtype_usage, 40);
FIELD(fj_memtype_usage, name, 0);
FIELD(fj_memtype_usage, size, 8);
FIELD(fj_memtype_usage, objects, 16);
FIELD(fj_memtype_usage, bytes, 24);
FIELD(fj_memtype_usage, allocations, 32);

SIZE(struct _ec_string, 32);
FIELD(struct _ec_string, len, 0);
FIELD(struct _ec_string, allocd, 4);
FIELD(struct _ec_string, buffer, 8);
FIELD(struct _ec_string, type, 16);
FIELD(struct _ec_string, backing, 24);

SIZE(fj_scheduler_stats, 48);
FIELD(fj_scheduler_stats, struct_size, 0);
FIELD(fj_scheduler_stats, iterations, 8);
FIELD(fj_scheduler_stats, callbacks, 16);
FIELD(fj_scheduler_stats, posts, 24);
FIELD(fj_scheduler_stats, wakes, 32);
FIELD(fj_scheduler_stats, fds, 40);
FIELD(fj_scheduler_stats, timers, 44);

SIZE(struct timeval, 16);
FIELD(struct timeval, tv_sec, 0);
FIELD(struct timeval, tv_usec, 8);

#endif

/* ISO C wants a declaration in every translation unit, on other machines too. */
typedef int fj_layout_asserts_checked;
