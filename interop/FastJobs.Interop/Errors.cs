using FastJobs.Interop.Generated;

namespace FastJobs.Interop;

/// <summary>How a call fails: it sets the thread's last error and returns its failure value. No exception leaves.</summary>
internal static class Errors
{
    /// <summary>Always false, for "return Errors.Fail(...)".</summary>
    public static bool Fail(fj_error code, string text)
    {
        Host.SetError(code, text);
        return false;
    }

    /// <summary>The guard of every entry point: an exception becomes an error.</summary>
    public static TResult Guarded<TArguments, TResult>(
        TArguments arguments, TResult failure, Func<TArguments, TResult> call)
    {
        try
        {
            return call(arguments);
        }
        catch (Exception e)
        {
            return FromException(e, failure);
        }
    }

    public static TResult FromException<TResult>(Exception e, TResult failure)
    {
        try
        {
            Fail(e is OutOfMemoryException ? fj_error.FJ_ENOMEM : fj_error.FJ_EINTERNAL, $"{e.GetType().Name}: {e.Message}");
        }
        catch (Exception)
        {
            // Out of memory for the text too: the code says enough.
            Fail(fj_error.FJ_ENOMEM, "out of memory");
        }

        return failure;
    }
}
