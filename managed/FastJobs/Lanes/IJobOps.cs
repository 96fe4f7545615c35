namespace FastJobs.Lanes;

/// <summary>
/// What a lane must know of the jobs it runs. Implemented by empty structs, so that a lane of C jobs and a lane of
/// managed jobs are two specialisations of the same code, without a virtual call.
/// </summary>
/// <typeparam name="TJob">What the queue holds: 8 bytes, a pointer or a reference in a struct.</typeparam>
internal interface IJobOps<TJob>
{
    /// <summary>
    /// Runs the job and gives its result back. Throws nothing.
    /// </summary>
    /// <returns>Whether the job is over; false if it goes on elsewhere or waits, and is counted when that ends.</returns>
    static abstract bool Run(TJob job, Worker worker);

    /// <summary>As <see cref="Run"/>, in the thread of its submitter.</summary>
    static abstract bool RunInline(TJob job, object lane);

    /// <summary>Ends a job that will not run. Throws nothing.</summary>
    static abstract void Discard(TJob job);

    /// <summary>Called around the start of a worker's thread, in the thread that starts it.</summary>
    static abstract void BeforeThreadStart();

    static abstract void AfterThreadStart();

    /// <summary>Called in a worker's thread, first and last.</summary>
    static abstract void OnWorkerStart(Worker worker);

    static abstract void OnWorkerExit(Worker worker);
}
