namespace FastJobs.Scheduling;

/// <summary>A thread as loops know it: who drives one, and to whom one belongs. One object a thread, never used again.</summary>
internal sealed class LoopThread
{
    [ThreadStatic]
    private static LoopThread? t_current;

    private readonly Thread _thread = Thread.CurrentThread;

    public static LoopThread Current => t_current ??= new LoopThread();

    /// <summary>As Current, but null for a thread that never had to do with a loop.</summary>
    public static LoopThread? Known => t_current;

    /// <summary>As the system counts threads.</summary>
    public int Id { get; } = LinuxCalls.ThreadId();

    /// <summary>pthread_self().</summary>
    public nuint Handle { get; } = LinuxCalls.ThreadHandle();

    public bool IsAlive => _thread.IsAlive;
}
