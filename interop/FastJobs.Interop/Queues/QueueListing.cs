using System.Runtime.InteropServices;
using System.Text;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>
/// Shows jobs to a C program. Under the queue's lock each is noted and kept, so that its state and its result outlive a
/// collector; shown, and let go of, when the lock is free.
/// </summary>
internal sealed unsafe class QueueListing(delegate* unmanaged[Cdecl]<fj_job_info*, void*, int> visitor, void* closure)
{
    private readonly delegate* unmanaged[Cdecl]<fj_job_info*, void*, int> _visitor = visitor;
    private readonly void* _closure = closure;
    private readonly List<Entry> _some = [];
    private byte[] _text = new byte[64];
    private bool _enough;
    private bool _noMemory;

    public long Shown { get; private set; }

    private readonly record struct Entry(
        JobKey Key, nint Kept, JobFlags Flags, int Attempt, byte[]? Progress, int Thread, double Seconds, double Start, double End);

    public static long ListJobs(nint handle, delegate* unmanaged[Cdecl]<fj_job_info*, void*, int> visitor, void* closure)
    {
        const string Function = "fj_queue_list_jobs";
        if (!CQueue.TryGet(handle, Function, out CQueue queue) || !IsVisitor((nint)visitor, Function))
        {
            return -1;
        }

        var listing = new QueueListing(visitor, closure);
        queue.Core.VisitJobs(listing.Note, listing.Show);
        return listing.IsWhole(Function) ? listing.Shown : -1;
    }

    public static bool VisitJob(
        nint handle, fj_job_id id, delegate* unmanaged[Cdecl]<fj_job_info*, void*, int> visitor, void* closure)
    {
        const string Function = "fj_queue_visit_job";
        if (!CQueue.TryGet(handle, Function, out CQueue queue)
            || !QueueErrors.TryGetKey(id, Function, out JobKey key)
            || !IsVisitor((nint)visitor, Function))
        {
            return false;
        }

        var listing = new QueueListing(visitor, closure);
        if (!queue.Core.TryVisit(key, listing.Note))
        {
            return QueueErrors.Fail(QueueStatus.NoSuchJob, queue.Core, key);
        }

        listing.Show();
        return listing.IsWhole(Function);
    }

    private bool IsWhole(string function) =>
        !_noMemory || Errors.Fail(fj_error.FJ_ENOMEM, $"{function}: no memory to keep a job while it is shown");

    private static bool IsVisitor(nint visitor, string function) =>
        visitor != 0 || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the visitor is NULL");

    // Under the lock.
    private void Note(JobKey key, QueuedJob found)
    {
        var job = (CQueuedJob)found;
        nint kept = job.Keep();
        if (kept == 0)
        {
            _noMemory = true;
            return;
        }

        JobExtras? extras = job.Extras;
        bool done = job.State == JobFlags.Done;
        double since = job.Elapsed.TotalSeconds;
        double start = ((DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds) - since;
        double ran = done ? job.Aux / 1000.0 : since;
        _some.Add(new Entry(
            key,
            kept,
            job.Flags,
            extras?.Attempt ?? 1,
            (byte[]?)extras?.Progress,
            job.ThreadId,
            ran,
            start,
            done ? start + ran : 0));
    }

    private bool Show()
    {
        foreach (ref readonly Entry entry in CollectionsMarshal.AsSpan(_some))
        {
            if (!_enough)
            {
                Shown++;
                _enough = Show(entry);
            }

            CQueuedJob.LetGo(entry.Kept);
        }

        _some.Clear();
        return !_enough;
    }

    private bool Show(in Entry entry)
    {
        var kept = (Kept*)entry.Kept;
        JobFlags state = entry.Flags & JobFlags.StateMask;
        JobFlags outcome = entry.Flags & JobFlags.OutcomeMask;
        bool done = state == JobFlags.Done;
        fixed (byte* text = TextOf(entry.Key), progress = entry.Progress)
        {
            var info = new fj_job_info
            {
                struct_size = (nuint)sizeof(fj_job_info),
                id = new fj_job_id { number = entry.Key.Number, text = entry.Key.Id is null ? null : (sbyte*)text },
                id_text = (sbyte*)text,
                phase = done ? fj_job_phase.FJ_JOB_DONE
                    : state == JobFlags.Running ? fj_job_phase.FJ_JOB_RUNNING
                    : fj_job_phase.FJ_JOB_SCHEDULED,
                outcome = CQueuedJob.ToOutcome(outcome),
                code = done ? kept->Code : 0,
                bytes = done ? kept->Bytes : null,
                size = done ? kept->Size : 0,
                work = kept->Work,
                state = kept->State,
                detached = (entry.Flags & JobFlags.Detached) != 0 ? 1 : 0,
                waited_for = (entry.Flags & JobFlags.HasWaiter) != 0 ? 1 : 0,
                delayed = (entry.Flags & JobFlags.Delayed) != 0 ? 1 : 0,
                attempt = entry.Attempt,
                progress = (sbyte*)progress,
                thread = (nuint)entry.Thread,
                seconds = entry.Seconds,
                start_time = entry.Start,
                end_time = entry.End,
            };
            if (CEngine.Current.IsSanitized)
            {
                Sanitizer.Taken(Sanitizer.JobOf(info.work, info.state));
            }

            return _visitor(&info, _closure) != 0;
        }
    }

    private byte[] TextOf(JobKey key)
    {
        string id = key.ToString();
        int most = Encoding.UTF8.GetMaxByteCount(id.Length) + 1;
        if (_text.Length < most)
        {
            _text = new byte[most];
        }

        NameText.Encode(id, _text);
        return _text;
    }
}
