using System.Runtime.CompilerServices;
using FastJobs.Lanes;

namespace FastJobs.Jobs;

/// <summary>
/// Fire and forget: an action with a state. States that are references share one class (and one pool); each value type
/// has its own.
/// </summary>
internal sealed unsafe class DetachedJob<TState> : Job
{
    public static readonly JobPool<DetachedJob<TState>> Jobs = new(static pool => new DetachedJob<TState>(pool));

    private Action<TState>? _work;
    private TState? _state;

    private DetachedJob(int pool)
        : base(&RunJob, pool)
    {
    }

    public override Delegate? Work => _work;

    public void Set(Action<TState> work, TState state)
    {
        _work = work;
        _state = state;
    }

    public override void Discard() => Recycle();

    private static bool RunJob(Job job, Worker? worker)
    {
        var self = Unsafe.As<DetachedJob<TState>>(job);
        if (self.Word.State != JobState.Idle && !self.TryMove(JobState.Waiting, JobState.Running))
        {
            self.Recycle(); // cancelled while it waited
            return true;
        }

        try
        {
            if (self.Context is { } context)
            {
                ExecutionContext.Run(context, static state => ((DetachedJob<TState>)state!).Invoke(), self);
            }
            else
            {
                self.Invoke();
            }
        }
        catch (Exception e)
        {
            self.Lane!.Reports.ReportUnhandled(e, self.Lane);
        }

        self.Recycle();
        return true;
    }

    private void Invoke() => _work!(_state!);

    private void Recycle()
    {
        _work = null;
        _state = default;
        NextGeneration();
        JobPools.Return(this);
    }
}
