/* Written by interop/bindgen: dotnet run --project interop/bindgen
 * Prints how C lays the structs out, in the lines of LayoutTable.g.cs, which says how C# does. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ec_config.h"
#include "ec_malloc.h"
#include "ec_thread_pool.h"
#include "fastjobs.h"
#include "fj_base.h"
#include "fj_inspect.h"

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
    return 0;
}
