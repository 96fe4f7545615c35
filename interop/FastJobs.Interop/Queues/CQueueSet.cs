using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FastJobs.Interop.Generated;
using FastJobs.Queues;

namespace FastJobs.Interop.Queues;

/// <summary>A set of queues of a C program: making, finding and listing them, the settings, the end.</summary>
internal sealed unsafe class CQueueSet
{
    private const int LongestName = 11; // a thread's name has 15 bytes: this, a hyphen, and a number
    private const int DefaultConcurrency = 4;

    private readonly Lock _lock = new();
    private readonly CQueueHost _host;
    private fj_queue_settings _settings = new()
    {
        struct_size = (nuint)sizeof(fj_queue_settings),
        idle_ms = 300_000,
        log_min_ms = 1000,
    };

    private CQueueSet(in fj_queue_set_options options, string name)
    {
        _host = new CQueueHost(options);
        System = new QueueSystem(_host, name);
        System.Workers.ThreadMissing = Interop.Log.ThreadMissing;
        _host.System = System;
        Apply();
    }

    public QueueSystem System { get; }

    public static nint Create(fj_queue_set_options* given)
    {
        const string Function = "fj_queue_set_create";
        fj_queue_set_options options = default;
        if (given != null)
        {
            if (!QueueErrors.IsStruct(given, given->struct_size, sizeof(fj_queue_set_options), Function, "fj_queue_set_options"))
            {
                return 0;
            }

            options = *given;
        }

        string name = Marshal.PtrToStringUTF8((nint)options.name) ?? "queue";
        if (Encoding.UTF8.GetByteCount(name) is 0 or > LongestName)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: the name has 1 to {LongestName} bytes: \"{name}\"");
            return 0;
        }

        if (options.settings != null && !AreSettings(options.settings, Function))
        {
            return 0;
        }

        var set = new CQueueSet(options, name);
        if (options.settings != null)
        {
            set._settings = *options.settings;
            set.Apply();
        }

        return GCHandle.ToIntPtr(GCHandle.Alloc(set));
    }

    /// <summary>The set of a handle. False: it is NULL, and the error is set.</summary>
    public static bool TryGet(nint handle, string function, out CQueueSet set)
    {
        set = handle == 0 ? null! : Unsafe.As<CQueueSet>(GCHandle.FromIntPtr(handle).Target!);
        return set is not null || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: the set of queues is NULL");
    }

    public long Close(int timeoutMilliseconds)
    {
        long discarded = System.Stop(Math.Max(-1, timeoutMilliseconds));
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesTaken();
        }

        return discarded;
    }

    public static void Free(nint handle)
    {
        GCHandle pin = GCHandle.FromIntPtr(handle);
        var set = (CQueueSet)pin.Target!;
        set.System.Abandon();
        set._host.IsMute = true;
        pin.Free();
    }

    public nint CreateQueue(fj_queue_options* options)
    {
        const string Function = "fj_queue_create";
        if (!QueueErrors.IsStruct(options, options == null ? 0 : options->struct_size, sizeof(fj_queue_options), Function, "fj_queue_options"))
        {
            return 0;
        }

        string? name = NameText.Decode((byte*)options->name);
        if (string.IsNullOrEmpty(name))
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: a queue needs a name: it is NULL or empty");
            return 0;
        }

        if (options->concurrency < 0)
        {
            Errors.Fail(fj_error.FJ_EINVAL, $"{Function}: queue \"{name}\": the concurrency is negative: {options->concurrency}");
            return 0;
        }

        string description = NameText.Decode((byte*)options->description) ?? "";
        lock (_lock)
        {
            if (System.TryCreate(
                name, description, options->concurrency == 0 ? DefaultConcurrency : options->concurrency, out QueueCore? core))
            {
                return new CQueue(core, options->expire_ms).NewHandle();
            }

            if (core is not null)
            {
                Errors.Fail(fj_error.FJ_EEXIST, $"queue already exists: {name}");
            }
            else
            {
                QueueErrors.Refused();
            }

            return 0;
        }
    }

    public nint FindQueue(byte* name)
    {
        string? text = NameText.Decode(name);
        if (text is null)
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_queue_find: the name is NULL");
            return 0;
        }

        if (System.Find(text) is { } core)
        {
            return FacadeOf(core).NewHandle();
        }

        QueueErrors.Gone(text);
        return 0;
    }

    public long List(delegate* unmanaged[Cdecl]<fj_queue_info*, void*, int> visitor, void* closure)
    {
        if (visitor == null)
        {
            Errors.Fail(fj_error.FJ_EINVAL, "fj_queue_set_list: the visitor is NULL");
            return -1;
        }

        long shown = 0;
        foreach (QueueCore core in System.List())
        {
            CQueue queue = FacadeOf(core);
            fj_queue_info info;
            Fill(queue, &info);
            shown++;
            if (visitor(&info, closure) != 0)
            {
                break;
            }

            GC.KeepAlive(queue);
        }

        return shown;
    }

    public static void Fill(CQueue queue, fj_queue_info* info)
    {
        QueueFigures figures = queue.Core.GetFigures();
        if (CEngine.Current.IsSanitized)
        {
            Sanitizer.QueuesTaken(); // who sees that so many are done may look at what they left
        }

        *info = new fj_queue_info
        {
            struct_size = (nuint)sizeof(fj_queue_info),
            name = queue.Name,
            description = queue.Description,
            concurrency = figures.Concurrency,
            scheduled = figures.Waiting + figures.Delayed,
            running = figures.Running,
            done = figures.Done,
            paused = figures.Paused ? 1 : 0,
            deleting = figures.Deleting ? 1 : 0,
        };
    }

    public bool GetThreads(fj_queue_threads* threads)
    {
        if (!QueueErrors.IsStruct(
            threads, threads == null ? 0 : threads->struct_size, sizeof(fj_queue_threads), "fj_queue_set_threads", "fj_queue_threads"))
        {
            return false;
        }

        Lanes.WorkerSetFigures figures = System.Workers.GetFigures();
        threads->max_threads = System.MaxThreads;
        threads->threads = figures.Threads;
        threads->idle_threads = figures.Threads - figures.ActiveThreads;
        threads->stopping = System.IsClosed ? 1 : 0;
        return true;
    }

    public bool Configure(fj_queue_settings* settings)
    {
        if (!AreSettings(settings, "fj_queue_set_configure"))
        {
            return false;
        }

        lock (_lock)
        {
            _settings = *settings;
            Apply();
        }

        return true;
    }

    public bool GetSettings(fj_queue_settings* settings)
    {
        if (!QueueErrors.IsStruct(
            settings, settings == null ? 0 : settings->struct_size, sizeof(fj_queue_settings), "fj_queue_set_settings", "fj_queue_settings"))
        {
            return false;
        }

        lock (_lock)
        {
            *settings = _settings;
        }

        return true;
    }

    public bool NewId(byte* buffer, nuint size)
    {
        if (buffer == null)
        {
            return Errors.Fail(fj_error.FJ_EINVAL, "fj_queue_set_new_id: the buffer is NULL");
        }

        string id = System.NewId();
        if (size <= (nuint)id.Length)
        {
            return Errors.Fail(
                fj_error.FJ_EINVAL, $"fj_queue_set_new_id: the buffer has {size} bytes, the id needs {id.Length + 1}");
        }

        buffer[Encoding.ASCII.GetBytes(id, new Span<byte>(buffer, id.Length))] = 0;
        return true;
    }

    // A queue can be found a moment before it has its façade.
    private CQueue FacadeOf(QueueCore core)
    {
        if (Volatile.Read(ref core.Facade) is { } there)
        {
            return (CQueue)there;
        }

        lock (_lock)
        {
            return (CQueue)core.Facade!;
        }
    }

    private static bool AreSettings(fj_queue_settings* settings, string function)
    {
        if (!QueueErrors.IsStruct(
            settings, settings == null ? 0 : settings->struct_size, sizeof(fj_queue_settings), function, "fj_queue_settings"))
        {
            return false;
        }

        return settings->jobs_per_thread < 0
            ? Errors.Fail(fj_error.FJ_EINVAL, $"{function}: jobs_per_thread is negative: {settings->jobs_per_thread}")
            : settings->idle_ms is < -1 or > int.MaxValue
            ? Errors.Fail(fj_error.FJ_EINVAL, $"{function}: idle_ms is -1 to {int.MaxValue}, not {settings->idle_ms}")
            : settings->log_min_ms >= -1
            || Errors.Fail(fj_error.FJ_EINVAL, $"{function}: log_min_ms is -1 or more, not {settings->log_min_ms}");
    }

    private void Apply()
    {
        System.JobsPerThread = _settings.jobs_per_thread;
        System.IdleTimeoutMilliseconds = (int)_settings.idle_ms;
        System.LogMinDuration = _settings.log_min_ms < 0 || _settings.log_min_ms > TimeSpan.MaxValue.TotalMilliseconds
            ? TimeSpan.MaxValue
            : TimeSpan.FromMilliseconds(_settings.log_min_ms);
    }
}
