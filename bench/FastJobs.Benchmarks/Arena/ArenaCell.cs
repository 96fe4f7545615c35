using System.Globalization;

namespace FastJobs.Benchmarks.Arena;

/// <summary>
/// One cell of the arena in this process: a workload, its parameters and a peer, as the command line names them. Prints a
/// row of JSON, as the native programs do.
/// </summary>
internal sealed record ArenaCell(string Peer, string Workload, IReadOnlyDictionary<string, double> Parameters)
{
    public int Workers => (int)Get("workers", 2);

    public int Producers => (int)Get("producers", 1);

    public double Get(string name, double otherwise) => Parameters.GetValueOrDefault(name, otherwise);

    public long Jobs(double otherwise) => (long)Math.Max(Get("jobs", otherwise) * Get("scale", 1), 1000);

    /// <summary><c>--peers</c>: who can run, a line of JSON each.</summary>
    public static int ListPeers()
    {
        foreach ((string kind, IEnumerable<string> names) in new[] { ("jobs", JobPeer.All.Keys), ("channels", ChannelWorkloads.Peers) })
        {
            foreach (string name in names)
            {
                string version = name.StartsWith("fastjobs", StringComparison.Ordinal)
                    ? typeof(JobEngine).Assembly.GetName().Version!.ToString(3)
                    : $".NET {Environment.Version}";
                Console.WriteLine($$"""{"peer":"{{name}}","kind":"{{kind}}","version":"{{version}}"}""");
            }
        }

        return 0;
    }

    /// <summary><c>--cell PEER WORKLOAD [PARAMETER=NUMBER]...</c></summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length < 2 || !TryParse(arguments[2..], out Dictionary<string, double> parameters))
        {
            Console.Error.WriteLine("usage: --cell PEER WORKLOAD [PARAMETER=NUMBER]...");
            return 2;
        }

        var cell = new ArenaCell(arguments[0], arguments[1], parameters);
        var figures = new Figures();
        if (cell.Workload == "channel" && ChannelWorkloads.Peers.Contains(cell.Peer))
        {
            ChannelWorkloads.Run(cell, figures);
        }
        else if (JobPeer.All.ContainsKey(cell.Peer))
        {
            JobWorkloads.Run(cell, figures);
        }
        else
        {
            Console.Error.WriteLine($"no peer {cell.Peer} for {cell.Workload}: --peers lists them");
            return 2;
        }

        Console.WriteLine(figures.ToJson());
        Environment.Exit(figures.Failed ? 1 : 0); // the peers are still there
        return 0;
    }

    private static bool TryParse(ReadOnlySpan<string> arguments, out Dictionary<string, double> parameters)
    {
        parameters = [];
        foreach (string argument in arguments)
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || !double.TryParse(argument.AsSpan(equals + 1), CultureInfo.InvariantCulture, out double value))
            {
                Console.Error.WriteLine($"not PARAMETER=NUMBER: {argument}");
                return false;
            }

            parameters[argument[..equals]] = value;
        }

        return true;
    }
}
