using System.Diagnostics;
using FastJobs.Channels;

namespace FastJobs.Lanes;

/// <summary>Whatever is told a while after a stamp that the next one is wanted.</summary>
internal interface IStamped
{
    void Arm();
}

/// <summary>
/// How old the jobs of the queue are, without a clock read for each: docs/protocols.md#ages. A queue that nobody submits to
/// costs nothing, one that is submitted to reads a clock once in a few milliseconds.
/// </summary>
internal sealed partial class LaneQueue<TJob, TSlot> : IStamped
{
    private readonly Lock _agesLock = new(); // may be taken under the gate; takes the one of the lease
    private PositionAges? _ages;
    private AgeTicker? _ticker;

    /// <summary>Begins to note when jobs come. Called once, before the first of them.</summary>
    public void KeepAges(AgeTicker ticker)
    {
        _ages = new PositionAges();
        _ticker = ticker;
        Arm();
    }

    /// <summary>About when the job at this position was submitted, in Stopwatch ticks.</summary>
    public long SubmittedAt(long position)
    {
        if (_ages is null)
        {
            return Stopwatch.GetTimestamp();
        }

        lock (_agesLock)
        {
            return _ages.TimeOf(position);
        }
    }

    /// <summary>The next writer takes the time.</summary>
    public void Arm()
    {
        lock (_agesLock)
        {
            // Full fence. The writers whose adds come after see the flag, and the position that this returns is the first
            // of theirs. Pairs with the adds in TryWriteForced and TryWriteBoundedCore.
            var tail = new TailWord(Interlocked.Or(ref _tail.Value, TailWord.Stamp));
            if (!tail.WantsStamp)
            {
                EndLease(); // whoever has it does not see the flag
                _ages!.Arm(tail.IsLeased ? EndPosition : tail.Position, Stopwatch.GetTimestamp());
            }
        }
    }

    private protected override void TakeStamp()
    {
        lock (_agesLock)
        {
            // Of several writers that found the flag one takes it down.
            if (!new TailWord(Interlocked.And(ref _tail.Value, ~TailWord.Stamp)).WantsStamp)
            {
                return;
            }

            _ages!.Stamp(HeadPosition, Stopwatch.GetTimestamp());
        }

        _ticker!.ArmSoon(this);
    }
}
