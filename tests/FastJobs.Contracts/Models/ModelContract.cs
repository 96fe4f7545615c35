namespace FastJobs.Contracts.Models;

/// <summary>
/// The protocols of docs/protocols.md that are marked (model), each tried in every interleaving, and each with bugs
/// that the model must catch. FASTJOBS_MODELS=1 prints the numbers of states and the traces.
/// </summary>
internal static class ModelContract
{
    public static IEnumerable<ContractCase> Cases() =>
    [
        .. QueueModel.Cases(),
        .. CancelModel.Cases(),
        .. ReuseModel.Cases(),
        .. AgesModel.Cases(),
        .. WakeModel.Cases(),
        .. ReadWaitModel.Cases(),
        .. WriteWaitModel.Cases(),
        .. TailModel.Cases(),
        .. InboxModel.Cases(),
        .. ParkModel.Cases(),
        .. DrainModel.Cases(),
        .. CompletionModel.Cases(),
        .. HandleModel.Cases(),
        .. AwaitedJobModel.Cases(),
        .. GroupModel.Cases(),
        .. NestModel.Cases(),
        .. QueuedJobModel.Cases(),
        .. ShortLockModel.Cases(),
        .. LeaseModel.Cases(),
        .. OutboxModel.Cases(),
        .. OutboxMoveModel.Cases(),
        .. HandModel.Cases(),
        .. OrderedHandModel.Cases(),
    ];
}
