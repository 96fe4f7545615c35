namespace FastJobs.Lanes;

/// <summary>
/// What a set of shared threads does with its jobs, which are workers of other sets: it lends them the thread. The hooks
/// are those of the jobs that run there in the end.
/// </summary>
internal readonly struct GuestOps<TJob, TOps> : IJobOps<Worker>
    where TOps : struct, IJobOps<TJob>
{
    public static bool Run(Worker guest, Worker worker)
    {
        worker.Guest = guest; // for the case that its job ends the thread
        guest.Host.RunGuest(guest);
        worker.Guest = null;
        return true;
    }

    public static void BeforeThreadStart() => TOps.BeforeThreadStart();

    public static void AfterThreadStart() => TOps.AfterThreadStart();

    public static void OnWorkerStart(Worker worker) => TOps.OnWorkerStart(worker);

    public static void OnWorkerExit(Worker worker) => TOps.OnWorkerExit(worker);
}
