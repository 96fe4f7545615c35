/* Written by interop/bindgen: dotnet run --project interop/bindgen
 * Prints how C lays the structs out, in the lines of LayoutTable.g.cs, which says how C# does. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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

#define SIZE(type) printf("%s size %zu\n", #type, sizeof(type))
#define FIELD(type, member)                                                                                  \
    printf("%s offset %zu\n%s size %zu\n", #type "." #member, offsetof(type, member), #type "." #member,     \
           sizeof(((type *)0)->member))
#define BITS(type, member)                                                                                   \
    do {                                                                                                     \
        type object;                                                                                         \
        memset(&object, 0, sizeof(object));                                                                  \
        object.member = ones;                                                                                \
        print_bits(#type "." #member, &object, sizeof(object), object.member);                               \
    } while (0)

/* offsetof has no answer for a bit field: set to all ones in a cleared object it shows where it is. */
static void print_bits(const char *member, const void *object, size_t size, long long value)
{
    const unsigned char *bytes = object;
    long first = -1;
    long count = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        if (bytes[bit / 8] & (1u << (bit % 8))) {
            first = first < 0 ? (long)bit : first;
            count++;
        }
    }
    printf("%s first_bit %ld\n%s bits %ld\n%s all_ones %lld\n", member, first, member, count, member, value);
}

int main(void)
{
    int ones = -1; /* no constant: compilers say that a constant does not fit */

    SIZE(struct ec_thread_pool_job);
    FIELD(struct ec_thread_pool_job, next);
    FIELD(struct ec_thread_pool_job, completion);
    FIELD(struct ec_thread_pool_job, job_class);
    FIELD(struct ec_thread_pool_job, concurrency);
    FIELD(struct ec_thread_pool_job, worker);
    FIELD(struct ec_thread_pool_job, closure);
    FIELD(struct ec_thread_pool_job, r);
    FIELD(struct ec_thread_pool_job, r.e);
    FIELD(struct ec_thread_pool_job, r.e.event);
    FIELD(struct ec_thread_pool_job, r.e.mask);
    FIELD(struct ec_thread_pool_job, r.e.ctx);
    FIELD(struct ec_thread_pool_job, r.e.inst);
    FIELD(struct ec_thread_pool_job, r.cb);
    FIELD(struct ec_thread_pool_job, r.cb.func);
    FIELD(struct ec_thread_pool_job, r.cb.closure);
    FIELD(struct ec_thread_pool_job, r.cb.inst);
    FIELD(struct ec_thread_pool_job, r.sema);
    FIELD(struct ec_thread_pool_job, free_on_completion_memtype);
    BITS(struct ec_thread_pool_job, skip_completion);
    BITS(struct ec_thread_pool_job, skip_on_shutdown);
    BITS(struct ec_thread_pool_job, _spare_bits);
    FIELD(struct ec_thread_pool_job, file);
    FIELD(struct ec_thread_pool_job, line);

    SIZE(struct ec_event_io_opset);
    FIELD(struct ec_event_io_opset, fj_event_accept);
    FIELD(struct ec_event_io_opset, fj_event_read);
    FIELD(struct ec_event_io_opset, fj_event_write);
    FIELD(struct ec_event_io_opset, fj_event_close);
    FIELD(struct ec_event_io_opset, fj_event_sendfile);

    SIZE(struct _Event);
    FIELD(struct _Event, trigger);
    FIELD(struct _Event, trigger.tv_sec);
    FIELD(struct _Event, trigger.tv_usec);
    FIELD(struct _Event, io_data);
    FIELD(struct _Event, io_opset);
    BITS(struct _Event, aggressive);
    BITS(struct _Event, trace);
    BITS(struct _Event, unused);
    FIELD(struct _Event, mask);
    FIELD(struct _Event, fd);
    FIELD(struct _Event, callback);
    FIELD(struct _Event, closure);
    FIELD(struct _Event, scheduled_thread);

    SIZE(fj_pool_stats);
    FIELD(fj_pool_stats, struct_size);
    FIELD(fj_pool_stats, name);
    FIELD(fj_pool_stats, job_class);
    FIELD(fj_pool_stats, concurrency);
    FIELD(fj_pool_stats, invocations);
    FIELD(fj_pool_stats, avg_concurrency);
    FIELD(fj_pool_stats, saturation);
    FIELD(fj_pool_stats, avg_wallclock_time_per_op);
    FIELD(fj_pool_stats, queue_sz);
    FIELD(fj_pool_stats, num_threads);
    FIELD(fj_pool_stats, num_active_threads);
    FIELD(fj_pool_stats, num_inactive_threads);

    SIZE(fj_job_kind);
    FIELD(fj_job_kind, file);
    FIELD(fj_job_kind, line);
    FIELD(fj_job_kind, job_num_queued);
    FIELD(fj_job_kind, job_num_running);

    SIZE(fj_config_entry);
    FIELD(fj_config_entry, outcome);
    FIELD(fj_config_entry, line);
    FIELD(fj_config_entry, column);
    FIELD(fj_config_entry, source);
    FIELD(fj_config_entry, pool);
    FIELD(fj_config_entry, setting);
    FIELD(fj_config_entry, text);

    SIZE(fj_queued_job);
    FIELD(fj_queued_job, struct_size);
    FIELD(fj_queued_job, position);
    FIELD(fj_queued_job, state);
    FIELD(fj_queued_job, job);
    FIELD(fj_queued_job, worker);
    FIELD(fj_queued_job, function);
    FIELD(fj_queued_job, file);
    FIELD(fj_queued_job, line);
    FIELD(fj_queued_job, age);
    FIELD(fj_queued_job, label);

    SIZE(fj_trace_event);
    FIELD(fj_trace_event, struct_size);
    FIELD(fj_trace_event, kind);
    FIELD(fj_trace_event, job_class);
    FIELD(fj_trace_event, job);
    FIELD(fj_trace_event, worker);
    FIELD(fj_trace_event, file);
    FIELD(fj_trace_event, line);

    SIZE(fj_job_id);
    FIELD(fj_job_id, number);
    FIELD(fj_job_id, text);

    SIZE(fj_work);
    FIELD(fj_work, struct_size);
    FIELD(fj_work, name);
    FIELD(fj_work, run);
    FIELD(fj_work, stop);
    FIELD(fj_work, release);

    SIZE(fj_job_options);
    FIELD(fj_job_options, struct_size);
    FIELD(fj_job_options, id);
    FIELD(fj_job_options, detached);
    FIELD(fj_job_options, head);
    FIELD(fj_job_options, delay_ms);
    FIELD(fj_job_options, expire_ms);
    FIELD(fj_job_options, max_attempts);
    FIELD(fj_job_options, retry_ms);
    FIELD(fj_job_options, retry_factor);
    FIELD(fj_job_options, retry_max_ms);

    SIZE(fj_job_result);
    FIELD(fj_job_result, outcome);
    FIELD(fj_job_result, code);
    FIELD(fj_job_result, bytes);
    FIELD(fj_job_result, size);
    FIELD(fj_job_result, state);
    FIELD(fj_job_result, reserved);

    SIZE(fj_queued_id);
    FIELD(fj_queued_id, queue);
    FIELD(fj_queued_id, id);
    FIELD(fj_queued_id, id.number);
    FIELD(fj_queued_id, id.text);

    SIZE(fj_queue_options);
    FIELD(fj_queue_options, struct_size);
    FIELD(fj_queue_options, name);
    FIELD(fj_queue_options, description);
    FIELD(fj_queue_options, concurrency);
    FIELD(fj_queue_options, expire_ms);

    SIZE(fj_queue_settings);
    FIELD(fj_queue_settings, struct_size);
    FIELD(fj_queue_settings, jobs_per_thread);
    FIELD(fj_queue_settings, idle_ms);
    FIELD(fj_queue_settings, log_min_ms);

    SIZE(fj_queue_event);
    FIELD(fj_queue_event, struct_size);
    FIELD(fj_queue_event, kind);
    FIELD(fj_queue_event, queue);
    FIELD(fj_queue_event, id);
    FIELD(fj_queue_event, id.number);
    FIELD(fj_queue_event, id.text);
    FIELD(fj_queue_event, id_text);
    FIELD(fj_queue_event, work);
    FIELD(fj_queue_event, state);
    FIELD(fj_queue_event, code);
    FIELD(fj_queue_event, bytes);
    FIELD(fj_queue_event, size);
    FIELD(fj_queue_event, seconds);
    FIELD(fj_queue_event, text);

    SIZE(fj_queue_set_options);
    FIELD(fj_queue_set_options, struct_size);
    FIELD(fj_queue_set_options, name);
    FIELD(fj_queue_set_options, settings);
    FIELD(fj_queue_set_options, on_thread_start);
    FIELD(fj_queue_set_options, after_job);
    FIELD(fj_queue_set_options, on_thread_exit);
    FIELD(fj_queue_set_options, log);
    FIELD(fj_queue_set_options, closure);

    SIZE(fj_job_info);
    FIELD(fj_job_info, struct_size);
    FIELD(fj_job_info, id);
    FIELD(fj_job_info, id.number);
    FIELD(fj_job_info, id.text);
    FIELD(fj_job_info, id_text);
    FIELD(fj_job_info, phase);
    FIELD(fj_job_info, outcome);
    FIELD(fj_job_info, code);
    FIELD(fj_job_info, bytes);
    FIELD(fj_job_info, size);
    FIELD(fj_job_info, work);
    FIELD(fj_job_info, state);
    FIELD(fj_job_info, detached);
    FIELD(fj_job_info, waited_for);
    FIELD(fj_job_info, delayed);
    FIELD(fj_job_info, attempt);
    FIELD(fj_job_info, progress);
    FIELD(fj_job_info, thread);
    FIELD(fj_job_info, seconds);
    FIELD(fj_job_info, start_time);
    FIELD(fj_job_info, end_time);

    SIZE(fj_queue_info);
    FIELD(fj_queue_info, struct_size);
    FIELD(fj_queue_info, name);
    FIELD(fj_queue_info, description);
    FIELD(fj_queue_info, concurrency);
    FIELD(fj_queue_info, scheduled);
    FIELD(fj_queue_info, running);
    FIELD(fj_queue_info, done);
    FIELD(fj_queue_info, paused);
    FIELD(fj_queue_info, deleting);

    SIZE(fj_queue_threads);
    FIELD(fj_queue_threads, struct_size);
    FIELD(fj_queue_threads, max_threads);
    FIELD(fj_queue_threads, threads);
    FIELD(fj_queue_threads, idle_threads);
    FIELD(fj_queue_threads, stopping);

    SIZE(struct _io_job);
    FIELD(struct _io_job, job);
    FIELD(struct _io_job, job.next);
    FIELD(struct _io_job, job.completion);
    FIELD(struct _io_job, job.job_class);
    FIELD(struct _io_job, job.concurrency);
    FIELD(struct _io_job, job.worker);
    FIELD(struct _io_job, job.closure);
    FIELD(struct _io_job, job.r);
    FIELD(struct _io_job, job.r.e);
    FIELD(struct _io_job, job.r.e.event);
    FIELD(struct _io_job, job.r.e.mask);
    FIELD(struct _io_job, job.r.e.ctx);
    FIELD(struct _io_job, job.r.e.inst);
    FIELD(struct _io_job, job.r.cb);
    FIELD(struct _io_job, job.r.cb.func);
    FIELD(struct _io_job, job.r.cb.closure);
    FIELD(struct _io_job, job.r.cb.inst);
    FIELD(struct _io_job, job.r.sema);
    FIELD(struct _io_job, job.free_on_completion_memtype);
    BITS(struct _io_job, job.skip_completion);
    BITS(struct _io_job, job.skip_on_shutdown);
    BITS(struct _io_job, job._spare_bits);
    FIELD(struct _io_job, job.file);
    FIELD(struct _io_job, job.line);
    FIELD(struct _io_job, filename);
    FIELD(struct _io_job, buffer);
    FIELD(struct _io_job, errorcode);
    FIELD(struct _io_job, status);

    SIZE(mem_type_def);
    FIELD(mem_type_def, name);
    FIELD(mem_type_def, size);
    FIELD(mem_type_def, flags);

    SIZE(fj_memtype_usage);
    FIELD(fj_memtype_usage, name);
    FIELD(fj_memtype_usage, size);
    FIELD(fj_memtype_usage, objects);
    FIELD(fj_memtype_usage, bytes);
    FIELD(fj_memtype_usage, allocations);

    SIZE(struct _ec_string);
    FIELD(struct _ec_string, len);
    FIELD(struct _ec_string, allocd);
    FIELD(struct _ec_string, buffer);
    FIELD(struct _ec_string, type);
    FIELD(struct _ec_string, backing);

    SIZE(fj_scheduler_stats);
    FIELD(fj_scheduler_stats, struct_size);
    FIELD(fj_scheduler_stats, iterations);
    FIELD(fj_scheduler_stats, callbacks);
    FIELD(fj_scheduler_stats, posts);
    FIELD(fj_scheduler_stats, wakes);
    FIELD(fj_scheduler_stats, fds);
    FIELD(fj_scheduler_stats, timers);

    SIZE(struct timeval);
    FIELD(struct timeval, tv_sec);
    FIELD(struct timeval, tv_usec);
    return 0;
}
