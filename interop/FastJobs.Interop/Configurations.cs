using System.Runtime.InteropServices;
using FastJobs.Configuration;
using FastJobs.Interop.Generated;
using FastJobs.Lanes;
using CLane = FastJobs.Lanes.Lane<nint, FastJobs.Channels.PointerSlot, FastJobs.Interop.CJobOps>;

namespace FastJobs.Interop;

/// <summary>
/// The functions of fj_config.h. The callback runs after the change, under no lock. Any thread.
/// </summary>
internal static unsafe class Configurations
{
    private static readonly Lock s_lock = new();
    private static readonly ConfigurationApplier s_applier = new();
    private static string? s_file; // what a reload reads: absolute
    private static string? s_fileName; // how its user calls it

    /// <summary>At the engine's start: errors go to the standard error, since there is no caller to tell.</summary>
    public static void LoadFromEnvironment()
    {
        try
        {
            string? file = Environment.GetEnvironmentVariable(JobEngineConfiguration.FileVariable);
            if (!string.IsNullOrEmpty(file))
            {
                Remember(file); // even if it has errors: they can be mended, and the file read again
            }

            if (JobEngineConfiguration.FromEnvironment() is { } configuration)
            {
                foreach (ConfigurationEntry entry in Apply(configuration).Entries)
                {
                    if (entry.Outcome == ConfigurationOutcome.Refused)
                    {
                        Host.Warn($"{configuration.Source}:{entry.Line}:{entry.Column}: {entry}");
                    }
                }
            }
        }
        catch (ConfigurationException e)
        {
            foreach (ConfigurationError error in e.Errors)
            {
                Host.Warn(error.ToString());
            }
        }
        catch (Exception e)
        {
            Host.Warn($"{JobEngineConfiguration.FileVariable}: {e.Message}");
        }
    }

    public static int LoadFile(byte* path, delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void> report, void* closure)
    {
        if (Marshal.PtrToStringUTF8((nint)path) is not { Length: > 0 } name)
        {
            return Fail("fj_config_load_file: the path is NULL or empty");
        }

        int result = Load(name, () => JobEngineConfiguration.Load(name), report, closure);
        if (result != (int)fj_config_result.FJ_CONFIG_FAILED)
        {
            Remember(name);
        }

        return result;
    }

    public static int LoadString(
        byte* text, byte* name, delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void> report, void* closure)
    {
        return text == null
            ? Fail("fj_config_load_string: the text is NULL")
            : Load(
                null,
                () => JobEngineConfiguration.Parse(
                    MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text), Marshal.PtrToStringUTF8((nint)name)),
                report,
                closure);
    }

    public static int Reload(delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void> report, void* closure)
    {
        string? file;
        string? name;
        lock (s_lock)
        {
            (file, name) = (s_file, s_fileName);
        }

        return file is null
            ? Fail("fj_config_reload: no file was loaded, and FASTJOBS_CONFIG named none")
            : Load(name, () => JobEngineConfiguration.Load(file, name!), report, closure);
    }

    private static int Load(
        string? file,
        Func<JobEngineConfiguration> read,
        delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void> report,
        void* closure)
    {
        if (CEngine.Current.IsShutDown)
        {
            Errors.Fail(fj_error.FJ_ESHUTDOWN, "ec_thread_pool_shutdown was called: pools are not configured any more");
            return (int)fj_config_result.FJ_CONFIG_FAILED;
        }

        ConfigurationReport done;
        try
        {
            done = Apply(read());
        }
        catch (ConfigurationException e)
        {
            foreach (ConfigurationError error in e.Errors)
            {
                Report(fj_config_outcome.FJ_CONFIG_ERROR, error.Line, error.Column, error.Source, null, null, error.Message, report, closure);
            }

            return Fail(e.Errors[0].ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && file is not null)
        {
            Report(fj_config_outcome.FJ_CONFIG_ERROR, 0, 0, file, null, null, e.Message, report, closure);
            return Fail($"{file}: {e.Message}");
        }

        foreach (ConfigurationEntry entry in done.Entries)
        {
            Report(
                OutcomeOf(entry), entry.Line, entry.Column, done.Source, entry.Lane, entry.Setting, entry.ToString(), report, closure);
        }

        if (done.IsComplete)
        {
            return (int)fj_config_result.FJ_CONFIG_APPLIED;
        }

        ConfigurationEntry refused = done.Entries.First(entry => entry.Outcome == ConfigurationOutcome.Refused);
        Errors.Fail(fj_error.FJ_EBUSY, $"{done.Source}:{refused.Line}:{refused.Column}: {refused}");
        return (int)fj_config_result.FJ_CONFIG_PARTLY;
    }

    private static ConfigurationReport Apply(JobEngineConfiguration configuration)
    {
        lock (s_lock)
        {
            return s_applier.Apply(configuration, new ConfigurableLanes());
        }
    }

    private static void Remember(string path)
    {
        string full = Path.GetFullPath(path);
        lock (s_lock)
        {
            (s_file, s_fileName) = (full, path);
        }
    }

    private static int Fail(string text)
    {
        Errors.Fail(fj_error.FJ_EINVAL, text);
        return (int)fj_config_result.FJ_CONFIG_FAILED;
    }

    private static fj_config_outcome OutcomeOf(ConfigurationEntry entry) => entry.Outcome switch
    {
        ConfigurationOutcome.Added => fj_config_outcome.FJ_CONFIG_ADDED,
        ConfigurationOutcome.Changed => fj_config_outcome.FJ_CONFIG_CHANGED,
        ConfigurationOutcome.Unchanged => fj_config_outcome.FJ_CONFIG_UNCHANGED,
        ConfigurationOutcome.Refused => fj_config_outcome.FJ_CONFIG_REFUSED,
        _ => fj_config_outcome.FJ_CONFIG_KEPT,
    };

    private static void Report(
        fj_config_outcome outcome,
        int line,
        int column,
        string source,
        string? pool,
        string? setting,
        string text,
        delegate* unmanaged[Cdecl]<fj_config_entry*, void*, void> report,
        void* closure)
    {
        if (report == null)
        {
            return;
        }

        nint[] strings = [Utf8(source), Utf8(pool), Utf8(setting), Utf8(text)];
        try
        {
            var entry = new fj_config_entry
            {
                outcome = outcome,
                line = line,
                column = column,
                source = (sbyte*)strings[0],
                pool = (sbyte*)strings[1],
                setting = (sbyte*)strings[2],
                text = (sbyte*)strings[3],
            };
            report(&entry, closure);
        }
        finally
        {
            foreach (nint made in strings)
            {
                Marshal.FreeCoTaskMem(made);
            }
        }
    }

    private static nint Utf8(string? text) => Marshal.StringToCoTaskMemUTF8(text);

    private sealed class ConfigurableLanes : IConfigurableLanes
    {
        public string? NameIsReserved(string name) =>
            string.Equals(name, Pools.ShortLivedName, StringComparison.OrdinalIgnoreCase)
                ? "these jobs run in their submitter's thread"
                : null;

        public IConfigurableLane? Find(string name) =>
            CEngine.Current.Lanes.Find(name) is { } lane ? new ConfigurableLane(lane) : null;

        public IConfigurableLane? TryAdd(LaneConfiguration wanted)
        {
            bool added = CEngine.Current.Lanes.TryAdd(
                id => new WorkerSetSettings
                {
                    Name = wanted.Name,
                    LaneId = id,
                    Limit = wanted.Concurrency ?? 1,
                    StackSize = wanted.StackSize ?? 0,
                    IdleTimeoutMilliseconds = (int)(wanted.IdleTimeout ?? Timeout.InfiniteTimeSpan).TotalMilliseconds,
                },
                wanted.Backlog ?? 0,
                out CLane lane);
            if (added && wanted.Deferred == true)
            {
                lane.Workers.Deferred = true;
            }

            return added ? new ConfigurableLane(lane) : null;
        }
    }

    private sealed class ConfigurableLane(CLane lane) : IConfigurableLane
    {
        public string Name => lane.Name;

        public int Concurrency { get => lane.Limit; set => lane.Limit = value; }

        public long Backlog { get => lane.Backlog; set => lane.Backlog = value; }

        // As ec_thread_pool_set_backlog has it.
        public string? BacklogIsFixed => HasThreads ? "the pool has threads already" : null;

        public int StackSize { get => lane.Workers.Settings.StackSize; set => lane.Workers.Settings.StackSize = value; }

        public bool HasThreads => lane.Workers.HasSpunUp;

        public TimeSpan IdleTimeout
        {
            get => TimeSpan.FromMilliseconds(lane.Workers.Settings.IdleTimeoutMilliseconds);
            set => Pools.SetIdleTimeout(lane, (int)value.TotalMilliseconds);
        }

        public bool Deferred { get => lane.Workers.Deferred; set => lane.Workers.Deferred = value; }
    }
}
