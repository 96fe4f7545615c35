using System.Runtime.InteropServices;
using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>
/// A job with an awaiter and a token: docs/protocols.md#job. Code: AwaitedJob.cs. The first use of the object may be
/// cancelled; a second one, without a token, follows if the object comes back to the pool, and must run.
/// </summary>
/// <remarks>The completion is one step; CompletionModel has its steps.</remarks>
internal sealed class AwaitedJobModel(AwaitedJobModel.Bug bug = default)
    : Model<AwaitedJobModel.Memory, AwaitedJobModel.Local>
{
    private const byte Waiting = 1; // states
    private const byte Running = 2;
    private const byte Canceled = 3;

    private const byte Queue = 1; // who holds the job
    private const byte Awaiter = 2;

    private const byte Registered = 1; // the token's callback
    private const byte CallbackRuns = 2;
    private const byte Withdrawn = 3;

    public enum Bug
    {
        None,
        FirstToReleaseRecycles,
        AwaiterRecyclesAlone,
        ReleaseLooksThenStores,
        CallbackMayStillCome,
        TokenLeftAfterCompletion,
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Memory
    {
        public byte Generation;
        public byte State;
        public bool Released;
        public bool Tainted;
        public byte Callback;
        public byte Holders; // the truth, which no thread can look at
        public bool Completed;
        public bool Recycled;
        public bool InPool;
        public bool SecondRan;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    public struct Local
    {
        public byte Seen;
        public byte SeenGeneration;
    }

    public override Memory Start => new() { State = Waiting, Callback = Registered, Holders = Queue | Awaiter };

    public override IReadOnlyList<Script<Memory, Local>> Threads =>
    [
        new("worker", default, [.. Worker(), .. ReleaseSecond(Queue), .. Recycle()]),
        new("callback", default, Callback()),
        new("awaiter", default, [.. Await(), .. ReleaseSecond(Awaiter), .. Recycle()]),
        new("second use", default, SecondUse()),
    ];

    public override string? CheckEnd(in Memory m) =>
        !m.Completed ? "the awaiter waits for ever"
        : !m.Recycled ? "nobody recycled the job"
        : m.InPool && !m.SecondRan ? "the second use did not run"
        : null;

    public static IEnumerable<ContractCase> Cases() =>
    [
        Proof.Holds("Job_AwaitedAndCancelable_IsRecycledOnceByTheLast", () => new AwaitedJobModel()),
        Caught(Bug.FirstToReleaseRecycles, "somebody holds it"),
        Caught(Bug.AwaiterRecyclesAlone, "somebody holds it"),
        Caught(Bug.ReleaseLooksThenStores, "nobody recycled"),
        Caught(Bug.CallbackMayStillCome, "the next use"),
        Caught(Bug.TokenLeftAfterCompletion, "after it was recycled"),
    ];

    private static ContractCase Caught(Bug bug, string symptom) =>
        Proof.Catches($"Job_{bug}_IsCaught", symptom, () => new AwaitedJobModel(bug));

    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        Do("1", "starts: exchanges Waiting for Running", (ref m, ref me) =>
        {
            if (m.State != Waiting)
            {
                return Next.To("R1");
            }

            m.State = Running;
            return Next.Ahead;
        }),
        Do("1", "discards: exchanges Waiting for Canceled", (ref m, ref me) =>
        {
            bool won = m.State == Waiting;
            m.State = won ? Canceled : m.State;
            return won ? Next.To("D") : Next.To("R1");
        }),
        bug == Bug.TokenLeftAfterCompletion ? SetResult("2") : LeaveToken("2"),
        bug == Bug.TokenLeftAfterCompletion ? LeaveToken("3") : SetResult("3"),
        Do("4", "is done with the job", (ref m, ref me) => Next.Done),
        Do("D", "completes with the discard", (ref m, ref me) => Complete(ref m)),
    ];

    private static Step<Memory, Local> LeaveToken(string label) =>
        Do(label, "withdraws the callback, if it has not begun", (ref m, ref me) =>
    {
        if (m.Recycled)
        {
            return Next.Fail("the worker touches the job after it was recycled");
        }

        Withdraw(ref m);
        return Next.Ahead;
    });

    private static void Withdraw(ref Memory m)
    {
        m.Tainted |= m.Callback != Registered;
        m.Callback = m.Callback == Registered ? Withdrawn : m.Callback;
    }

    private static Step<Memory, Local> SetResult(string label) =>
        Do(label, "completes with the result", (ref m, ref me) =>
    {
        m.Holders &= unchecked((byte)~Queue);
        return Complete(ref m);
    });

    private static Next Complete(ref Memory m)
    {
        if (m.Completed)
        {
            return Next.Fail("the job was completed twice");
        }

        m.Completed = true;
        return Next.Ahead;
    }

    private static IEnumerable<Step<Memory, Local>> Callback() =>
    [
        Rest("1", "begins, if it was not withdrawn", (ref m, ref me) =>
        {
            bool begins = m.Callback == Registered;
            m.Callback = CallbackRuns;
            return begins ? Next.Ahead : Next.Blocked;
        }),
        Do("2", "looks at the word", (ref m, ref me) =>
        {
            me.SeenGeneration = m.Generation;
            return m.State == Waiting ? Next.Ahead : Next.Done;
        }),
        Do("3", "exchanges Waiting for Canceled", (ref m, ref me) =>
        {
            if (m.State != Waiting || m.Generation != me.SeenGeneration)
            {
                return Next.Done;
            }

            m.State = Canceled;
            return m.Generation > 0 ? Next.Fail("a late callback cancelled the next use") : Next.Ahead;
        }),
        Do("4", "completes with the cancellation", (ref m, ref me) => Complete(ref m)),
    ];

    private IEnumerable<Step<Memory, Local>> Await() =>
    [
        Do("1", "takes the result", (ref m, ref me) => m.Completed ? Next.Ahead : Next.Blocked),
        Do("2", "looks at the state", (ref m, ref me) =>
        {
            if (m.State == Canceled && bug != Bug.AwaiterRecyclesAlone)
            {
                return Next.To("R1");
            }

            m.Holders &= unchecked((byte)~Awaiter);
            return Next.To("R3");
        }),
    ];

    // The first to come leaves a mark, the second recycles.
    private IEnumerable<Step<Memory, Local>> ReleaseSecond(byte holder) =>
    [
        .. bug != Bug.ReleaseLooksThenStores ? Array.Empty<Step<Memory, Local>>() :
        [
            Do("R1", "looks at the mark", (ref m, ref me) =>
            {
                me.Seen = (byte)(m.Released ? 1 : 0);
                return Next.Ahead;
            }),
        ],
        Do(bug == Bug.ReleaseLooksThenStores ? "R1b" : "R1", "exchanges the mark in", (ref m, ref me) =>
        {
            bool second = bug switch
            {
                Bug.ReleaseLooksThenStores => me.Seen != 0,
                Bug.FirstToReleaseRecycles => !m.Released,
                _ => m.Released,
            };
            m.Released = true;
            m.Holders &= (byte)~holder;
            return second ? Next.Ahead : Next.Done;
        }),
        Do("R2", "withdraws the callback, if it has not begun", (ref m, ref me) =>
        {
            Withdraw(ref m);
            return Next.Ahead;
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Recycle() =>
    [
        Do("R3", "recycles: raises the generation", (ref m, ref me) =>
        {
            if (m.Holders != 0)
            {
                return Next.Fail("the job was recycled while somebody holds it");
            }

            if (m.Recycled)
            {
                return Next.Fail("the job was recycled twice");
            }

            m.Recycled = true;
            m.Generation++;
            m.State = 0;
            return Next.Ahead;
        }),
        Do("R4", "returns it to the pool, unless the callback may still come", (ref m, ref me) =>
        {
            m.InPool = !m.Tainted || bug == Bug.CallbackMayStillCome;
            return Next.Done;
        }),
    ];

    private static IEnumerable<Step<Memory, Local>> SecondUse() =>
    [
        Rest("1", "takes the job from the pool, hands it in", (ref m, ref me) =>
        {
            m.State = Waiting;
            return m.InPool ? Next.Ahead : Next.Blocked;
        }),
        Do("2", "starts", (ref m, ref me) =>
        {
            m.SecondRan = m.State == Waiting;
            m.State = Running;
            return Next.Done;
        }),
    ];
}
