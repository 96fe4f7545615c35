namespace FastJobs.Contracts.Models.Checker;

/// <summary>Where a thread of a model goes after a step.</summary>
internal readonly struct Next
{
    private Next(Kind what, string? text = null)
    {
        What = what;
        Text = text;
    }

    public enum Kind : byte
    {
        Ahead,
        Jump,
        Blocked,
        Done,
        Failed,
    }

    public Kind What { get; }

    /// <summary>The label of a jump, or what failed.</summary>
    public string? Text { get; }

    /// <summary>To the label that follows in the script.</summary>
    public static Next Ahead => new(Kind.Ahead);

    /// <summary>The step cannot happen now; what it has changed is forgotten.</summary>
    public static Next Blocked => new(Kind.Blocked);

    /// <summary>The thread has ended.</summary>
    public static Next Done => new(Kind.Done);

    public static Next To(string label) => new(Kind.Jump, label);

    /// <summary>The step itself finds that the protocol is broken.</summary>
    public static Next Fail(string message) => new(Kind.Failed, message);
}

/// <summary>What a step does to the shared memory and to its thread's locals.</summary>
internal delegate Next Act<TShared, TLocal>(ref TShared shared, ref TLocal me);

/// <summary>One atomic action of a thread.</summary>
/// <param name="Label">The name of the step on docs/protocols.md where it has one. Steps that follow one another under
/// one label are alternatives: any of them may happen.</param>
/// <param name="What">For the trace.</param>
/// <param name="Act">The action.</param>
internal sealed record Step<TShared, TLocal>(string Label, string What, Act<TShared, TLocal> Act)
{
    /// <summary>
    /// No fence: it may happen while earlier plain stores of its thread are still invisible to the others.
    /// </summary>
    public bool Plain { get; init; }

    /// <summary>A thread may be blocked here for ever without anything being wrong: a worker that sleeps.</summary>
    public bool MayRest { get; init; }
}

/// <summary>A thread: a name, its steps, and the locals it starts with.</summary>
internal sealed class Script<TShared, TLocal>
{
    public const int DonePc = 255;

    private readonly string[] _labels;

    public Script(string name, TLocal start, params IEnumerable<Step<TShared, TLocal>> steps)
    {
        Name = name;
        Start = start;
        List<string> labels = [];
        List<Step<TShared, TLocal>[]> alternatives = [];
        foreach (Step<TShared, TLocal> step in steps)
        {
            if (labels.Count > 0 && labels[^1] == step.Label)
            {
                alternatives[^1] = [.. alternatives[^1], step];
                continue;
            }

            if (labels.Contains(step.Label))
            {
                throw new ArgumentException($"{name}: the label {step.Label} stands at two places");
            }

            labels.Add(step.Label);
            alternatives.Add([step]);
        }

        _labels = [.. labels];
        Alternatives = [.. alternatives];
    }

    public string Name { get; }

    public TLocal Start { get; }

    /// <summary>By program counter: the steps that may happen there.</summary>
    public Step<TShared, TLocal>[][] Alternatives { get; }

    /// <summary>The program counter after a step at <paramref name="pc"/>.</summary>
    public byte Resolve(int pc, Next next)
    {
        switch (next.What)
        {
            case Next.Kind.Done:
                return DonePc;
            case Next.Kind.Ahead when pc + 1 == _labels.Length:
                return DonePc;
            case Next.Kind.Ahead:
                return (byte)(pc + 1);
            default:
                int at = Array.IndexOf(_labels, next.Text);
                return at >= 0 ? (byte)at : throw new ArgumentException($"{Name} has no label {next.Text}");
        }
    }
}
