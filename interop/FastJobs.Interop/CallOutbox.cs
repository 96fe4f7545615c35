using System.Runtime.InteropServices;
using FastJobs.Channels;
using FastJobs.Lanes;

namespace FastJobs.Interop;

/// <summary>The outbox of a thread that makes calls. fj_call puts them in, without a transition: call.c.</summary>
internal sealed unsafe class CallOutbox : Outbox<nint, PointerSlot>
{
    // The thread's, from its first TryBegin on; looked at while it collects, and by its owner.
    private Native* _native;

    // Whether what _native counts is this queue's: the outbox is in the queue's list, where it is counted, before it begins.
    private volatile bool _begun;

    /// <summary>As struct fj_outbox of outbox.h has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Native
    {
        public OwnedCount Count;
        public int JobClass;
        public int State;
        public fixed long Words[Room];
    }

    public static void SetMaker() => Maker = static () => new CallOutbox();

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
            return mine._native->Count.HasCounted(at + 1); // it is its owner's again
        }
    }

    public override bool Takes(nint job) => CallTable.IsCall(job);

    public override int Count => _begun ? _native->Count.Value : 0;

    public override ReadOnlySpan<nint> Jobs => new(_native->Words, _native->Count.Value);

    public override bool TryBegin(LaneQueue<nint, PointerSlot> queue)
    {
        // After the outbox was entered in the queue's list, which is a full fence: pairs with SetSpecial.
        if (CEngine.Current.Special != 0)
        {
            return false;
        }

        Native* native = Host.BeginOutbox(queue.LaneId);
        _native = native;
        _begun = native is not null;
        return _begun;
    }

    public override void Empty() => _native->Count.Restart();

    public override ReadOnlySpan<nint> Stop() => new(_native->Words, _native->Count.Stop());

    public override void End()
    {
        _begun = false;
        Host.EndOutbox(_native);
    }
}
