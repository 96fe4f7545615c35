using System.Runtime.CompilerServices;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>
/// The contexts in which a job's code runs, that of execution and that of synchronization, and the clean ones in which a worker
/// goes on.
/// </summary>
internal static class JobContext
{
    private static ExecutionContext? s_default;

    /// <summary>Whether a worker can look at its thread's contexts itself.</summary>
    internal static bool IsVisible { get; private set; }

    /// <summary>Called first in a new worker thread, whose context is the default one.</summary>
    public static void AdoptDefault()
    {
        if (s_default is null)
        {
            s_default = ExecutionContext.Capture();
            IsVisible = CanLook();
        }
    }

    /// <summary>The submitter's context, or null where that is the default one or its flow is suppressed.</summary>
    public static ExecutionContext? Capture()
    {
        ExecutionContext? context = ExecutionContext.Capture();
        return ReferenceEquals(context, s_default) ? null : context;
    }

    /// <summary>
    /// Runs a job in its submitter's thread, which keeps its contexts; a job without one runs in the default context.
    /// </summary>
    public static bool RunInline(Job job)
    {
        ExecutionContext? own = ExecutionContext.Capture();
        SynchronizationContext? ownSynchronization = SynchronizationContext.Current;
        bool over = RunInline(job, own);
        if (!ReferenceEquals(SynchronizationContext.Current, ownSynchronization))
        {
            SynchronizationContext.SetSynchronizationContext(ownSynchronization);
        }

        return over;
    }

    private static bool RunInline(Job job, ExecutionContext? own)
    {
        if (own is null)
        {
            return job.Run(null); // the submitter suppressed the flow: there is nothing that could be put back
        }

        if (job.Context is null && !ReferenceEquals(own, Default))
        {
            ExecutionContext.Restore(Default);
        }

        bool over = job.Run(null);
        if (!ReferenceEquals(ExecutionContext.Capture(), own))
        {
            ExecutionContext.Restore(own);
        }

        return over;
    }

    // A new thread has it. Before the first worker there was none.
    private static ExecutionContext Default
    {
        get
        {
            if (s_default is null)
            {
                var thread = new Thread(AdoptDefault);
                thread.UnsafeStart();
                thread.Join();
            }

            return s_default!;
        }
    }

    /// <summary>Undoes what a job that ran without a context of its own changed in its thread's.</summary>
    /// <param name="worker">Whose thread this is.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clean(Worker worker)
    {
        if (!IsVisible || IsChanged(worker.Runner!))
        {
            Clean();
        }
    }

    /// <inheritdoc cref="Clean(Worker)"/>
    public static void Clean()
    {
        // Twice: whoever is told that a value of the context changes may change it.
        for (int i = 0; i < 2 && !ReferenceEquals(ExecutionContext.Capture(), s_default); i++)
        {
            ExecutionContext.Restore(s_default!);
        }

        if (SynchronizationContext.Current is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    private static bool IsChanged(Thread thread) =>
        SynchronizationOf(thread) is not null
        || (ContextOf(thread) is { } context && !ReferenceEquals(context, s_default));

    // What the runtime's own pool looks at after each job; null is the default context. The public way asks the system for the
    // thread first, which costs an empty job a sixth of its time: docs/adr/0012-the-context-of-a-thread.md.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_executionContext")]
    private static extern ref ExecutionContext? ContextOf(Thread thread);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_synchronizationContext")]
    private static extern ref SynchronizationContext? SynchronizationOf(Thread thread);

    // In a thread whose contexts are the default ones: whether this runtime has such fields, and keeps in them what it should.
    private static bool CanLook()
    {
        try
        {
            Thread self = Thread.CurrentThread;
            bool isClean = !IsChanged(self);
            new AsyncLocal<bool>().Value = true;
            var synchronization = new SynchronizationContext();
            SynchronizationContext.SetSynchronizationContext(synchronization);
            bool isSeen = ReferenceEquals(ContextOf(self), ExecutionContext.Capture())
                && ReferenceEquals(SynchronizationOf(self), synchronization);
            Clean();
            return isClean && isSeen;
        }
        catch (MissingFieldException)
        {
            return false;
        }
    }
}
