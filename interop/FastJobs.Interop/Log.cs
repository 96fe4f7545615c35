namespace FastJobs.Interop;

/// <summary>What went wrong where no caller is to be told: to the host's log function (native/src/log.c).</summary>
internal static class Log
{
    /// <summary>A thread could not be started.</summary>
    public static void ThreadMissing(string thread, Exception error) =>
        Host.LogError($"the thread {thread} could not be started: {error.Message} What it would do waits for the next attempt.");
}
