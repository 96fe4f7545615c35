using System.Diagnostics;
using FastJobs.Channels;
using FastJobs.Interop.Generated;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>
/// The jobs that wait in a lane, for fj_pool_list_jobs and for the counts by kind: those with a slot first, then the queue,
/// then those that wait for a slot. Jobs are read only where no worker can claim them, a few at a time, and shown when
/// everybody can go on: docs/protocols.md#pause.
/// </summary>
internal sealed unsafe class JobListing(CLane lane)
{
    private readonly List<Entry> _some = [];
    private readonly CLane _lane = lane;

    /// <summary>What a job said of itself while it waited.</summary>
    public readonly record struct Entry(nint Job, nint Worker, nint File, int Line, fj_job_state State, long SubmittedAt)
    {
        /// <summary>In the queue: its position, which says when it was submitted.</summary>
        public long? Position { get; init; }
    }

    /// <summary>Calls <paramref name="show"/> for each waiting job, not under a lock, until it returns false.</summary>
    public void Show(Func<Entry, bool> show)
    {
        _lane.Queue.Gather();
        _lane.Workers.BarHands(true); // or a job could go from the queue, behind the look, into one
        try
        {
            ShowAll(show);
        }
        finally
        {
            _lane.Workers.BarHands(false);
        }
    }

    private void ShowAll(Func<Entry, bool> show)
    {
        long next = 0;
        bool more;
        do
        {
            more = _lane.Workers.VisitSomeUrgent(
                ref next,
                (job, submittedAt) => Note(
                    job, CJobOps.IsWithSlot(job) ? fj_job_state.FJ_JOB_HAS_SLOT : fj_job_state.FJ_JOB_QUEUED, submittedAt));
            if (!Flush(show))
            {
                return;
            }
        }
        while (more);

        var queued = new Collector(this);
        next = 0;
        long end = _lane.Queue.EndPosition;
        while (_lane.Queue.VisitSome(ref queued, ref next, end))
        {
            if (!Flush(show))
            {
                return;
            }
        }

        bool goOn = true;
        SlotGate.VisitWaiting(
            _lane,
            (job, submittedAt) => Note(job, fj_job_state.FJ_JOB_WAITS_FOR_SLOT, submittedAt),
            () => goOn = goOn && Flush(show));
    }

    /// <summary>fj_pool_list_jobs: the struct's function and label are the C layer's to fill in.</summary>
    public static long List(CLane lane, delegate* unmanaged[Cdecl]<fj_queued_job*, void*, int> visitor, void* closure)
    {
        long shown = 0;
        long now = Stopwatch.GetTimestamp();
        new JobListing(lane).Show(entry =>
        {
            shown++;
            var job = new fj_queued_job
            {
                struct_size = (nuint)sizeof(fj_queued_job),
                position = shown,
                state = entry.State,
                job = (ec_thread_pool_job*)entry.Job,
                worker = (delegate* unmanaged[Cdecl]<ec_thread_pool_job*, void*, void>)entry.Worker,
                file = (sbyte*)entry.File,
                line = entry.Line,
                age = Math.Max(0, now - entry.SubmittedAt) / (double)Stopwatch.Frequency,
            };
            return visitor(&job, closure) == 0;
        });
        return shown;
    }

    // Where the job cannot be claimed.
    private void Note(nint handle, fj_job_state state, long submittedAt, long? position = null)
    {
        if (CallTable.IsCall(handle))
        {
            _some.Add(new Entry(0, CEngine.Current.CallTable.FunctionOf(handle), 0, 0, state, submittedAt) { Position = position });
        }
        else if (handle != CJobOps.Tombstone)
        {
            var job = (ec_thread_pool_job*)(handle & ~CJobOps.HandleBits);
            Entry entry = CallJobs.FunctionOf(job) is not 0 and nint function
                ? new Entry(0, function, 0, 0, state, submittedAt)
                : new Entry((nint)job, (nint)job->worker, (nint)job->file, job->line, state, submittedAt);
            _some.Add(entry with { Position = position });
        }
    }

    private bool Flush(Func<Entry, bool> show)
    {
        bool goOn = true;
        foreach (Entry entry in _some)
        {
            long submittedAt = entry.Position is { } position ? _lane.Queue.SubmittedAt(position) : entry.SubmittedAt;
            goOn = goOn && show(entry with { SubmittedAt = submittedAt });
        }

        _some.Clear();
        return goOn;
    }

    private readonly struct Collector(JobListing listing) : IItemVisitor<nint>
    {
        public bool Visit<TSlot>(ref TSlot slot, long position)
            where TSlot : struct, ISlot<nint, TSlot>
        {
            listing.Note(TSlot.Peek(ref slot), fj_job_state.FJ_JOB_QUEUED, 0, position);
            return false;
        }
    }
}
