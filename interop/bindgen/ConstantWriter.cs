namespace FastJobs.Bindgen;

/// <summary>Writes the constants of macros and anonymous enums, and the attribute the bindings use.</summary>
internal static class ConstantWriter
{
    public static void Write(
        CodeWriter output, string className, IReadOnlyList<(string Name, string Text)> macros, CastXmlReader reader)
    {
        output.Open($"internal static class {className}");
        bool first = true;
        foreach ((string name, string text) in macros)
        {
            if (!first)
            {
                output.Line();
            }
            first = false;
            output.Line($"[NativeTypeName(\"#define {name} {text}\")]");
            output.Line(Constant(name, reader.ProbedValue(Macros.ValueName(name))));
        }
        foreach ((string name, long value) in reader.Enums().Where(e => e.Name.Length == 0).SelectMany(e => e.Values))
        {
            output.Line();
            output.Line(Constant(name, value));
        }
        output.Close();
    }

    public static void WriteAttribute(CodeWriter output, string className)
    {
        output.Line("/// <summary>How C spells the type of the member, where C# says it otherwise.</summary>");
        output.Line("[AttributeUsage(AttributeTargets.All, AllowMultiple = false, Inherited = true)]");
        output.Line("[System.Diagnostics.Conditional(\"DEBUG\")]");
        output.Open($"internal sealed class {className}(string name) : Attribute");
        output.Line("public string Name { get; } = name;");
        output.Close();
    }

    private static string Constant(string name, long value)
    {
        string type = value switch
        {
            >= int.MinValue and <= int.MaxValue => "int",
            > 0 and <= uint.MaxValue => "uint",
            _ => "long",
        };
        return $"public const {type} {name} = {value};";
    }
}
