using System.IO.Pipelines;

namespace FastJobs.Queues;

/// <summary>
/// What only some jobs have: an id of their own, a place outside of the order of numbers, a time, a token, progress,
/// output, retries. Guarded by the lock of its queue. Never pooled, so whoever holds one too long does no harm.
/// </summary>
internal sealed class JobExtras : DueEntry
{
    public object? Inner;
    public required QueueCore Queue;
    public required QueuedJob Job;

    /// <summary>The job's number, or -1 if it has an id of its own.</summary>
    public long Number = -1;
    public string? Id;

    /// <summary>The number that the next job had when this one came: where it stands among the others.</summary>
    public long Before;

    /// <summary>The same for the order in which jobs run, in which a delayed job comes later.</summary>
    public long RunBefore;

    /// <summary>Its place among those that run before the numbers or between them, while it waits.</summary>
    public LinkedListNode<JobExtras>? InOrder;

    /// <summary>Its place among those with an id of their own, which are in the order of queueing.</summary>
    public LinkedListNode<JobExtras>? InOwn;

    /// <summary>Grows from one job with an id of its own to the next.</summary>
    public long OwnOrder;

    /// <summary>Whether the timer was asked for it and it is still wanted: for a delay, or for the expiry.</summary>
    public bool Armed;
    public RetryPolicy? Retry;
    public int Attempt = 1;
    public TimeSpan? ExpireAfter;
    public CancellationTokenSource? Cancellation;
    public object? Progress;
    public Pipe? Output;

    /// <summary>Somebody reads the output, where only one may.</summary>
    public bool HasReader;

    public JobKey Key => new(Number, Id);

    public override void Fire() => Queue.OnDue(this);
}

/// <summary>Names a job in its queue: a number, or an id of its own.</summary>
internal readonly record struct JobKey(long Number, string? Id)
{
    private const string Prefix = "job";

    public override string ToString() => Id ?? string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{Prefix}{Number}");

    /// <summary>The number in a text of the shape of an automatic id, or -1.</summary>
    public static long NumberIn(string id)
    {
        ReadOnlySpan<char> digits = id.AsSpan();
        if (!digits.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return -1;
        }

        digits = digits[Prefix.Length..];
        if (digits.Length is 0 or > 18 || (digits[0] == '0' && digits.Length > 1))
        {
            return -1;
        }

        long number = 0;
        foreach (char digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return -1;
            }

            number = (number * 10) + digit - '0';
        }

        return number;
    }
}
