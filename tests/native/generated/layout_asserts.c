/* Written by interop/bindgen: dotnet run --project interop/bindgen
 * The layout that the ABI promises on 64-bit Linux, checked by the compiler. */
#include <stddef.h>

#include "ec_config.h"
#include "ec_malloc.h"
#include "ec_thread_pool.h"
#include "fastjobs.h"
#include "fj_base.h"
#include "fj_inspect.h"

#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), "sizeof(" #type ")")
#define FIELD(type, member, offset)                                                                          \
    _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member)

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

#endif

/* ISO C wants a declaration in every translation unit, on other machines too. */
typedef int fj_layout_asserts_checked;
