namespace FastJobs.Contracts.Engine;

/// <summary>The ExecutionContext: flows from the submitter into the job, and from there nowhere.</summary>
internal sealed class ContextCases : EngineCases
{
    private static readonly AsyncLocal<int> s_local = new();
    private static readonly AsyncLocal<bool> s_restless = new(static change =>
    {
        if (change.ThreadContextChanged && change.PreviousValue)
        {
            s_local.Value = 7; // while the context is being put back
        }
    });

    public override IEnumerable<ContractCase> List() =>
    [
        Case(Submit_EachForm_FlowsTheSubmittersContext),
        Case(UnsafeSubmit_WithAContext_DoesNotFlow),
        Case(RunAsync_EachShape_FlowsTheSubmittersContext),
        Case(RunAsync_SuppressFlow_DoesNotFlow),
        Case(Submit_FlowSuppressedByTheCaller_DoesNotFlow),
        Case(RunAsync_AsynchronousWork_KeepsTheContextAcrossAwaits),
        Case(RunAsync_JobChangesItsContext_SubmitterKeepsItsOwn),
        Case(Submit_JobChangesTheDefaultContext_NextJobDoesNotSeeIt),
        Case(UnsafeSubmit_StateThatIsAReferenceAndTheJobChangesTheContext_NextJobDoesNotSeeIt),
        Case(UnsafeSubmit_JobSuppressesTheFlow_NextJobDoesNotSeeIt),
        Case(Submit_JobThatThrowsChangesTheContext_NextJobDoesNotSeeIt),
        Case(Submit_EachFormSetsASynchronizationContext_NextJobDoesNotSeeIt),
        Case(Submit_HandlerOfAChangeChangesTheContext_NextJobDoesNotSeeIt),
        Case(UnsafeSubmit_NoConcurrencyAndJobSetsASynchronizationContext_SubmitterKeepsItsOwn),
        Case(RunAsync_AsynchronousJobChangesTheContext_NextJobDoesNotSeeIt),
        Case(RunAsync_InlineContinuationChangesTheContext_NextJobDoesNotSeeIt),
        Case(Submit_NoConcurrencyAndJobChangesTheContext_SubmitterKeepsItsOwn),
        Case(UnsafeSubmit_NoConcurrencyAndWithAContext_DoesNotFlow),
    ];

    private async Task Submit_EachForm_FlowsTheSubmittersContext(JobEngine engine)
    {
        s_local.Value = 5;
        int sum = 0;
        engine.Cpu.Submit(_ => Interlocked.Add(ref sum, s_local.Value), 0);
        Check.True(engine.Cpu.TrySubmit(_ => Interlocked.Add(ref sum, s_local.Value), 0));
        engine.Cpu.SubmitCancelable(_ => Interlocked.Add(ref sum, s_local.Value), 0);
        await engine.Cpu.SubmitAsync(_ => Interlocked.Add(ref sum, s_local.Value), 0).Within();
        engine.Cpu.Submit(
            (_, _) =>
            {
                Interlocked.Add(ref sum, s_local.Value);
                return default;
            },
            0);
        await engine.DrainAsync().Within();
        Check.Equal(25, sum);
    }

    private async Task UnsafeSubmit_WithAContext_DoesNotFlow(JobEngine engine)
    {
        s_local.Value = 5;
        int seen = -1;
        engine.Cpu.UnsafeSubmit(_ => seen = s_local.Value, 0);
        await engine.DrainAsync().Within();
        Check.Equal(0, seen);
    }

    private async Task RunAsync_EachShape_FlowsTheSubmittersContext(JobEngine engine)
    {
        s_local.Value = 5;
        Check.Equal(5, await engine.Cpu.RunAsync(static _ => s_local.Value, 0).Within());
        Check.Equal(5, await engine.Cpu.RunAsync(static (_, _) => s_local.Value, 0).Within());
        Check.Equal(5, await engine.Cpu.RunAsync(static (_, _) => new ValueTask<int>(s_local.Value), 0).Within());
        Check.Equal(5, await engine["Close"].RunAsync(static _ => s_local.Value, 0).Within());
        Check.Equal(5, s_local.Value);
    }

    private async Task RunAsync_SuppressFlow_DoesNotFlow(JobEngine engine)
    {
        s_local.Value = 5;
        const JobOptions Options = JobOptions.SuppressFlow;
        Check.Equal(0, await engine.Cpu.RunAsync(static _ => s_local.Value, 0, options: Options).Within());
        Check.Equal(0, await engine.Cpu.RunAsync(
            static (_, _) => new ValueTask<int>(s_local.Value), 0, options: Options).Within());
        Check.Equal(5, s_local.Value);
    }

    private async Task Submit_FlowSuppressedByTheCaller_DoesNotFlow(JobEngine engine)
    {
        s_local.Value = 5;
        Task<int> seen;
        using (ExecutionContext.SuppressFlow())
        {
            seen = engine.Cpu.RunAsync(static _ => s_local.Value, 0).AsTask();
        }

        Check.Equal(0, await seen.Within());
        Check.Equal(5, s_local.Value);
    }

    private async Task RunAsync_AsynchronousWork_KeepsTheContextAcrossAwaits(JobEngine engine)
    {
        s_local.Value = 5;
        Check.Equal(11, await engine.Cpu.RunAsync(
            static async (_, _) =>
            {
                await Task.Yield();
                int sum = s_local.Value;
                s_local.Value = 6;
                await Task.Yield();
                return sum + s_local.Value;
            },
            0).Within());
        Check.Equal(5, s_local.Value);
    }

    private async Task RunAsync_JobChangesItsContext_SubmitterKeepsItsOwn(JobEngine engine)
    {
        s_local.Value = 5;
        await engine.Cpu.RunAsync(static _ => s_local.Value = 6, 0).Within();
        Check.Equal(5, s_local.Value);
        await engine.Cpu.RunAsync(static _ => s_local.Value = 6, 0, options: JobOptions.ContinueInline).Within();
        Check.Equal(5, s_local.Value);
    }

    private Task Submit_JobChangesTheDefaultContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane => lane.UnsafeSubmit(static _ => s_local.Value = 7, 0));

    // Such a job stands in the queue's slot itself.
    private Task UnsafeSubmit_StateThatIsAReferenceAndTheJobChangesTheContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane => lane.UnsafeSubmit(static _ => s_local.Value = 7, ""));

    private async Task UnsafeSubmit_JobSuppressesTheFlow_NextJobDoesNotSeeIt(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        lane.UnsafeSubmit(static _ => ExecutionContext.SuppressFlow(), "");
        Check.False(await lane.RunAsync(static _ => ExecutionContext.IsFlowSuppressed(), 0).Within());
    }

    private Task Submit_JobThatThrowsChangesTheContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane => _ = lane.RunAsync(
            static _ =>
            {
                s_local.Value = 7;
                throw new NotSupportedException();
            },
            0,
            options: JobOptions.SuppressFlow).AsTask());

    private async Task Submit_EachFormSetsASynchronizationContext_NextJobDoesNotSeeIt(JobEngine engine)
    {
        JobLane lane = Lane(engine, 1);
        Action[] pollutes =
        [
            () => lane.UnsafeSubmit(static _ => SynchronizationContext.SetSynchronizationContext(new()), 0),
            () => lane.UnsafeSubmit(static _ => SynchronizationContext.SetSynchronizationContext(new()), ""),
            () => lane.Submit(static _ => SynchronizationContext.SetSynchronizationContext(new()), 0),
            () => _ = lane.RunAsync(static _ => SynchronizationContext.SetSynchronizationContext(new()), 0),
            () => _ = lane.RunAsync(
                static (_, _) =>
                {
                    SynchronizationContext.SetSynchronizationContext(new());
                    return default(ValueTask);
                },
                0),
        ];
        foreach (Action pollute in pollutes)
        {
            pollute();
            Check.True(await lane.RunAsync(static _ => SynchronizationContext.Current is null, 0).Within());
        }
    }

    private Task Submit_HandlerOfAChangeChangesTheContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane => lane.UnsafeSubmit(static _ => s_restless.Value = true, 0));

    private Task RunAsync_AsynchronousJobChangesTheContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane => _ = lane.RunAsync(
            static (_, _) =>
            {
                s_local.Value = 7; // not an async method: nothing but the engine puts the context back
                return default(ValueTask);
            },
            0,
            options: JobOptions.SuppressFlow).AsTask());

    private Task RunAsync_InlineContinuationChangesTheContext_NextJobDoesNotSeeIt(JobEngine engine) =>
        CheckNoLeak(engine, static lane =>
        {
            using Gate gate = new();
            ValueTask job = lane.RunAsync(
                static gate => gate.Pass(), gate, options: JobOptions.ContinueInline | JobOptions.SuppressFlow);
            job.GetAwaiter().UnsafeOnCompleted(() =>
            {
                s_local.Value = 7;
                job.GetAwaiter().GetResult();
            });
            gate.AwaitEntered(1);
        });

    // The worker's context is the default one before and after each job. The lane has one worker.
    private static async Task CheckNoLeak(JobEngine engine, Action<JobLane> pollute)
    {
        JobLane lane = Lane(engine, 1);
        for (int i = 0; i < 10; i++)
        {
            pollute(lane);
            Check.Equal(0, await lane.RunAsync(static _ => s_local.Value, 0, options: JobOptions.SuppressFlow).Within());
        }

        Check.Equal(0, s_local.Value);
    }

    private Task Submit_NoConcurrencyAndJobChangesTheContext_SubmitterKeepsItsOwn(JobEngine engine)
    {
        JobLane lane = engine["Close"];
        for (int own = 0; own < 2; own++)
        {
            // First with the default context, then with another one.
            s_local.Value = own;
            lane.Submit(static _ => s_local.Value = 7, 0);
            Check.Equal(own, s_local.Value);
            _ = lane.RunAsync(static _ => s_local.Value = 7, 0);
            Check.Equal(own, s_local.Value);
            _ = lane.RunAsync(
                static (_, _) =>
                {
                    s_local.Value = 7;
                    return default(ValueTask);
                },
                0);
            Check.Equal(own, s_local.Value);
        }

        return Task.CompletedTask;
    }

    private void UnsafeSubmit_NoConcurrencyAndJobSetsASynchronizationContext_SubmitterKeepsItsOwn(JobEngine engine)
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext own = new();
        SynchronizationContext.SetSynchronizationContext(own);
        try
        {
            engine["Close"].UnsafeSubmit(static _ => SynchronizationContext.SetSynchronizationContext(new()), 0);
            Check.True(ReferenceEquals(own, SynchronizationContext.Current));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private void UnsafeSubmit_NoConcurrencyAndWithAContext_DoesNotFlow(JobEngine engine)
    {
        s_local.Value = 5;
        int seen = -1;
        engine["Close"].UnsafeSubmit(_ => seen = s_local.Value, 0);
        Check.Equal(0, seen);
        Check.Equal(5, s_local.Value);
    }
}
