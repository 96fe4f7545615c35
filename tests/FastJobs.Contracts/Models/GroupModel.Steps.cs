using FastJobs.Contracts.Models.Checker;

namespace FastJobs.Contracts.Models;

/// <summary>The steps of the threads, labelled as on docs/protocols.md#group.</summary>
internal sealed partial class GroupModel
{
    private IEnumerable<Step<Memory, Local>> Owner() =>
    [
        .. Submit("0 ", 0, "1 R1"),
        .. Submit("1 ", 1, "W1"),
        Lock("W1", "locks", (ref m, ref me) => Next.Ahead),
        OfGroup("W1b", "takes jobs off the stack until it claims one", (ref m, ref me) =>
        {
            if (m.Depth == 0)
            {
                m.Locked = false;
                return Next.To("W3");
            }

            byte top = m.Stack[--m.Depth];
            m.Stack[m.Depth] = 0;
            if (m.Claimed.Has(top))
            {
                return LetGo(ref m, top, Next.To("W1b"));
            }

            m.Claimed.Add(top);
            m.Locked = false;
            me.Job = top;
            return Next.Ahead;
        }),
        .. Run("W2 ", "W1"),
        OfGroup("W3", "looks at the count", (ref m, ref me) => Next.To(m.Count == 0 ? "W7" : "W4")),
        Lock("W4", "locks", (ref m, ref me) =>
        {
            me.SeenCount = m.Count;
            return bug == Bug.SleeperAsksBeforeTheFlag && m.Depth == 0 ? Next.Ahead : Next.To("W4b");
        }),
        OfGroup("W4a", "sets the flag, too late", (ref m, ref me) =>
        {
            m.Sleeper = true;
            return Next.To("W6");
        }),
        OfGroup("W4b", "sets the flag", (ref m, ref me) =>
        {
            me.SeenCount = m.Count;
            m.Sleeper = true;
            return Next.Ahead;
        }),
        OfGroup("W5", "asks for the count that the flag found, and the stack", (ref m, ref me) =>
        {
            bool ready = me.SeenCount == 0 || m.Depth > 0;
            me = default;
            if (!ready)
            {
                return Next.To("W6");
            }

            m.Sleeper = false;
            m.Locked = false;
            return Next.To("W1");
        }),
        OfGroup("W6", "sleeps, and unlocks with the same step", (ref m, ref me) =>
        {
            me = default;
            m.Asleep = true;
            m.Locked = false;
            return Next.Ahead;
        }),
        Rest("W6b", "is awake", (ref m, ref me) => m.Asleep ? Next.Blocked : Next.Ahead),
        Lock("W6c", "has the lock again, and unlocks", (ref m, ref me) =>
        {
            m.Locked = false;
            return Next.To("W1");
        }),
        bug == Bug.WaiterLeavesWithoutTheLock
            ? OfGroup("W7", "lets go of the stack", (ref m, ref me) => LetGoOfStack(ref m))
            : Lock("W7", "locks, lets go of the stack", (ref m, ref me) => LetGoOfStack(ref m)),
        OfGroup("W8", "unlocks, destroys the group", (ref m, ref me) =>
        {
            m.Locked = false;
            m.Gone = true;
            return m.Ran != Bits.First(Jobs) ? Next.Fail("wait returned before every job had run")
                : m.Depth > 0 ? Next.Fail("a job was left on the stack")
                : Next.Done;
        }),
    ];

    private Next LetGoOfStack(ref Memory m)
    {
        while (m.Depth > 0 && bug != Bug.StackIsLeft)
        {
            byte top = m.Stack[--m.Depth];
            m.Stack[m.Depth] = 0;
            if (LetGo(ref m, top) is { } broken)
            {
                return Next.Fail(broken);
            }
        }

        return Next.Ahead;
    }

    private IEnumerable<Step<Memory, Local>> Worker() =>
    [
        .. from job in Enumerable.Range(0, Jobs)
           select Rest("P0", $"comes to job {job}", (ref m, ref me) =>
           {
               if (!m.Queued.Has(job) || (late && job == Added && !m.Gone))
               {
                   return Next.Blocked;
               }

               m.Queued.Remove(job);
               me.Job = (byte)job;
               return m.Freed.Has(job) ? Next.Fail("a job was used after it was freed") : Next.Ahead;
           }),
        .. bug == Bug.LoserLooksAtTheGroup
            ? [OfGroup("P0b", "asks the group", (ref m, ref me) => Next.Ahead)]
            : Array.Empty<Step<Memory, Local>>(),
        .. bug == Bug.ClaimLooksThenStores ?
        [
            Do("P1", "looks whether the job is claimed", (ref m, ref me) =>
                m.Claimed.Has(me.Job) ? Next.To("P4") : Next.Ahead),
            Do("P1b", "claims it", (ref m, ref me) =>
            {
                m.Claimed.Add(me.Job);
                return Next.Ahead;
            }),
        ]
        : new[]
        {
            Do("P1", "claims the job, or is too late", (ref m, ref me) =>
            {
                bool tooLate = m.Claimed.Has(me.Job);
                m.Claimed.Add(me.Job);
                return tooLate ? Next.To("P4") : Next.Ahead;
            }),
        },
        .. Run("P2 ", "P5"),
        Do("P4", "lets go of the job that another claimed", (ref m, ref me) => LetGo(ref m, me.Job, Next.Ahead)),
        Do("P5", "goes on", (ref m, ref me) =>
        {
            me = default;
            return Next.To("P0");
        }),
    ];

    // By who has claimed me.Job.
    private IEnumerable<Step<Memory, Local>> Run(string at, string then) =>
    [
        OfGroup(at + "run", "runs the job", (ref m, ref me) =>
        {
            if (m.Ran.Has(me.Job))
            {
                return Next.Fail("a job ran twice");
            }

            m.Ran.Add(me.Job);
            return me.Job == 0 ? Next.Ahead : Next.To(at + "F1");
        }),
        .. Submit(at, Added, at + "F1"),
        .. Finish(at),
        Do(at + "let go", "lets go of the job", (ref m, ref me) =>
        {
            byte job = me.Job;
            me = default;
            if (bug == Bug.RunnerFreesAlone)
            {
                m.Released.Add(job);
            }

            return LetGo(ref m, job, Next.To(then));
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Submit(string at, byte job, string then) =>
    [
        OfGroup(at + "R1", $"counts job {job}", (ref m, ref me) =>
        {
            m.Count++;
            return Next.Ahead;
        }),
        Do(at + "R2", $"queues job {job}", (ref m, ref me) =>
        {
            m.Queued.Add(job);
            return Next.Ahead;
        }),
        OfGroup(at + "R3", $"finds job {job} claimed, lets go", (ref m, ref me) =>
            m.Claimed.Has(job) ? LetGo(ref m, job, Next.To(then)) : Next.Blocked),
        // The look at the claim is a hint: the job may be claimed by the time it is pushed.
        OfGroup(at + "R3", $"pushes job {job}", (ref m, ref me) =>
        {
            m.Stack[m.Depth++] = job;
            return bug == Bug.PushWakesNobody ? Next.To(then) : Next.Ahead;
        }),
        OfGroup(at + "R4", "looks for a sleeper", (ref m, ref me) => m.Sleeper ? Next.Ahead : Next.To(then)),
        Lock(at + "R5", "locks, wakes, unlocks", (ref m, ref me) =>
        {
            WakeLocked(ref m);
            m.Locked = false;
            return Next.To(then);
        }),
    ];

    private IEnumerable<Step<Memory, Local>> Finish(string at) =>
    [
        OfGroup(at + "F1", "looks at the count", (ref m, ref me) =>
        {
            me.SeenCount = m.Count;
            me.SeenSleeper = m.Sleeper;
            bool lastOfSleeper = m.Count == 1 && m.Sleeper && bug != Bug.FinishWakesAfterItsExchange;
            return Next.To(at + (lastOfSleeper ? "F3" : "F2"));
        }),
        OfGroup(at + "F2", "exchanges the count for one less", (ref m, ref me) =>
        {
            bool same = m.Count == me.SeenCount && m.Sleeper == me.SeenSleeper;
            if (!same && bug != Bug.FinishLooksThenSubtracts)
            {
                return Next.To(at + "F1");
            }

            m.Count--;
            bool wakes = bug == Bug.FinishWakesAfterItsExchange && m.Count == 0 && m.Sleeper;
            return wakes ? Next.Ahead : Next.To(at + "let go");
        }),
        Lock(at + "F2b", "locks, wakes, unlocks, after its exchange", (ref m, ref me) =>
        {
            WakeLocked(ref m);
            m.Locked = false;
            return Next.To(at + "let go");
        }),
        Lock(at + "F3", "locks", (ref m, ref me) => Next.Ahead),
        OfGroup(at + "F4", "subtracts one, and wakes if it was the last", (ref m, ref me) =>
        {
            if (--m.Count == 0)
            {
                WakeLocked(ref m);
            }

            return Next.Ahead;
        }),
        OfGroup(at + "F5", "unlocks", (ref m, ref me) =>
        {
            m.Locked = false;
            return Next.Ahead;
        }),
    ];
}
