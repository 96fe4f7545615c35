namespace FastJobs.Contracts.Channels;

/// <summary>
/// A type of item and how its values are told apart: item <c>n</c> can be made, recognised and numbered.
/// </summary>
internal sealed record ItemKind<T>(string Name, Func<int, T> Make, Func<T, int> Number)
{
    /// <summary>Whether <paramref name="item"/> is item <paramref name="n"/>.</summary>
    public bool Is(T? item, int n) => EqualityComparer<T>.Default.Equals(item, Make(n));
}

/// <summary>The types of item that the cases run over: each takes another path through a slot.</summary>
internal static class ItemKinds
{
    public static readonly ItemKind<int> Int = new("int", static n => n, static item => item);

    public static readonly ItemKind<string> Text = new("string", static n => $"{n}", int.Parse);

    /// <summary>Every second item is null: a null item is an item, not "no item".</summary>
    public static readonly ItemKind<string?> Nulls = new(
        "string?",
        static n => n % 2 == 0 ? null : $"{n}",
        static _ => throw new NotSupportedException("a null has no number"));

    /// <summary>Wider than any atomic write: shows an item that was read before it was wholly written.</summary>
    public static readonly ItemKind<Large> Large = new("Large", Channels.Large.Make, static item => item.Number());

    /// <summary>As wide, and without references: readers copy it before they own it.</summary>
    public static readonly ItemKind<Plain> Plain = new("Plain", Channels.Plain.Make, static item => item.Number());
}

/// <summary>An item of 40 bytes with references inside. A torn one gives itself away.</summary>
internal readonly record struct Large(long First, object Owner, long Second, string Text, long Third)
{
    private static readonly object[] s_owners = [.. Enumerable.Range(0, 64).Select(_ => new object())];
    private static readonly string[] s_texts = [.. Enumerable.Range(0, 64).Select(i => $"text {i}")];

    public static Large Make(int n) => new(n, s_owners[n & 63], n, s_texts[n & 63], n);

    public int Number()
    {
        int n = (int)First;
        bool whole = Second == n && Third == n
            && ReferenceEquals(Owner, s_owners[n & 63]) && ReferenceEquals(Text, s_texts[n & 63]);
        return whole ? n : throw new ContractFailure($"torn item: {First}, {Second}, {Third}, {Text}");
    }
}

/// <summary>An item of 40 bytes without references. A torn one gives itself away.</summary>
internal readonly record struct Plain(long First, long Second, long Third, long Fourth, long Fifth)
{
    public static Plain Make(int n) => new(n, n, n, n, n);

    public int Number() => this == Make((int)First) ? (int)First : throw new ContractFailure($"torn item: {this}");
}
