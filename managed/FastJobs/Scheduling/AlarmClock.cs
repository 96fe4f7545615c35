namespace FastJobs.Scheduling;

/// <summary>The timers of one clock, and the timerfd that rings for the next of them.</summary>
/// <remarks>
/// The timerfd is moved only to an earlier moment: a timer that is armed and cleared again and again, as the time-out of a
/// connection is, costs no system call, and a ring in vain at most.
/// </remarks>
internal sealed class AlarmClock<TItem>(int descriptor, int clock)
{
    private long _setFor = long.MaxValue;

    public TimerHeap<TItem> Timers { get; } = new();

    public int Descriptor { get; } = descriptor;

    public int Clock { get; } = clock;

    /// <summary>Makes sure that it rings for the next timer, and at the given moment.</summary>
    public void Set(long also = long.MaxValue)
    {
        long next = Math.Min(Timers.NextDeadline, also);
        if (next < _setFor)
        {
            LinuxCalls.SetTimer(Descriptor, Clock, Math.Max(1, next)); // 0 would stop it
            _setFor = next;
        }
    }

    /// <summary>It rang, or the clock on the wall was set: what it was set for means nothing any more.</summary>
    public void HasRung()
    {
        LinuxCalls.ReadCounter(Descriptor);
        _setFor = long.MaxValue;
    }
}
