using System.Runtime.CompilerServices;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>The execution context in which a job's code runs, and the clean one in which a worker goes on.</summary>
internal static class JobContext
{
    private static ExecutionContext? s_default;

    /// <summary>Whether a worker can look at its thread's context itself.</summary>
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
    /// Runs a job in its submitter's thread, which keeps its context; a job without one runs in the default context.
    /// </summary>
    public static bool RunInline(Job job)
    {
        ExecutionContext? own = ExecutionContext.Capture();
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
        if (!IsVisible || (ContextOf(worker.Runner!) is { } context && !ReferenceEquals(context, s_default)))
        {
            Clean();
        }
    }

    /// <inheritdoc cref="Clean(Worker)"/>
    public static void Clean()
    {
        if (!ReferenceEquals(ExecutionContext.Capture(), s_default))
        {
            ExecutionContext.Restore(s_default!);
        }
    }

    // What the runtime's own pool looks at after each job; null is the default context. The public way asks the system for the
    // thread first, which costs an empty job a sixth of its time: docs/adr/0012-the-context-of-a-thread.md.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_executionContext")]
    private static extern ref ExecutionContext? ContextOf(Thread thread);

    // In a thread whose context is the default one: whether this runtime has such a field, and keeps in it what it should.
    private static bool CanLook()
    {
        try
        {
            Thread self = Thread.CurrentThread;
            ExecutionContext? before = ContextOf(self);
            new AsyncLocal<bool>().Value = true;
            bool isThis = ReferenceEquals(ContextOf(self), ExecutionContext.Capture());
            ExecutionContext.Restore(s_default!);
            return isThis && (before is null || ReferenceEquals(before, s_default));
        }
        catch (MissingFieldException)
        {
            return false;
        }
    }
}
