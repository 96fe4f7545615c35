namespace FastJobs.Lanes;

/// <summary>
/// What a worker set must know of the jobs it runs. Implemented by empty structs, so that workers of C jobs and of managed
/// jobs are two specialisations of the same code, without a virtual call.
/// </summary>
/// <typeparam name="TJob">What the queue holds: 8 or 16 bytes, a pointer or references.</typeparam>
internal interface IJobOps<TJob>
{
    /// <summary>Runs the job and gives its result back. Throws nothing.</summary>
    /// <returns>Whether the job is over; false if it goes on elsewhere or waits, and is counted when that ends.</returns>
    static abstract bool Run(TJob job, Worker worker);

    /// <summary>Whether workers may take several jobs at once now.</summary>
    static virtual bool MayTakeSeveral => true;

    /// <summary>
    /// Runs jobs of the worker's hand as long as that is simple, and counts them. Throws nothing.
    /// </summary>
    /// <param name="hand">The hand.</param>
    /// <param name="worker">Its owner.</param>
    /// <param name="handLock">The hand's lock.</param>
    /// <param name="job">A job that was taken and has not run.</param>
    /// <returns>Whether there is such a job. If not, there may be some in the hand that are not simple.</returns>
    static virtual bool TryRunHand(Hand<TJob> hand, Worker worker, Lock handLock, out TJob? job)
    {
        job = default;
        return false;
    }

    /// <summary>Called around the start of a worker's thread, in the thread that starts it.</summary>
    static abstract void BeforeThreadStart();

    static abstract void AfterThreadStart();

    /// <summary>Called in a worker's thread, first and last.</summary>
    static abstract void OnWorkerStart(Worker worker);

    static abstract void OnWorkerExit(Worker worker);
}

/// <summary>What a lane must know of them besides: jobs may also run in their submitter, or not at all.</summary>
internal interface ILaneOps<TJob> : IJobOps<TJob>
{
    /// <summary>As <see cref="IJobOps{TJob}.Run"/>, in the thread of its submitter.</summary>
    static abstract bool RunInline(TJob job, object lane);

    /// <summary>Ends a job that will not run. Throws nothing.</summary>
    static abstract void Discard(TJob job);
}
