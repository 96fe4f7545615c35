using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastJobs.Contracts.Models.Checker;

/// <summary>
/// Runs a model through every interleaving: breadth first, each state once, so that what is found is found on a
/// shortest way. Broken is a protocol whose invariant fails; in which a state lets nobody go on although somebody is
/// stuck or the work is not done (deadlock, lost wake-up); or in which some state has no way to the end (threads that
/// spin for ever).
/// </summary>
internal sealed class Explorer<TShared, TLocal>
    where TShared : unmanaged
    where TLocal : unmanaged
{
    private const int Flush = 255; // in place of an alternative: the oldest store of the thread becomes visible
    private const int MostStates = 4_000_000;

    private readonly Model<TShared, TLocal> _model;
    private readonly IReadOnlyList<Script<TShared, TLocal>> _threads;
    private readonly Model<TShared, TLocal>.BufferOf? _buffer;
    private readonly byte[] _scratch;
    private readonly byte[] _current;
    private readonly StateStore _store;
    private readonly List<(int From, int To)> _edges = [];
    private readonly List<int> _ends = [];
    private string? _violation;
    private (int State, int Thread, int Alternative)? _last; // the step that failed, where one did

    private Explorer(Model<TShared, TLocal> model)
    {
        _model = model;
        _threads = model.Threads;
        _buffer = model.Buffer;
        int width = (Unsafe.SizeOf<TShared>() + (_threads.Count * Unsafe.SizeOf<Frame<TLocal>>()) + 7) & ~7;
        _scratch = new byte[width];
        _current = new byte[width];
        _store = new StateStore(width);
    }

    public static Exploration Explore(Model<TShared, TLocal> model) => new Explorer<TShared, TLocal>(model).Run();

    private Exploration Run()
    {
        Shared(_scratch) = _model.Start;
        for (int thread = 0; thread < _threads.Count; thread++)
        {
            FrameOf(_scratch, thread) = new Frame<TLocal> { Local = _threads[thread].Start };
        }

        _store.Find(_scratch, -1, 0, 0);
        int state = 0;
        for (; state < _store.Count && _violation is null; state++)
        {
            Expand(state);
            if (_store.Count > MostStates)
            {
                throw new InvalidOperationException($"the model has more than {MostStates} states: make it smaller");
            }
        }

        // Where a step or an invariant failed the state in which it did is the last that was looked at.
        int broken = _violation is null ? FindTrap() : state - 1;
        return new Exploration(_store.Count, _edges.Count, _violation, _violation is null ? [] : TraceTo(broken));
    }

    private void Expand(int state)
    {
        _store[state].CopyTo(_current);
        if (_model.CheckAlways(in Shared(_current)) is { } broken)
        {
            _violation = broken;
            return;
        }

        bool canGoOn = false;
        for (int thread = 0; thread < _threads.Count; thread++)
        {
            if (_buffer is not null && !_buffer(ref FrameOf(_current, thread).Local).IsEmpty)
            {
                canGoOn |= TryStep(state, thread, Flush);
            }

            int pc = FrameOf(_current, thread).Pc;
            if (pc == Script<TShared, TLocal>.DonePc)
            {
                continue;
            }

            for (int i = 0; i < _threads[thread].Alternatives[pc].Length; i++)
            {
                canGoOn |= TryStep(state, thread, i);
                if (_violation is not null)
                {
                    return;
                }
            }
        }

        if (!canGoOn)
        {
            CheckEnd(state);
        }
    }

    // True: the step leads to another state. A step that changes nothing is a thread that waits by looking again.
    private bool TryStep(int state, int thread, int alternative)
    {
        _current.CopyTo(_scratch, 0);
        ref TShared shared = ref Shared(_scratch);
        ref Frame<TLocal> frame = ref FrameOf(_scratch, thread);
        if (alternative == Flush)
        {
            (int address, int value) = _buffer!(ref frame.Local).TakeOldest();
            _model.Commit(ref shared, address, value);
        }
        else
        {
            Step<TShared, TLocal> step = _threads[thread].Alternatives[frame.Pc][alternative];
            if (_buffer is not null && !step.Plain && !_buffer(ref frame.Local).IsEmpty)
            {
                return false; // a fence: once the buffer is empty
            }

            Next next = step.Act(ref shared, ref frame.Local);
            if (next.What == Next.Kind.Blocked)
            {
                return false;
            }

            if (next.What == Next.Kind.Failed)
            {
                _violation = next.Text;
                _last = (state, thread, alternative);
                return true;
            }

            frame.Pc = _threads[thread].Resolve(frame.Pc, next);
        }

        int reached = _store.Find(_scratch, state, thread, alternative);
        if (reached != state)
        {
            _edges.Add((state, reached));
        }

        return reached != state;
    }

    private void CheckEnd(int state)
    {
        for (int thread = 0; thread < _threads.Count; thread++)
        {
            int pc = FrameOf(_current, thread).Pc;
            if (pc != Script<TShared, TLocal>.DonePc
                && !Array.Exists(_threads[thread].Alternatives[pc], step => step.MayRest))
            {
                Step<TShared, TLocal> step = _threads[thread].Alternatives[pc][0];
                _violation = $"{_threads[thread].Name} is stuck at {step.Label} ({step.What})";
                return;
            }
        }

        _violation = _model.CheckEnd(in Shared(_current));
        _ends.Add(state);
    }

    // A state from which no end can be reached, or -1. The search above has found all ends good.
    private int FindTrap()
    {
        int[] first = new int[_store.Count + 1]; // of the edges that lead to a state, in the order of their targets
        foreach ((_, int to) in _edges)
        {
            first[to + 1]++;
        }

        for (int i = 1; i < first.Length; i++)
        {
            first[i] += first[i - 1];
        }

        int[] sources = new int[_edges.Count];
        int[] filled = new int[_store.Count];
        foreach ((int from, int to) in _edges)
        {
            sources[first[to] + filled[to]++] = from;
        }

        bool[] reachesEnd = new bool[_store.Count];
        Stack<int> open = new(_ends);
        while (open.TryPop(out int state))
        {
            if (reachesEnd[state])
            {
                continue;
            }

            reachesEnd[state] = true;
            for (int i = first[state]; i < first[state + 1]; i++)
            {
                open.Push(sources[i]);
            }
        }

        int trap = Array.IndexOf(reachesEnd, false);
        if (trap >= 0)
        {
            _violation = "from here there is no way to the end: somebody spins for ever";
        }

        return trap;
    }

    private List<string> TraceTo(int state)
    {
        List<string> trace = [];
        if (_last is { } last)
        {
            trace.Add(Describe(last.State, last.Thread, last.Alternative));
        }

        for (int at = state; at > 0; at = _store.Origin(at).Parent)
        {
            (int parent, byte thread, byte alternative) = _store.Origin(at);
            trace.Insert(0, Describe(parent, thread, alternative));
        }

        return trace;
    }

    private string Describe(int state, int thread, int alternative)
    {
        Script<TShared, TLocal> script = _threads[thread];
        _store[state].CopyTo(_current);
        if (alternative == Flush)
        {
            return $"  {script.Name,-12} --   its oldest store becomes visible";
        }

        Step<TShared, TLocal> step = script.Alternatives[FrameOf(_current, thread).Pc][alternative];
        return $"  {script.Name,-12} {step.Label,-4} {step.What}";
    }

    private static ref TShared Shared(byte[] state) => ref MemoryMarshal.Cast<byte, TShared>(state.AsSpan())[0];

    private static ref Frame<TLocal> FrameOf(byte[] state, int thread) => ref MemoryMarshal.Cast<byte, Frame<TLocal>>(
        state.AsSpan(Unsafe.SizeOf<TShared>() + (thread * Unsafe.SizeOf<Frame<TLocal>>())))[0];
}
