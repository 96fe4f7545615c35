using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>Closing: TryClose, AfterClaim and FinishClosing.</summary>
internal sealed partial class ReadWaitModel
{
    private IEnumerable<Step<Memory, Local>> Closer() =>
    [
        Do("X1", "takes the gate, closes the tail", (ref m, ref me) =>
        {
            if (m.Gate)
            {
                return Next.Blocked;
            }

            m.Gate = true;
            m.Closed = true;
            me.Position = m.Tail;
            return Next.Ahead;
        }),
        Do("X2", "freezes the end", (ref m, ref me) =>
        {
            m.FrozenEnd = (byte)(me.Position + 1);
            me.Position = 0;
            me.SawClosing = IsDrained(in m);
            return Next.Ahead;
        }),
        Do("X3", "sets Closing in the head; lets the gate go", (ref m, ref me) =>
        {
            m.Closing = true;
            m.Gate = false;
            return bug == Bug.CloserDoesNotLook || (bug == Bug.CloserLooksBeforeClosing && !me.SawClosing)
                ? Next.Done
                : Next.Ahead;
        }),
        .. AfterClaim("C"),
    ];

    // The last claim of a closed channel, or the closer who finds it drained, ends it.
    private IEnumerable<Step<Memory, Local>> AfterClaim(string label) =>
    [
        Do(label, "looks whether the channel is drained", (ref m, ref me) =>
            !EndIsKnown(in m) ? Next.Blocked : IsDrained(in m) ? Next.Ahead : Next.Done),
        Do("D", "takes the gate, detaches the readers, completes", (ref m, ref me) =>
        {
            if (m.Gate)
            {
                return Next.Blocked;
            }

            m.Refused |= m.Enlisted;
            m.Enlisted = 0;
            m.Completed = true;
            return Next.Done;
        }),
    ];
}
