using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FastJobs.Interop.Generated;
using FastJobs.Jobs;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>
/// A job of a C program: its fj_work and its state. Two words beside what every queued job has, because a million may wait.
/// </summary>
/// <remarks>
/// The first word says what the job is made of at the moment: the fj_work while it waits; the fj_run while it runs; then the
/// fj_work again, or a Kept if there is more to keep. Changed under the queue's lock, except by whoever has the job alone.
/// </remarks>
internal sealed unsafe class CQueuedJob : QueuedJob
{
    private const nint IsRun = 1;
    private const nint IsKept = 2; // FJ_IS_KEPT
    private const nint Bits = 3;

    private nint _what;
    private void* _state;

    private CQueuedJob(int pool)
        : base(pool)
    {
    }

    /// <summary>Set at the start of the engine, so that an add does not ask whether it is there.</summary>
    public static JobPool<CQueuedJob> Jobs { get; private set; } = null!;

    public void* UserState => _state;

    public fj_work* Work => (_what & Bits) switch
    {
        IsRun => Running->Work,
        IsKept => Held->Work,
        _ => (fj_work*)_what,
    };

    /// <summary>The kernel's id of the thread in which it runs; 0: it does not. Under the lock.</summary>
    public int ThreadId => (_what & Bits) == IsRun ? Running->Thread : 0;

    private RunState* Running => (RunState*)(_what & ~Bits);

    private Kept* Held => (Kept*)(_what & ~Bits);

    public static void Start() => Jobs = new JobPool<CQueuedJob>(static pool => new CQueuedJob(pool));

    public static CQueuedJob Get(fj_work* work, void* state)
    {
        CQueuedJob job = Jobs.Get();
        job.Prepare(null);
        job._what = (nint)work;
        job._state = state;
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.GivenJob(work, state);
        }

        return job;
    }

    /// <summary>It was not taken: the state stays the caller's.</summary>
    public void GiveUp()
    {
        _what = 0;
        _state = null;
        ReturnCleared();
    }

    /// <summary>What came of it, to whoever collected it; the state is given back with the result.</summary>
    public void HandOver(fj_job_result* result)
    {
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.TakenJob(Work, _state);
        }

        result->outcome = ToOutcome(Outcome);
        result->state = _state;
        result->reserved = (void*)_what;
        if ((_what & Bits) == IsKept)
        {
            Kept* kept = Held;
            result->code = kept->Code;
            result->bytes = kept->Bytes;
            result->size = kept->Size;
        }
        else
        {
            result->code = CodeWithout;
            result->bytes = null;
            result->size = 0;
        }

        GiveUp();
    }

    /// <summary>Collected by one who does not want to know what came of it.</summary>
    public void Forgo()
    {
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.TakenJob(Work, _state);
        }

        Recycle();
    }

    // It failed, and there was no memory to say how.
    private int CodeWithout => Outcome == JobFlags.Failed ? -1 : 0;

    public override void PrefetchResult()
    {
        if ((_what & Bits) == IsKept && Sse.IsSupported)
        {
            Sse.Prefetch0(Held);
        }
    }

    /// <summary>What a job that is done has left.</summary>
    public void Result(out int code, out void* bytes, out nuint size)
    {
        bool kept = (_what & Bits) == IsKept;
        code = kept ? Held->Code : CodeWithout;
        bytes = kept ? Held->Bytes : null;
        size = kept ? Held->Size : 0;
    }

    /// <remarks>Both count in the same order.</remarks>
    public static fj_outcome ToOutcome(JobFlags outcome) => (fj_outcome)((uint)outcome / (uint)JobFlags.Completed);

    public override void Taken(RunSlot slot)
    {
        RunState* run = Unsafe.As<CWorker>(slot.WorkerState!).Run;
        run->Kept = null;
        if ((_what & Bits) == IsKept)
        {
            run->Kept = Held;
            run->Work = Held->Work;
            Kept.ForgetResult(Held); // of the attempt before
        }
        else
        {
            run->Work = (fj_work*)_what;
        }

        run->State = _state;
        run->Number = slot.Extras is { Id: not null } ? -1 : slot.Number;
        run->Attempt = slot.Attempt;
        run->Cancelled = 0;
        run->Code = 0;
        _what = (nint)run | IsRun;
    }

    public override RunEnd Run(RunSlot slot)
    {
        RunState* run = Running;
        if (slot.Extras is { Id: { } id })
        {
            run->IdText = (sbyte*)NameText.New(id);
        }

        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuedStarts(run->Work, run->State, slot.Queue!.Concurrency);
        }

        Host.RunJob(run);
        return Ended(run);
    }

    /// <summary>The end of the run, in its thread: what a failure needs is made before the lock is taken.</summary>
    public static RunEnd Ended(RunState* run)
    {
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuedEnded(run->Work, run->State);
        }

        if (run->IdText != null)
        {
            Marshal.FreeCoTaskMem((nint)run->IdText);
            run->IdText = null;
        }

        if (run->Code == 0)
        {
            return RunEnd.Completed;
        }

        if (run->Result == 0)
        {
            try
            {
                run->Result = (nint)Kept.New(run->Work, run->State);
            }
            catch (OutOfMemoryException)
            {
                // It has failed nevertheless.
            }
        }

        return RunEnd.Failed;
    }

    public override void Left(RunSlot slot)
    {
        RunState* run = Running;
        Kept* kept = run->Kept;
        var result = (Kept*)(Volatile.Read(ref run->Result) == 0 ? 0 : Interlocked.Exchange(ref run->Result, 0));
        if (kept != null)
        {
            kept->Code = run->Code;
            kept->More = result;
            if (result != null)
            {
                kept->Bytes = result->Bytes;
                kept->Size = result->Size;
            }

            _what = (nint)kept | IsKept;
        }
        else if (result != null)
        {
            result->Code = run->Code;
            _what = (nint)result | IsKept;
        }
        else
        {
            _what = (nint)run->Work;
        }

        run->Work = null; // idle
    }

    /// <returns>A <see cref="Kept"/>; 0: there is no memory for it.</returns>
    public override nint Keep()
    {
        Kept* kept;
        try
        {
            kept = (_what & Bits) switch
            {
                IsKept => Held,
                IsRun => Running->Kept != null ? Running->Kept : Running->Kept = Kept.New(Running->Work, _state),
                _ => Kept.New((fj_work*)_what, _state),
            };
        }
        catch (OutOfMemoryException)
        {
            return 0;
        }

        if ((_what & Bits) == 0)
        {
            _what = (nint)kept | IsKept;
        }

        Interlocked.Increment(ref kept->References);
        return (nint)kept;
    }

    /// <summary>Lets go of what <see cref="Keep"/> returned. Under no lock: it may be the last.</summary>
    public static void LetGo(nint kept) => LetGo(kept | IsKept, null);

    // Apart, because a method that calls C saves all registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LetGo(nint held, void* state) => Host.LetGo(held, state);

    public override bool CallsUser => Work->release != null;

    public override void StopRunning()
    {
        RunState* run = Running;
        bool sanitized = CEngine.Current.IsSanitized;
        if (sanitized)
        {
            Sanitizer.Taken(Sanitizer.JobOf(run->Work, _state)); // what `stop` sees is what the job was queued with
            Sanitizer.Given(run);
        }

        Volatile.Write(ref run->Cancelled, 1); // release; pairs with fj_run_is_cancelled
        CWorker.Of(run).Slot.Interrupt();
        if (run->Work->stop != null)
        {
            run->Work->stop((fj_run*)run, _state);
        }

        if (sanitized)
        {
            Sanitizer.Given(Sanitizer.JobOf(run->Work, _state)); // the job ends after this
        }
    }

    protected override void Clear()
    {
        nint what = _what;
        void* state = _state;
        _what = 0;
        _state = null;
        if ((what & Bits) == IsKept || (what != 0 && ((fj_work*)what)->release != null))
        {
            LetGo(what, state);
        }
    }
}
