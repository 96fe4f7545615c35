namespace FastJobs.Scheduling;

/// <summary>
/// Timers by deadline, those with the same deadline in the order of their arming: a binary heap in which each entry knows
/// its place. Add and remove are O(log n), the next is O(1). Not thread-safe.
/// </summary>
internal sealed class TimerHeap<TItem>
{
    private Registration<TItem>[] _entries = new Registration<TItem>[16];

    public int Count { get; private set; }

    /// <summary>The earliest deadline, or long.MaxValue.</summary>
    public long NextDeadline => Count == 0 ? long.MaxValue : _entries[0].Deadline;

    public Registration<TItem> First => _entries[0];

    public void Add(Registration<TItem> timer)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        Put(Count++, timer);
        Rise(timer.HeapIndex);
    }

    public void Remove(Registration<TItem> timer)
    {
        int hole = timer.HeapIndex;
        Registration<TItem> last = _entries[--Count];
        _entries[Count] = null!;
        timer.HeapIndex = -1;
        if (!ReferenceEquals(last, timer))
        {
            Put(hole, last);
            Rise(hole);
            Sink(last.HeapIndex);
        }
    }

    private static bool IsBefore(Registration<TItem> one, Registration<TItem> other) =>
        one.Deadline != other.Deadline ? one.Deadline < other.Deadline : one.Order < other.Order;

    private void Put(int index, Registration<TItem> timer)
    {
        _entries[index] = timer;
        timer.HeapIndex = index;
    }

    private void Rise(int index)
    {
        Registration<TItem> timer = _entries[index];
        for (int parent; index > 0 && IsBefore(timer, _entries[parent = (index - 1) / 2]); index = parent)
        {
            Put(index, _entries[parent]);
        }

        Put(index, timer);
    }

    private void Sink(int index)
    {
        Registration<TItem> timer = _entries[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= Count)
            {
                break;
            }

            child += child + 1 < Count && IsBefore(_entries[child + 1], _entries[child]) ? 1 : 0;
            if (!IsBefore(_entries[child], timer))
            {
                break;
            }

            Put(index, _entries[child]);
            index = child;
        }

        Put(index, timer);
    }
}
