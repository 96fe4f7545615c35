using System.Globalization;

namespace FastJobs.Benchmarks.Arena;

/// <summary>What a cell measured, and whether it could and the answer was right.</summary>
internal sealed class Figures
{
    private readonly List<string> _metrics = [];
    private string _status = "ok";

    public bool Failed => _status.StartsWith("error", StringComparison.Ordinal);

    public void Put(string name, double value) =>
        _metrics.Add(string.Create(CultureInfo.InvariantCulture, $"\"{name}\":{value:G6}"));

    public void Error(string why) => _status = $"error: {why}";

    public void NotPossible(string why) => _status = $"n/a: {why}";

    /// <summary>Sorts the times and puts their percentiles; in nanoseconds.</summary>
    public void PutPercentiles(double[] times)
    {
        Array.Sort(times);
        foreach ((string name, double share) in new[]
        {
            ("p1_ns", 0.01), ("p10_ns", 0.1), ("p25_ns", 0.25), ("p50_ns", 0.5), ("p75_ns", 0.75), ("p90_ns", 0.9),
            ("p99_ns", 0.99), ("p999_ns", 0.999), ("max_ns", 1),
        })
        {
            Put(name, times[Math.Min(times.Length - 1, (int)(share * times.Length))]);
        }
    }

    public string ToJson() => $$$"""{"status":"{{{_status}}}","metrics":{ {{{string.Join(',', _metrics)}}} }}""";
}
