using FastJobs.Lanes;

namespace FastJobs.Interop;

/// <summary>The C functions that a host wants called in each worker of a lane when it starts and before it ends.</summary>
internal static unsafe class WorkerHooks
{
    private const int AllPools = Generated.NativeConstants.FJ_ALL_POOLS;

    private static readonly Dictionary<int, Hooks> s_hooks = [];

    public static void Set(
        int lane,
        delegate* unmanaged[Cdecl]<int, void*, void> onStart,
        delegate* unmanaged[Cdecl]<int, void*, void> onExit,
        void* closure)
    {
        lock (s_hooks)
        {
            s_hooks[lane] = new Hooks(onStart, onExit, closure);
        }
    }

    public static void Started(Worker worker)
    {
        int lane = worker.Host.LaneId;
        if (Find(lane) is { OnStart: not null } hooks)
        {
            hooks.OnStart(lane, hooks.Closure);
        }
    }

    public static void Ends(Worker worker)
    {
        int lane = worker.Host.LaneId;
        if (Find(lane) is { OnExit: not null } hooks)
        {
            hooks.OnExit(lane, hooks.Closure);
        }
    }

    private static Hooks? Find(int lane)
    {
        lock (s_hooks)
        {
            return s_hooks.TryGetValue(lane, out Hooks? own) || s_hooks.TryGetValue(AllPools, out own) ? own : null;
        }
    }

    private sealed class Hooks(
        delegate* unmanaged[Cdecl]<int, void*, void> onStart,
        delegate* unmanaged[Cdecl]<int, void*, void> onExit,
        void* closure)
    {
        public readonly delegate* unmanaged[Cdecl]<int, void*, void> OnStart = onStart;
        public readonly delegate* unmanaged[Cdecl]<int, void*, void> OnExit = onExit;
        public readonly void* Closure = closure;
    }
}
