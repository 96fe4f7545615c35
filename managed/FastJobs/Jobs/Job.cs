using System.Diagnostics;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>
/// A managed job: what a lane's queue holds. Jobs are pooled, so everything that outlives one use is checked with a
/// generation: docs/protocols.md#job.
/// </summary>
/// <remarks>
/// Run through a function pointer that each concrete class sets once, which a lane calls without looking up a virtual
/// method. A job is owned by one thread at a time except for <see cref="_word"/>, which decides races of start, cancel
/// and discard.
/// </remarks>
internal abstract unsafe class Job : Pooled
{
    private readonly delegate*<Job, Worker?, bool> _run;
    private long _word = new JobWord(0, JobState.Idle).Raw;

    protected Job(delegate*<Job, Worker?, bool> run, int pool)
        : base(pool) => _run = run;

    public ManagedLane? Lane { get; set; }

    /// <summary>The submitter's context, or null for the default one.</summary>
    public ExecutionContext? Context { get; set; }

    /// <summary>What the job runs; null while it is in the pool. For listings.</summary>
    public abstract Delegate? Work { get; }

    public JobWord Word => new(Volatile.Read(ref _word));

    public bool Run(Worker? worker) => _run(this, worker);

    /// <summary>The job is handed in, and may be cancelled while it waits.</summary>
    public void MakeCancelable()
    {
        Debug.Assert(Word.State == JobState.Idle, "a job from the pool is idle");
        Volatile.Write(ref _word, Word.With(JobState.Waiting).Raw);
    }

    /// <summary>Moves from one state to the next, if the job is in the first. Full fence; the race of start and cancel.</summary>
    public bool TryMove(JobState from, JobState to)
    {
        JobWord word = Word;
        return word.State == from
            && Interlocked.CompareExchange(ref _word, word.With(to).Raw, word.Raw) == word.Raw;
    }

    /// <summary>As <see cref="TryMove(JobState, JobState)"/>, for a handle that may be from an earlier use.</summary>
    public bool TryMove(long generation, JobState from, JobState to) =>
        Interlocked.CompareExchange(ref _word, new JobWord(generation, to).Raw, new JobWord(generation, from).Raw)
            == new JobWord(generation, from).Raw;

    /// <summary>Ends this use: handles of it are stale from now on.</summary>
    public void NextGeneration()
    {
        Lane = null;
        Context = null;
        Volatile.Write(ref _word, new JobWord(Word.Generation + 1, JobState.Idle).Raw);
    }

    /// <summary>Ends the job without running it. Throws nothing.</summary>
    public abstract void Discard();
}

/// <summary>Where a cancellable job is in its life.</summary>
internal enum JobState
{
    /// <summary>In the pool, or on its way without being cancellable.</summary>
    Idle,
    Waiting,
    Running,

    /// <summary>Cancelled or discarded while it waited; its place in the queue may still be there.</summary>
    Canceled,
}

/// <summary>The generation and the state of a job in one word.</summary>
internal readonly struct JobWord(long raw)
{
    private const int StateBits = 8;

    public JobWord(long generation, JobState state)
        : this((generation << StateBits) | (long)state)
    {
    }

    public long Raw => raw;

    public long Generation => raw >> StateBits;

    public JobState State => (JobState)(raw & ((1 << StateBits) - 1));

    public JobWord With(JobState state) => new(Generation, state);
}
