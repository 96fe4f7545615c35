using System.Runtime.InteropServices;

namespace FastJobs.Contracts.Models.Checker;

/// <summary>
/// A protocol as a model: what the threads share, what each does step by step, and what must hold. Everything that
/// happens between two steps of a thread happens to all other threads too, in every order.
/// </summary>
/// <typeparam name="TShared">What the threads share. Like <typeparamref name="TLocal"/> a small struct of bytes,
/// packed, because states are compared byte for byte.</typeparam>
/// <typeparam name="TLocal">What a thread remembers from step to step. Give it back its default when it means nothing
/// any more: each value that is remembered multiplies the states.</typeparam>
internal abstract class Model<TShared, TLocal>
    where TShared : unmanaged
    where TLocal : unmanaged
{
    /// <summary>The locals' store buffer, where a model has one.</summary>
    public delegate ref StoreBuffer BufferOf(ref TLocal local);

    public abstract TShared Start { get; }

    public abstract IReadOnlyList<Script<TShared, TLocal>> Threads { get; }

    /// <summary>Null: every step is a fence.</summary>
    public virtual BufferOf? Buffer => null;

    /// <summary>Makes a buffered store visible.</summary>
    public virtual void Commit(ref TShared shared, int address, int value)
    {
    }

    /// <summary>What must hold in every state. Null: it does; else what is broken.</summary>
    public virtual string? CheckAlways(in TShared shared) => null;

    /// <summary>What must hold when no thread can go on.</summary>
    public abstract string? CheckEnd(in TShared shared);

    protected static Step<TShared, TLocal> Do(string label, string what, Act<TShared, TLocal> act) =>
        new(label, what, act);

    /// <summary>A step that is no fence.</summary>
    protected static Step<TShared, TLocal> Plain(string label, string what, Act<TShared, TLocal> act) =>
        new(label, what, act) { Plain = true };

    /// <summary>A step at which a thread may be blocked for ever.</summary>
    protected static Step<TShared, TLocal> Rest(string label, string what, Act<TShared, TLocal> act) =>
        new(label, what, act) { MayRest = true };
}

/// <summary>A thread as a state has it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Frame<TLocal>
    where TLocal : unmanaged
{
    public byte Pc;
    public TLocal Local;
}

/// <summary>What a search found.</summary>
/// <param name="States">Different states.</param>
/// <param name="Steps">Steps from one state to another.</param>
/// <param name="Violation">Null: none; else what is broken.</param>
/// <param name="Trace">A shortest way there, a line a step.</param>
internal sealed record Exploration(int States, long Steps, string? Violation, IReadOnlyList<string> Trace)
{
    public override string ToString() =>
        Violation is null
            ? $"{States} states, {Steps} steps, nothing broken"
            : $"{Violation}, after {Trace.Count} steps:{Environment.NewLine}{string.Join(Environment.NewLine, Trace)}";
}
