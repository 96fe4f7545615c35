using System.Diagnostics;

namespace FastJobs.Lanes;

/// <summary>
/// When the positions of a queue were taken, as a few marks: "from this position on, not before this moment". Guarded by
/// its queue. docs/protocols.md#ages.
/// </summary>
/// <remarks>
/// A mark's positions were all taken between its two moments, a few milliseconds apart: the first when a writer found the
/// Stamp flag, the second when the flag was set again. All times are Stopwatch ticks.
/// </remarks>
internal sealed class PositionAges
{
    // Marks of claimed positions that are kept: a worker may ask for the position that it claimed a moment ago.
    private const int History = 128;

    private Mark[] _marks = new Mark[2 * History];
    private int _first;
    private int _count;
    private long _armedAt;
    private bool _armed;

    /// <summary>The Stamp flag was set in the word that had this position.</summary>
    public void Arm(long position, long now)
    {
        if (_count > 0)
        {
            At(_count - 1).Until = now;
            if (At(_count - 1).Position == position)
            {
                _count--; // a writer that was late took down a flag that was not its own: the mark has no position
            }
        }

        _armedAt = position;
        _armed = true;
    }

    /// <summary>A writer found the flag.</summary>
    /// <param name="head">Positions before it are claimed.</param>
    /// <param name="now">The time.</param>
    public void Stamp(long head, long now)
    {
        while (_count > History && At(History).Position <= head)
        {
            _first = (_first + 1) % _marks.Length;
            _count--;
        }

        if (_count == _marks.Length)
        {
            var larger = new Mark[_marks.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = At(i);
            }

            (_marks, _first) = (larger, 0);
        }

        _count++;
        At(_count - 1) = new Mark { Position = _armedAt, From = now, Until = long.MaxValue };
        _armed = false;
    }

    /// <summary>About when a position was taken.</summary>
    public long TimeOf(long position)
    {
        long now = Stopwatch.GetTimestamp();
        if (_armed && position >= _armedAt)
        {
            return now; // its writer is about to say so
        }

        int low = 0;
        int high = _count; // the first mark behind the position
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (At(middle).Position <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (_count == 0)
        {
            return now;
        }

        ref Mark mark = ref At(Math.Max(0, low - 1));
        return mark.Position >= position ? mark.From : mark.From + ((Math.Min(mark.Until, now) - mark.From) / 2);
    }

    private ref Mark At(int index) => ref _marks[(_first + index) % _marks.Length];

    private struct Mark
    {
        public long Position;
        public long From;
        public long Until;
    }
}
