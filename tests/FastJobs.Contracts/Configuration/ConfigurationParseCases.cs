using FastJobs.Configuration;
using FastJobs.Contracts.Engine;

namespace FastJobs.Contracts.Configuration;

/// <summary>What a configuration's text means, and what its errors say.</summary>
internal sealed class ConfigurationParseCases() : EngineCases("ConfigurationContract")
{
    public override IEnumerable<ContractCase> List() =>
    [
        Case(Parse_EverySetting_IsRead),
        Case(Parse_AnyCaseOfKeys_IsTheSame),
        Case(Parse_EmptyAndComments_HasNoLanes),
        Case(Parse_OneLine_IsRead),
        Case(Parse_Escapes_StandForCharacters),
        Case(Parse_Shrinking_IsAnIdleTimeout),
        Case(Parse_Truths_AreRead),
        Case(Errors_EachKind_SaysWhereAndWhat),
        Case(Errors_Many_AreAllListed),
        Case(Errors_TooMany_EndAtTheLimit),
        Case(Errors_LineEndsOfAllSystems_Count),
        Case(Errors_CharactersAndNotUnits_Count),
        Case(Load_File_NamesIt),
        Case(Load_NotUtf8_SaysWhere),
        Case(Load_Missing_Throws),
        Case(FromEnvironment_Variables_AreRead),
    ];

    private static void Parse_EverySetting_IsRead()
    {
        JobEngineConfiguration read = JobEngineConfiguration.Parse(
            """
            # two pools
            ThreadPool "SwapOut" {
              Concurrency  = 5
              Stack_Size   = 262144  # bytes
              Backlog      = 100
              Idle_Timeout = 2500
              Defer_Spawn  = true
            }

            ThreadPool "Other pool" { }
            """,
            "a name");
        Check.Equal("a name", read.Source);
        Check.Sequence(
            [
                new LaneConfiguration
                {
                    Name = "SwapOut",
                    Concurrency = 5,
                    StackSize = 262144,
                    Backlog = 100,
                    IdleTimeout = TimeSpan.FromMilliseconds(2500),
                    Deferred = true,
                    Line = 2,
                    Column = 1,
                },
                new LaneConfiguration { Name = "Other pool", Line = 10, Column = 1 },
            ],
            read.Lanes);
    }

    private static void Parse_AnyCaseOfKeys_IsTheSame()
    {
        LaneConfiguration lane = Only("THREADPOOL \"x\" { cOnCuRrEnCy = 1; STACK_SIZE = 0; backlog = 2 }");
        Check.Equal(new LaneConfiguration { Name = "x", Concurrency = 1, StackSize = 0, Backlog = 2, Line = 1, Column = 1 }, lane);
    }

    private static void Parse_EmptyAndComments_HasNoLanes()
    {
        Check.Equal(0, JobEngineConfiguration.Parse("").Lanes.Count);
        Check.Equal(0, JobEngineConfiguration.Parse(" \t\r\n# ThreadPool \"x\" {").Lanes.Count);
        Check.Equal("(string)", JobEngineConfiguration.Parse("").Source);
    }

    private static void Parse_OneLine_IsRead()
    {
        LaneConfiguration lane = Only("  ThreadPool\"x\"{Concurrency=\"7\"Backlog=8;;}#end");
        Check.Equal((7, 8), (lane.Concurrency, lane.Backlog));
        Check.Equal((1, 3), (lane.Line, lane.Column));
    }

    private static void Parse_Escapes_StandForCharacters()
    {
        Check.Equal("a\"b\\c", Only("""ThreadPool "a\"b\\c" {}""").Name);
        Check.Equal("grüße €", Only("""ThreadPool "gr\u00fc\u00DFe \u20ac" {}""").Name);
        Check.Equal("\U0001F600", Only("""ThreadPool "\ud83d\ude00" {}""").Name);
        Check.Equal("x # { } = ;", Only("""ThreadPool "x # { } = ;" {}""").Name);
    }

    private static void Parse_Shrinking_IsAnIdleTimeout()
    {
        Check.Equal(TimeSpan.Zero, Only("ThreadPool \"x\" { Auto_Shrink = true }").IdleTimeout);
        Check.Equal(Timeout.InfiniteTimeSpan, Only("ThreadPool \"x\" { Auto_Shrink = false }").IdleTimeout);
        Check.Equal(Timeout.InfiniteTimeSpan, Only("ThreadPool \"x\" { Idle_Timeout = 0 }").IdleTimeout);
        Check.Equal(
            TimeSpan.FromMilliseconds(5), Only("ThreadPool \"x\" { Auto_Shrink = false Idle_Timeout = 5 }").IdleTimeout);
        Check.True(Only("ThreadPool \"x\" {}").IdleTimeout is null);
    }

    private static void Parse_Truths_AreRead()
    {
        foreach ((string text, bool value) in new[]
        {
            ("true", true), ("Yes", true), ("ON", true), ("1", true),
            ("false", false), ("no", false), ("off", false), ("0", false),
        })
        {
            Check.Equal(value, Only($"ThreadPool \"x\" {{ Defer_Spawn = {text} }}").Deferred);
        }
    }

    private static void Errors_EachKind_SaysWhereAndWhat()
    {
        const string Open = "ThreadPool \"x\" {\n  ";
        Fails("Pool \"x\" {}", 1, 1, "expected ThreadPool \"name\" {, found \"Pool\"");
        Fails("ThreadPool {}", 1, 12, "expected the pool's name in quotes, found \"{\"");
        Fails("ThreadPool x {}", 1, 12, "expected the pool's name in quotes, found \"x\"");
        Fails("ThreadPool \"\" {}", 1, 12, "expected a name of at least one character and without control characters, found \"\"");
        Fails(
            "ThreadPool \"a\\n\" {}",
            1,
            12,
            "expected a name of at least one character and without control characters, found \"a\\u000a\"");
        Fails("ThreadPool \"\\ud800\" {}", 1, 12, "expected a name of whole characters, found \"\uFFFD\"");
        Fails("ThreadPool \"x {\n}", 1, 12, "expected the string that starts here to end with '\"' on its line");
        Fails("ThreadPool \"a\\q\" {}", 1, 14, "expected one of the escapes \\\" \\\\ \\n \\r \\t \\uXXXX");
        Fails("ThreadPool \"\\u12\" {}", 1, 13, "expected one of the escapes \\\" \\\\ \\n \\r \\t \\uXXXX");
        Fails("ThreadPool \"x\" Backlog = 1 }", 1, 16, "expected \"{\" after the name of the ThreadPool, found \"Backlog\"");
        Fails("ThreadPool \"x\" }", 1, 16, "expected \"{\" after the name of the ThreadPool, found \"}\"");
        Fails("ThreadPool \"x\"", 1, 15, "expected \"{\" after the name of the ThreadPool, found the end of the text");
        Fails(Open, 2, 3, "expected \"}\" for the ThreadPool of line 1, found the end of the text");
        Fails(Open + "Backlog = 1\nThreadPool \"y\" {}", 3, 1, "expected \"}\" for the ThreadPool of line 1, found \"ThreadPool\"");
        Fails("ThreadPool \"x\" {} }", 1, 19, "expected ThreadPool \"name\" {, found \"}\"");
        Fails("ThreadPool \"x\" {}\nThreadPool \"X\" {}", 2, 12, "expected one ThreadPool for each pool (this one has a stanza in line 1), found \"X\"");
        Fails(
            Open + "Size = 1 }",
            2,
            3,
            "expected one of Concurrency, Stack_Size, Backlog, Auto_Shrink, Idle_Timeout, Defer_Spawn, found \"Size\"");
        Fails(Open + "Backlog = 1\nbacklog = 2 }", 3, 1, "expected Backlog once in a ThreadPool (it stands in line 2 already), found \"backlog\"");
        Fails(Open + "Backlog 1 }", 2, 11, "expected \"=\" after Backlog, found \"1\"");
        Fails(Open + "Backlog =\n}", 2, 11, "expected a value for Backlog on the line of its \"=\"");
        Fails(Open + "= 5 }", 2, 3, "expected a setting or \"}\", found \"=\"");
        Fails(Open + "Backlog = -1 }", 2, 13, "expected a plain whole number for Backlog, from 0 to 2147483647, found \"-1\"");
        Fails(Open + "Backlog = 99999999999 }", 2, 13, "expected a plain whole number for Backlog, from 0 to 2147483647, found \"99999999999\"");
        Fails(Open + "Concurrency = 1k }", 2, 17, "expected a plain whole number for Concurrency, from 0 to 2147483647, found \"1k\"");
        Fails(Open + "Stack_Size = 16383 }", 2, 16, "expected a plain whole number for Stack_Size, 0, or from 16384 to 2147483647, found \"16383\"");
        Fails(Open + "Idle_Timeout = \"\" }", 2, 18, "expected a plain whole number for Idle_Timeout, from 0 to 2147483647, found \"\"");
        Fails(Open + "Defer_Spawn = perhaps }", 2, 17, "expected true or false for Defer_Spawn, found \"perhaps\"");
        Fails(Open + "Auto_Shrink = yep }", 2, 17, "expected true or false for Auto_Shrink, found \"yep\"");
        Fails(
            Open + "Auto_Shrink = on\nIdle_Timeout = 5 }",
            3,
            16,
            "expected Auto_Shrink (idle threads end at once) or Idle_Timeout, not both, found \"5\"");
    }

    private static void Errors_Many_AreAllListed()
    {
        IReadOnlyList<ConfigurationError> errors = ErrorsOf(
            """
            ThreadPool "a" {
              Concurrency = many
              Nonsense = 5
              Backlog 7
              Stack_Size =
            }
            Bogus { Concurrency = 1 }
            ThreadPool "b" {
              Backlog = 1x; Concurrency = 2y
            }
            """);
        Check.Sequence([(2, 17), (3, 3), (4, 11), (5, 14), (7, 1), (9, 13), (9, 31)], errors.Select(e => (e.Line, e.Column)));
        Check.Equal("(string):7:1: " + errors[4].Message, errors[4].ToString());
        ConfigurationException thrown = Check.Throws<ConfigurationException>(
            () => JobEngineConfiguration.Parse("ThreadPool \"x\" { a = 1\n b = 2 }", "file"));
        Check.Equal(2, thrown.Errors.Count);
        Check.True(thrown.Message.Contains("file:1:18: ") && thrown.Message.Contains("file:2:2: "));
    }

    private static void Errors_TooMany_EndAtTheLimit()
    {
        string text = string.Concat(Enumerable.Repeat("ThreadPool \"x\" { Backlog = no }\n", 5000));
        Check.Equal(100, ErrorsOf(text).Count);
    }

    private static void Errors_LineEndsOfAllSystems_Count() => Fails("\n\r\n\r\n\r  x", 5, 3, "expected ThreadPool \"name\" {, found \"x\"");

    private static void Errors_CharactersAndNotUnits_Count() =>
        Fails("ThreadPool \"\U0001F600é\" x", 1, 17, "expected \"{\" after the name of the ThreadPool, found \"x\"", first: true);

    private static async Task Load_File_NamesIt()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "\uFEFFThreadPool \"é\" { Backlog = 3 }");
            JobEngineConfiguration read = JobEngineConfiguration.Load(path);
            Check.Equal(path, read.Source);
            Check.Equal(("é", 3), (read.Lanes[0].Name, read.Lanes[0].Backlog));
            await File.WriteAllTextAsync(path, "ThreadPool \"x\" {\n");
            ConfigurationException thrown = Check.Throws<ConfigurationException>(() => JobEngineConfiguration.Load(path));
            Check.Equal((path, 2, 1), (thrown.Errors[0].Source, thrown.Errors[0].Line, thrown.Errors[0].Column));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task Load_NotUtf8_SaysWhere()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, [.. "# é\n  "u8, 0xff, (byte)'x']);
            ConfigurationException thrown = Check.Throws<ConfigurationException>(() => JobEngineConfiguration.Load(path));
            Check.Equal(new ConfigurationError(path, 2, 3, "expected UTF-8, found the byte 0xff"), thrown.Errors[0]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Load_Missing_Throws()
    {
        Check.Throws<IOException>(() => JobEngineConfiguration.Load(Path.Combine(Path.GetTempPath(), "no such file.conf")));
        Check.Throws<ArgumentException>(() => JobEngineConfiguration.Load(""));
        Check.Throws<ArgumentNullException>(() => JobEngineConfiguration.Parse(null!));
    }

    private static void FromEnvironment_Variables_AreRead()
    {
        string path = Path.GetTempFileName();
        try
        {
            Check.True(JobEngineConfiguration.FromEnvironment() is null);
            Environment.SetEnvironmentVariable(JobEngineConfiguration.TextVariable, "ThreadPool \"x\" { Backlog = 4 }");
            JobEngineConfiguration? read = JobEngineConfiguration.FromEnvironment();
            Check.Equal("FASTJOBS_CONFIG_TEXT", read!.Source);
            Check.Equal(4, read.Lanes[0].Backlog);
            Environment.SetEnvironmentVariable(JobEngineConfiguration.FileVariable, path);
            Check.Throws<ConfigurationException>(() => JobEngineConfiguration.FromEnvironment());
            Environment.SetEnvironmentVariable(JobEngineConfiguration.TextVariable, null);
            Check.Equal(path, JobEngineConfiguration.FromEnvironment()!.Source);
        }
        finally
        {
            Environment.SetEnvironmentVariable(JobEngineConfiguration.TextVariable, null);
            Environment.SetEnvironmentVariable(JobEngineConfiguration.FileVariable, null);
            File.Delete(path);
        }
    }

    private static LaneConfiguration Only(string text)
    {
        JobEngineConfiguration read = JobEngineConfiguration.Parse(text);
        Check.Equal(1, read.Lanes.Count);
        return read.Lanes[0];
    }

    private static IReadOnlyList<ConfigurationError> ErrorsOf(string text)
    {
        Check.False(JobEngineConfiguration.TryParse(text, null, out JobEngineConfiguration? read, out IReadOnlyList<ConfigurationError> errors));
        Check.True(read is null);
        return errors;
    }

    // One error only, unless others follow from it.
    private static void Fails(string text, int line, int column, string message, bool first = false)
    {
        IReadOnlyList<ConfigurationError> errors = ErrorsOf(text);
        Check.Equal(new ConfigurationError("(string)", line, column, message), errors[0]);
        Check.True(first || errors.Count == 1, $"one error in {text}: {string.Join(" | ", errors)}");
    }
}
