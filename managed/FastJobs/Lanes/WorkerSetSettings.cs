namespace FastJobs.Lanes;

/// <summary>What a worker set is told when it is made; what is settable may change while it runs.</summary>
internal sealed class WorkerSetSettings
{
    public required string Name { get; init; }

    public required int LaneId { get; init; }

    public required int Limit { get; init; }

    /// <summary>The queue of the set whose threads are used; null: the set has its own.</summary>
    public SharedQueue? Shared { get; init; }

    /// <summary>Bytes; 0 means the system's default. For threads started after a change.</summary>
    public int StackSize { get; set; }

    /// <summary>How long an idle worker stays; -1 for ever, 0 not at all.</summary>
    public int IdleTimeoutMilliseconds { get; set; } = -1;

    /// <summary>
    /// A worker that searches does not offer its core meanwhile. Where jobs are handed from worker to worker one by one, as in
    /// a named queue, that costs a quarter of the throughput.
    /// </summary>
    public bool KeepsCore { get; init; }

    /// <summary>Called in a worker's thread, first and last. Must not throw.</summary>
    public Action? OnWorkerStart { get; init; }

    public Action? OnWorkerExit { get; init; }
}
