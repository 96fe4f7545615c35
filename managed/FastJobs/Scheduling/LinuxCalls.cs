using System.Runtime.InteropServices;

namespace FastJobs.Scheduling;

/// <summary>The system calls of the event loop: epoll, eventfd, timerfd, clocks. Linux only.</summary>
internal static unsafe partial class LinuxCalls
{
    public const int Interrupted = 4; // EINTR
    public const int NotPermitted = 1; // EPERM
    public const int NoEntry = 2; // ENOENT
    public const int BadDescriptor = 9; // EBADF
    public const int Exists = 17; // EEXIST

    public const int ClockRealtime = 0;
    public const int ClockMonotonic = 1;

    public const int ControlAdd = 1;
    public const int ControlDelete = 2;
    public const int ControlModify = 3;

    public const uint EpollIn = 0x001;
    public const uint EpollPri = 0x002;
    public const uint EpollOut = 0x004;
    public const uint EpollErr = 0x008;
    public const uint EpollHup = 0x010;
    public const uint EpollOneShot = 1u << 30;

    private const int CloseOnExec = 0x80000; // of epoll, eventfd and timerfd alike
    private const int NonBlocking = 0x800;
    private const int TimerAbsolute = 1;
    private const int TimerCancelOnSet = 2;

    // struct epoll_event is packed on x86-64 and nowhere else.
    public static readonly int EventSize = IsX64 ? 12 : 16;
    private static readonly int s_dataOffset = IsX64 ? 4 : 8;

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>-1: LastError says why.</summary>
    public static int CreateEpoll() => EpollCreate(CloseOnExec);

    public static int CreateEventFd() => EventFd(0, CloseOnExec | NonBlocking);

    public static int CreateTimer(int clock) => TimerCreate(clock, CloseOnExec | NonBlocking);

    /// <summary>Sets a timer to a moment of its clock, in nanoseconds; 0 stops it. One of the wall's clock ends early, with
    /// ECANCELED, if that clock is set.</summary>
    public static void SetTimer(int timer, int clock, long nanoseconds)
    {
        TimerSpec spec = default;
        spec.Value = new TimeSpec(nanoseconds);
        int flags = TimerAbsolute | (clock == ClockRealtime ? TimerCancelOnSet : 0);
        TimerSetTime(timer, flags, &spec, null);
    }

    public static int Control(int epoll, int operation, int descriptor, uint events, ulong data)
    {
        byte* buffer = stackalloc byte[16];
        *(uint*)buffer = events;
        *(ulong*)(buffer + s_dataOffset) = data;
        return EpollControl(epoll, operation, descriptor, buffer) == 0 ? 0 : LastError;
    }

    public static void Decode(byte* events, int index, out uint what, out ulong data)
    {
        byte* one = events + (index * EventSize);
        what = *(uint*)one;
        data = *(ulong*)(one + s_dataOffset);
    }

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int Wait(int epoll, byte* events, int capacity, int timeoutMilliseconds);

    /// <summary>Reads the 8 bytes of an eventfd or a timerfd. False: nothing was there; LastError may be ECANCELED.</summary>
    public static bool ReadCounter(int descriptor)
    {
        ulong value;
        return Read(descriptor, &value, sizeof(ulong)) == sizeof(ulong);
    }

    public static void WriteCounter(int descriptor)
    {
        ulong one = 1;
        while (Write(descriptor, &one, sizeof(ulong)) < 0 && LastError == Interrupted)
        {
        }
    }

    /// <summary>The clock in nanoseconds.</summary>
    public static long Now(int clock)
    {
        TimeSpec time;
        ClockGetTime(clock, &time);
        return (time.Seconds * 1_000_000_000L) + time.Nanoseconds;
    }

    /// <summary>Which of the events are there now on a descriptor.</summary>
    public static uint Poll(int descriptor, uint events)
    {
        var one = new PollDescriptor { Descriptor = descriptor, Events = (short)events };
        return PollNow(&one, 1, 0) > 0 ? (ushort)one.Found : 0u;
    }

    /// <summary>Whether the number is that of an open descriptor.</summary>
    public static bool IsOpen(int descriptor) => FileControl(descriptor, 1) >= 0; // F_GETFD

    public static int ThreadId() => (int)SystemCall(IsX64 ? 186 : 178);

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    public static partial nuint ThreadHandle();

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int epoll, int operation, int descriptor, byte* theEvent);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    private static partial int TimerCreate(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime")]
    private static partial int TimerSetTime(int timer, int flags, TimerSpec* value, TimerSpec* old);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, void* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, void* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int PollNow(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number);

    private struct TimeSpec(long nanoseconds)
    {
        public nint Seconds = (nint)(nanoseconds / 1_000_000_000);
        public nint Nanoseconds = (nint)(nanoseconds % 1_000_000_000);
    }

    private struct TimerSpec
    {
        public TimeSpec Interval;
        public TimeSpec Value;
    }

    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Found;
    }
}
