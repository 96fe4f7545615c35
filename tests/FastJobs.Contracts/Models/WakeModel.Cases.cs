namespace FastJobs.Contracts.Models;

internal sealed partial class WakeModel
{
    public static IEnumerable<ContractCase> Cases() =>
    [
        Holds("TwoSubmittersTwoWorkers_NoLostWakeup", new(Workers: 2, Limit: 2, 1, 1)),
        Holds("TwoSubmittersTwoSearchers_NoLostWakeup", new(2, 2, 1, 1) { MostSearchers = 2 }),
        Holds("TwoSubmittersThreeWorkers_NoLostWakeup", new(3, 3, 1, 1)),
        Holds("TwoSubmittersOfTwo_NoLostWakeup", new(2, 2, 2, 1)),
        Holds("ThreadsAreStarted_NoLostWakeup", new(2, 2, 1, 1) { Parked = 0 }),
        Holds("ThreadIsStartedBesideAWorker_NoLostWakeup", new(2, 2, 2, 1) { Parked = 1 }),
        Holds("LimitOfOne_NoLostWakeup", new(2, 1, 2, 1) { Parked = 1 }),
        Holds("FirstJobWaitsForSecond_BothRun", new(2, 2, 1, 1) { FirstWaitsForLast = true }),
        Holds("FirstJobWaitsForThird_AllRun", new(2, 2, 2, 1) { FirstWaitsForLast = true }),
        Holds("FirstJobWaitsForLaterOneOfItsSubmitter_AllRun", new(3, 3, 3) { FirstWaitsForLast = true, Parked = 1 }),
        Holds("Batch_NoLostWakeup", new(2, 2, 2, 1) { Batch = 2 }),
        Holds("BatchWhoseFirstWaitsForItsLast_AllRun", new(3, 3, 3) { Batch = 3, FirstWaitsForLast = true }),
        Holds(
            "BatchWhoseFirstWaitsForItsLast_ThreadsAreStarted",
            new(3, 3, 3) { Batch = 3, FirstWaitsForLast = true, Parked = 1 }),
        Holds("BatchesOfTwoSubmitters_NoLostWakeup", new(2, 2, 2, 2) { Batch = 2, MostSearchers = 2 }),
        Holds("IdleWorkersEnd_NoLostWakeup", new(2, 2, 1, 1) { IdleTimeOuts = true }),
        Holds("ThreadStartFails_AnotherTakesTheJob", StartsFail),
        Holds("UrgentJob_NoLostWakeup", new(2, 2, 1) { Urgent = true, MostSearchers = 2 }),
        Holds("UrgentJobLimitOfOne_NoLostWakeup", new(1, 1, 2) { Urgent = true }),
        Holds("LimitGrows_NoLostWakeup", new(2, 1, 2) { NewLimit = 2, FirstWaitsForLast = true }),
        Holds("LimitShrinks_NoLostWakeup", new(2, 2, 1, 1) { NewLimit = 1 }),
        Holds("LimitGrowsFromNone_NoLostWakeup", new(2, 0, 1, 1) { NewLimit = 2 }),
        Holds("Deferred_NoLaterJobStartsAndNoneIsLost", new(2, 1, 1) { Defers = true }),
        Holds("DeferredWithTwoWorkers_NoLaterJobStartsAndNoneIsLost", new(2, 2, 2) { Defers = true }),
        Holds("DeferredWithTwoSearchers_NoLaterJobStartsAndNoneIsLost", new(2, 2, 1) { Defers = true, MostSearchers = 2 }),
        Holds("DeferredIdleWorkersEnd_NoLaterJobStartsAndNoneIsLost", new(2, 2, 1) { Defers = true, IdleTimeOuts = true }),
        Holds("Leased_NoLostWakeup", new(2, 2, 3) { Leases = true }),
        Holds("LeasedWithTwoSearchers_NoLostWakeup", new(2, 2, 3) { Leases = true, MostSearchers = 2 }),
        Holds("LeasedThreeWorkers_NoLostWakeup", new(3, 3, 3) { Leases = true }),
        Holds("LeasedBesideASubmitter_NoLostWakeup", new(2, 2, 2, 1) { Leases = true }),
        Holds("LeasedFirstJobWaitsForLast_AllRun", new(2, 2, 3) { Leases = true, FirstWaitsForLast = true }),
        Holds("LeasedBesideASubmitterFirstWaits_AllRun", new(2, 2, 2, 1) { Leases = true, FirstWaitsForLast = true }),
        Holds("LeasedThreadsAreStarted_NoLostWakeup", new(2, 2, 3) { Leases = true, Parked = 0 }),
        Holds("LeasedIdleWorkersEnd_NoLostWakeup", new(2, 2, 3) { Leases = true, IdleTimeOuts = true }),
        Holds("LeasedThreadStartFails_AnotherTakesTheJob", StartsFail with { Leases = true }),
        Holds("LeasedUrgentJob_NoLostWakeup", new(2, 2, 2) { Leases = true, Urgent = true }),

        Caught(Bug.NoLookBehind, "stuck", new(2, 2, 1, 1) { FirstWaitsForLast = true }),
        Caught(Bug.NoLookBehind, "stuck", new(2, 2, 2) { Batch = 2, FirstWaitsForLast = true }, "OfABatch"),
        Caught(Bug.LookBehindAfterTheJob, "stuck", new(2, 2, 1, 1) { FirstWaitsForLast = true }),
        Caught(Bug.NoLookBeforeSleep, "lost", new(2, 2, 1, 1)),
        Caught(Bug.LookBeforeFlag, "lost", new(2, 2, 1, 1)),
        Caught(Bug.SleepOnUnpublished, "lost", new(2, 2, 1, 1)),
        Caught(Bug.FlagBeforeAdd, "lost", new(2, 2, 1, 1)),
        Caught(Bug.WakeWithoutSecondLook, "more workers", new(2, 1, 1, 1)),
        Caught(Bug.FlagForParkedOnly, "the flag", new(2, 2, 1, 1) { Parked = 1 }),
        Caught(Bug.ThreadStartsOutsideTheLock, "lost", StartsFail),
        Caught(Bug.UrgentIgnoredBeforeSleep, "lost", new(2, 2, 1) { Urgent = true }),
        Caught(Bug.UrgentIgnoredBehind, "stuck", new(2, 2, 1) { Urgent = true, FirstWaitsForLast = true }),
        Caught(Bug.StoppedWorkerStaysSearcher, "is counted", new(2, 2, 1, 1) { NewLimit = 1 }),
        Caught(Bug.StoppedWorkerIsCountedTwice, "lost", new(2, 2, 2, 1) { NewLimit = 1 }),
        Caught(Bug.NoRebalanceWhenItGrows, "lost", new(2, 0, 1, 1) { NewLimit = 2 }),
        Caught(Bug.NoLookAfterTheClaim, "started that", new(2, 1, 1) { Defers = true }),
        Caught(Bug.PutBackWakesNobody, "lost", new(2, 1, 1) { Defers = true }),
        Caught(Bug.LeaseIsNoWork, "lost", new(2, 2, 3) { Leases = true }),
        Caught(Bug.LeasesBesideSleepers, "lost", new(2, 2, 3) { Leases = true }),
    ];

    private static Setup StartsFail => new(2, 2, 2, 1) { Parked = 1, StartsFail = true };

    private static ContractCase Holds(string name, Setup setup) =>
        Proof.Holds($"Wake_{name}", () => new WakeModel(setup));

    private static ContractCase Caught(Bug bug, string symptom, Setup setup, string where = "") =>
        Proof.Catches($"Wake_{bug}{where}_IsCaught", symptom, () => new WakeModel(setup, bug));
}
