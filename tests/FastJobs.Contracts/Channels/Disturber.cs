namespace FastJobs.Contracts.Channels;

/// <summary>Cancels random waits of random workers at random moments, from a thread of its own.</summary>
internal sealed class Disturber : IDisposable
{
    private readonly Victim[] _victims;
    private readonly bool _cancels;
    private volatile bool _stopped;

    public Disturber(int victims, bool cancels)
    {
        _victims = [.. Enumerable.Range(0, victims).Select(_ => new Victim())];
        _cancels = cancels;
    }

    /// <summary>What worker <paramref name="index"/> gets its tokens from.</summary>
    public Victim For(int index) => _victims[index];

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    public void Run()
    {
        Random random = new(17);
        SpinWait spin = default;
        while (!_stopped)
        {
            if (_cancels)
            {
                _victims[random.Next(_victims.Length)].Cancel();
                Thread.SpinWait(random.Next(2_000));
            }

            // Every worker needs the processor more than this thread does.
            spin.SpinOnce(_cancels ? -1 : 0);
        }
    }

    public void Stop() => _stopped = true;

    public void Dispose()
    {
        Stop();
        foreach (Victim victim in _victims)
        {
            victim.Cancel();
        }
    }

    /// <summary>One worker's tokens: each is used for its waits until it is cancelled.</summary>
    internal sealed class Victim
    {
        private CancellationTokenSource _source = new();

        /// <summary>The current token; a new one once that is cancelled. Asked for by the worker only.</summary>
        public CancellationToken Token
        {
            get
            {
                if (_source.IsCancellationRequested)
                {
                    Volatile.Write(ref _source, new CancellationTokenSource());
                }

                return _source.Token;
            }
        }

        public void Cancel() => Volatile.Read(ref _source).Cancel();
    }
}
