namespace FastJobs.Bindgen;

/// <summary>Writes the class that says how C# lays the structs out: pointer arithmetic, no reflection.</summary>
internal sealed class CSharpLayoutWriter(CSharpTypes types, CodeWriter output)
{
    public void Write(IReadOnlyList<CRecord> records)
    {
        Comment("One line of the table: a struct's size, a member's offset and size, or a bit field's place.");
        output.Line("/// <param name=\"Member\">\"struct\" or \"struct.member\"</param>");
        output.Open("internal readonly record struct LayoutEntry(string Member, string What, long Value)");
        output.Line("public override string ToString() => $\"{Member} {What} {Value}\";");
        output.Close();
        output.Line();
        Comment("The layout of every struct as C# has it; print_layout.c prints the same lines as C has it.");
        output.Open("internal static unsafe class LayoutTable");
        output.Line("public static IReadOnlyList<LayoutEntry> Entries { get; } = Create();");
        output.Line();
        output.Open("private static List<LayoutEntry> Create()");
        output.Line("List<LayoutEntry> entries = [];");
        foreach (CRecord record in records)
        {
            output.Line($"Add_{record.Name}(entries);");
        }
        output.Line("return entries;");
        output.Close();
        foreach (CRecord record in records)
        {
            output.Line();
            WriteRecord(record);
        }
        output.Line();
        WriteHelpers();
        output.Close();
    }

    private void Comment(string text) => output.Line($"/// <summary>{text}</summary>");

    private void WriteRecord(CRecord record)
    {
        string name = CSharpTypes.FullName(record);
        output.Open($"private static void Add_{name}(List<LayoutEntry> entries)");
        output.Line($"{name} s = default;");
        output.Line("byte* start = (byte*)&s;");
        output.Line($"entries.Add(new LayoutEntry(\"{record.CName}\", \"size\", sizeof({name})));");
        foreach (LayoutRow row in new Layout(types).Rows(record))
        {
            string label = $"\"{record.CName}.{row.CPath}\"";
            if (row.Field.BitWidth > 0)
            {
                string type = types.Of(row.Field.Type);
                output.Line($"s.{row.CSharpPath} = {(type is "int" or "long" ? "-1" : type + ".MaxValue")};");
                output.Line($"AddBits(entries, {label}, start, sizeof({name}), (long)s.{row.CSharpPath});");
                output.Line("s = default;");
            }
            else
            {
                string amp = row.Field.Type.Canonical is ArrayType ? "" : "&";
                string address = $"(byte*){amp}s.{row.CSharpPath}";
                output.Line($"entries.Add(new LayoutEntry({label}, \"offset\", {address} - start));");
                output.Line($"entries.Add(new LayoutEntry({label}, \"size\", {row.CSharpSize}));");
            }
        }
        output.Close();
    }

    private void WriteHelpers()
    {
        Comment("Of a bit field set to all ones in a cleared struct: first bit, number of bits, value read back.");
        output.Line("private static void AddBits(");
        output.Line("    List<LayoutEntry> entries, string member, byte* start, int size, long value)");
        output.Open();
        output.Line("int first = -1;");
        output.Line("int count = 0;");
        output.Open("for (int bit = 0; bit < 8 * size; bit++)");
        output.Open("if ((start[bit / 8] & (1 << (bit % 8))) != 0)");
        output.Line("first = first < 0 ? bit : first;");
        output.Line("count++;");
        output.Close();
        output.Close();
        output.Line("entries.Add(new LayoutEntry(member, \"first_bit\", first));");
        output.Line("entries.Add(new LayoutEntry(member, \"bits\", count));");
        output.Line("entries.Add(new LayoutEntry(member, \"all_ones\", value));");
        output.Close();
    }
}
