using System.Runtime.CompilerServices;
using FastJobs.Parking;

namespace FastJobs.Lanes;

/// <summary>How a submit ended.</summary>
internal enum Submitted
{
    Queued,

    /// <summary>The lane has no concurrency: the job ran in the submitter's thread.</summary>
    RanInline,
    Full,
    Closed,
}

/// <summary>How many jobs the calling thread runs that it submitted itself, one inside the other.</summary>
internal static class InlineRuns
{
    [ThreadStatic]
    private static int t_depth;

    public static bool Any => t_depth > 0;

    public static void Enter() => t_depth++;

    public static void Leave() => t_depth--;
}

/// <summary>How jobs come into a lane.</summary>
internal partial class Lane<TJob, TSlot, TOps>
{
    /// <summary>
    /// Whether the caller is a job of this lane. If it waited for room it could wait for ever: it goes over the limit.
    /// </summary>
    /// <remarks>So does a job of another lane on the same shared threads: those that would make room may all wait.</remarks>
    public bool IsOwnWorker =>
        Worker.Current?.Host is { } host
        && (ReferenceEquals(host, Workers) || (host.Shared is { } shared && ReferenceEquals(shared, Workers.Shared)));

    /// <summary>Hands a job in; waits for room unless the caller is one of the lane's own workers.</summary>
    public Submitted Submit(TJob job)
    {
        if (Workers.Limit == 0)
        {
            return RunInline(job);
        }

        if (Queue.TryWrite(job, out bool closed))
        {
            return Submitted.Queued;
        }

        if (closed)
        {
            return Submitted.Closed;
        }

        bool written = IsOwnWorker ? Queue.TryWriteForced(job) : BlockingWait.Write(Queue, job);
        return written ? Submitted.Queued : Submitted.Closed;
    }

    /// <summary>Hands a job in if there is room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Submitted TrySubmit(TJob job) =>
        Workers.Limit == 0 ? RunInline(job)
        : Queue.TryWrite(job, out bool closed) ? Submitted.Queued
        : closed ? Submitted.Closed
        : Submitted.Full;

    /// <summary>Hands several jobs in, in their order.</summary>
    /// <param name="jobs">The jobs.</param>
    /// <param name="mayWait">Whether to wait for room; otherwise they go over the limit.</param>
    /// <returns>How many it took: fewer if the lane closed.</returns>
    public int SubmitAll(ReadOnlySpan<TJob> jobs, bool mayWait)
    {
        if (Workers.Limit != 0 && Queue.Capacity >= LaneQueue<TJob, TSlot>.Relaxed)
        {
            return Queue.TryWriteAll(jobs) ? jobs.Length : 0;
        }

        int taken = 0;
        while (taken < jobs.Length
            && (mayWait ? Submit(jobs[taken]) : SubmitForced(jobs[taken])) != Submitted.Closed)
        {
            taken++;
        }

        return taken;
    }

    /// <summary>Hands a job in without regard to the backlog.</summary>
    public Submitted SubmitForced(TJob job)
    {
        if (Workers.Limit == 0)
        {
            return RunInline(job);
        }

        Queue.FlushMine(1);
        return Queue.TryWriteForced(job) ? Submitted.Queued : Submitted.Closed;
    }

    /// <summary>Runs a job in the calling thread, on the lane's account.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public Submitted RunInline(TJob job)
    {
        Interlocked.Increment(ref _inlineStarted);
        if (_closed)
        {
            Interlocked.Decrement(ref _inlineStarted);
            Workers.Idled?.Invoke(); // a drain may have seen it as started
            return Submitted.Closed;
        }

        InlineRuns.Enter();
        bool over = TOps.RunInline(job, this);
        InlineRuns.Leave();
        if (over)
        {
            FinishInline();
        }

        return Submitted.RanInline;
    }

    /// <summary>Counts the end of a job that was run inline and went on elsewhere.</summary>
    public void FinishInline()
    {
        Interlocked.Increment(ref _inlineFinished);
        Workers.Idled?.Invoke();
    }
}
