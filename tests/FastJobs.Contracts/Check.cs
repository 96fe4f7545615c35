using System.Runtime.CompilerServices;

namespace FastJobs.Contracts;

/// <summary>The few assertions that the cases need; each failure quotes the expression that was checked.</summary>
internal static class Check
{
    public static void True(bool value, [CallerArgumentExpression(nameof(value))] string what = "")
    {
        if (!value)
        {
            throw new ContractFailure($"expected to hold: {what}");
        }
    }

    public static void False(bool value, [CallerArgumentExpression(nameof(value))] string what = "")
    {
        if (value)
        {
            throw new ContractFailure($"expected not to hold: {what}");
        }
    }

    public static void Equal<T>(T expected, T actual, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new ContractFailure($"{what}: expected {expected}, got {actual}");
        }
    }

    public static void Same(
        object? expected, object? actual, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!ReferenceEquals(expected, actual))
        {
            throw new ContractFailure($"{what}: expected the very object {expected}, got {actual}");
        }
    }

    public static void AtMost(long bound, long actual, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (actual > bound)
        {
            throw new ContractFailure($"{what}: expected at most {bound}, got {actual}");
        }
    }

    public static void Sequence<T>(
        IEnumerable<T> expected, IEnumerable<T> actual, [CallerArgumentExpression(nameof(actual))] string what = "")
    {
        if (!expected.SequenceEqual(actual))
        {
            throw new ContractFailure($"{what}: expected {string.Join(",", expected)}, got {string.Join(",", actual)}");
        }
    }

    public static TException Throws<TException>(Action action)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException e)
        {
            return e;
        }

        throw new ContractFailure($"expected {typeof(TException).Name}, but nothing was thrown");
    }

    /// <summary>
    /// Waits for <paramref name="task"/>, which must fail with this exception or one derived from it.
    /// </summary>
    public static async Task<TException> Throws<TException>(Task task)
        where TException : Exception
    {
        try
        {
            await task.Within();
        }
        catch (TException e)
        {
            return e;
        }

        throw new ContractFailure($"expected {typeof(TException).Name}, but the task ended as {task.Status}");
    }

    public static Task<TException> Throws<TException>(ValueTask task)
        where TException : Exception => Throws<TException>(task.AsTask());

    public static Task<TException> Throws<TException, T>(ValueTask<T> task)
        where TException : Exception => Throws<TException>(task.AsTask());

    /// <summary>The task must be cancelled, and say by which token.</summary>
    public static async Task Canceled(Task task, CancellationToken token)
    {
        OperationCanceledException e = await Throws<OperationCanceledException>(task);
        Equal(token, e.CancellationToken);
        True(task.IsCanceled);
    }

    public static Task Canceled(ValueTask task, CancellationToken token) => Canceled(task.AsTask(), token);

    public static Task Canceled<T>(ValueTask<T> task, CancellationToken token) => Canceled(task.AsTask(), token);
}
