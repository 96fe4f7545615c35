using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastJobs.Channels;
using FastJobs.Lanes;

namespace FastJobs.Interop;

/// <summary>
/// The outbox of a thread that makes calls or queues simple jobs. The C layer puts them in, without a transition: outbox.h.
/// </summary>
internal sealed unsafe class CallOutbox : Outbox<nint, PointerSlot>
{
    // The thread's, from its first TryBegin on; looked at until it ends, and by its owner.
    private Native* _native;

    // Whether what _native counts is this queue's: the outbox is in the queue's list, where it is counted, before it begins.
    private volatile bool _begun;

    private LaneQueue<nint, PointerSlot>? _lessor; // the last one; the owner's

    /// <summary>As struct fj_outbox of outbox.h has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Native
    {
        public OwnedCount Count;
        public int JobClass;
        public int State;
        public int Room;
        public void* Places;
        public fixed long Words[Outbox<nint, PointerSlot>.Room];
    }

    // Its memory is made now: a thread that begins a second segment allocates nothing any more.
    public static void SetMaker() => Maker = static () => Host.MakeOutbox() ? new CallOutbox() : null;

    /// <summary>The owner put a call in that filled the outbox, or may have come too late.</summary>
    /// <param name="at">Its place.</param>
    /// <returns>Whether the call is on its way; if not, it was not put in.</returns>
    public static bool Put(int at)
    {
        var mine = (CallOutbox)Mine!;
        if (mine.Collector is { } queue && queue.Flush(mine))
        {
            return true;
        }

        using (mine.Lock.Hold())
        {
            return mine.HasCounted(at + 1); // it is its owner's again
        }
    }

    /// <summary>The owner took a place of a queue and found that it was stopped.</summary>
    /// <param name="at">The place.</param>
    /// <returns>Whether the place is its, which has to fill it then; if not, it was not taken.</returns>
    public static bool HasTaken(int at)
    {
        var mine = (CallOutbox)Mine!;
        return mine._lessor!.HasTaken(mine, at + 1);
    }

    /// <summary>The owner has filled its last place of a queue.</summary>
    public static void GoOn()
    {
        var mine = (CallOutbox)Mine!;
        mine._lessor!.GoOn(mine);
    }

    public override bool Takes(nint job) => CallTable.IsCall(job);

    public override int Count => _begun ? _native->Count.Value : 0;

    public override bool TryBegin(LaneQueue<nint, PointerSlot> queue) => TryBegin(queue, null, Room);

    public override bool TryBegin(LaneQueue<nint, PointerSlot> queue, ref PointerSlot places, int room)
    {
        _lessor = queue;
        return TryBegin(queue, Unsafe.AsPointer(ref places), room);
    }

    public override ReadOnlySpan<nint> Jobs(int count) => new(_native->Words, count);

    public override void Empty() => _native->Count.Restart();

    public override void MoveTo(ref PointerSlot places, int room)
    {
        _native->Places = Unsafe.AsPointer(ref places); // slots of such a queue do not move: see Segment
        _native->Room = room;
        _native->Count.Restart();
    }

    public override int Stop() => _native->Count.Stop();

    public override bool HasCounted(int count) => _native->Count.HasCounted(count);

    public override void End()
    {
        if (_begun)
        {
            _begun = false;
            Host.EndOutbox(_native);
        }
    }

    private bool TryBegin(LaneQueue<nint, PointerSlot> queue, void* places, int room)
    {
        // After the outbox was entered in the queue's list, or its tail marked as leased, which are full fences: pairs with
        // SetSpecial.
        if (CEngine.Current.Special != 0)
        {
            return false;
        }

        Native* native = Host.BeginOutbox(queue.LaneId, places, room);
        _native = native;
        _begun = native is not null;
        return _begun;
    }
}
