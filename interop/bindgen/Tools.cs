using System.ComponentModel;
using System.Diagnostics;

namespace FastJobs.Bindgen;

/// <summary>Runs the two external programs: castxml for declarations, the C compiler for macros.</summary>
internal static class Tools
{
    /// <summary>Runs castxml over C++ source text and returns its XML.</summary>
    /// <remarks>
    /// The headers are read as C++, because castxml describes a struct that is defined inside another one only
    /// there (in C it leaves its members out). The layout is the same; the layout tests compare it with C.
    /// </remarks>
    public static string CastXml(string includeDirectory, string source)
    {
        string directory = Directory.CreateTempSubdirectory("fastjobs-bindgen-").FullName;
        try
        {
            string input = Path.Combine(directory, "headers.cpp");
            string output = Path.Combine(directory, "headers.xml");
            File.WriteAllText(input, source);
            string[] language = ["--castxml-output=1", "-x", "c++", "-std=gnu++17"];
            Run("castxml", "castxml", null, [.. language, "-I" + includeDirectory, "-o", output, input]);
            return File.ReadAllText(output);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Preprocesses C source text, keeping line markers and #define lines.</summary>
    public static string Macros(string includeDirectory, string source)
    {
        string compiler = Environment.GetEnvironmentVariable("CC") is { Length: > 0 } cc ? cc : "gcc";
        return Run(compiler, "gcc", source, "-x", "c", "-E", "-dD", "-I" + includeDirectory, "-");
    }

    private static string Run(string program, string package, string? input, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new BindgenException($"{program} did not start");
        }
        catch (Win32Exception)
        {
            throw new BindgenException($"{program} was not found: apt-get install {package}");
        }
        using (process)
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            if (input is not null)
            {
                process.StandardInput.Write(input);
            }
            process.StandardInput.Close();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output.Result
                : throw new BindgenException($"{program} {string.Join(' ', arguments)} failed:\n{errors.Result}");
        }
    }
}
