namespace FastJobs.Bindgen;

/// <summary>Writes the bindings, or with --check compares them with what is committed.</summary>
internal static class Program
{
    private const string Usage = """
        usage: dotnet run --project interop/bindgen -- [--check] [--root DIRECTORY]

          --check  write nothing; exit with 1 and a diff if the committed files are not what the headers say
          --root   the repository, if it is not the current directory or one above it
        """;

    private static int Main(string[] arguments)
    {
        bool check = false;
        string? root = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--check":
                    check = true;
                    break;
                case "--root" when i + 1 < arguments.Length:
                    root = arguments[++i];
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        try
        {
            root ??= FindRoot();
            SortedDictionary<string, string> files = Bindings.Generate(root);
            return check ? Committed.Compare(root, files) : Committed.Write(root, files);
        }
        catch (BindgenException e)
        {
            Console.Error.WriteLine($"bindgen: {e.Message}");
            return 2;
        }
    }

    private static string FindRoot()
    {
        for (string? at = Environment.CurrentDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Directory.Exists(Path.Combine(at, Bindings.Headers)))
            {
                return at;
            }
        }
        throw new BindgenException($"no {Bindings.Headers} here or above: run it in the repository, or say --root");
    }
}
