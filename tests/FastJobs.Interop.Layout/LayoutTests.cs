using System.Diagnostics;
using System.Reflection;
using FastJobs.Interop.Generated;
using Xunit;

namespace FastJobs.Interop.Layout;

/// <summary>
/// C prints how it lays out the structs of the headers, and C# must agree in every line: sizes, offsets, and where
/// the bits of a bit field are. The C program is compiled here, with the compiler that $CC names or cc.
/// </summary>
public class LayoutTests
{
    private static readonly string s_root = typeof(LayoutTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    [Fact]
    public void LayoutTable_ComparedWithC_IsTheSame()
    {
        string program = Compile("print_layout.c", "-o", "print_layout");
        string[] expected = Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(expected, LayoutTable.Entries.Select(e => e.ToString()));
    }

    [Fact]
    public void LayoutAsserts_CompiledByC_Hold() => Compile("layout_asserts.c", "-c", "-o", "layout_asserts.o");

    [Fact]
    public void Job_OnLp64_IsNinetySixBytes() =>
        Assert.Contains(new LayoutEntry("struct ec_thread_pool_job", "size", 96), LayoutTable.Entries);

    [Fact]
    public void BitFields_SetOneByOne_KeepTheirNeighbours()
    {
        ec_thread_pool_job job = default;
        job._spare_bits = 0x2AAAAAAA;
        job.skip_completion = 1;
        Assert.Equal((1u, 0u, 0x2AAAAAAAu), (job.skip_completion, job.skip_on_shutdown, job._spare_bits));

        job.skip_on_shutdown = 3; // one bit: the rest must not spill over
        job.skip_completion = 0;
        Assert.Equal((0u, 1u, 0x2AAAAAAAu), (job.skip_completion, job.skip_on_shutdown, job._spare_bits));
    }

    /// <summary>Compiles a generated file in a directory of its own; the last argument names the result.</summary>
    private static string Compile(string source, params string[] arguments)
    {
        string directory = Path.Combine(AppContext.BaseDirectory, "native");
        Directory.CreateDirectory(directory);
        string result = Path.Combine(directory, arguments[^1]);
        string compiler = Environment.GetEnvironmentVariable("CC") is { Length: > 0 } cc ? cc : "cc";
        Run(compiler, [
            "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror",
            "-I" + Path.Combine(s_root, "native/include/fastjobs"),
            Path.Combine(s_root, "tests/native/generated", source), .. arguments[..^1], result]);
        return result;
    }

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}:\n{errors.Result}");
        return output;
    }
}
