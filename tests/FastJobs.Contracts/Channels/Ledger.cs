namespace FastJobs.Contracts.Channels;

/// <summary>
/// The books of a run with many producers: item number <c>producer * each + i</c> must be entered exactly once, and
/// each consumer must meet the items of each producer in the order in which they were written.
/// </summary>
internal sealed class Ledger(int producers, int each)
{
    private readonly int[] _entries = new int[producers * each];
    private int _count;

    /// <summary>How many items have been entered.</summary>
    public int Count => Volatile.Read(ref _count);

    public int Total => _entries.Length;

    public void Enter(int number)
    {
        if (Interlocked.Increment(ref _entries[number]) != 1)
        {
            throw new ContractFailure($"item {number} came twice");
        }

        Interlocked.Increment(ref _count);
    }

    public void CheckComplete()
    {
        int missing = Array.IndexOf(_entries, 0);
        if (missing >= 0)
        {
            throw new ContractFailure($"item {missing} was lost ({Count} of {Total} came)");
        }
    }

    /// <summary>One consumer's page; consumers do not share pages.</summary>
    public Page NewPage() => new(this, producers, each);

    internal sealed class Page
    {
        private readonly Ledger _ledger;
        private readonly int[] _last;
        private readonly int _each;

        internal Page(Ledger ledger, int producers, int each)
        {
            _ledger = ledger;
            _each = each;
            _last = new int[producers];
            Array.Fill(_last, -1);
        }

        public void Enter(int number)
        {
            ref int last = ref _last[number / _each];
            if (number <= last)
            {
                throw new ContractFailure($"item {number} came after {last} of the same producer");
            }

            last = number;
            _ledger.Enter(number);
        }
    }
}
