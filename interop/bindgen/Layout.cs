namespace FastJobs.Bindgen;

/// <summary>One row of the layout table, by its path in C and in C#.</summary>
/// <param name="CPath">"r.e.event"</param>
/// <param name="CSharpPath">"r.e.@event", with the names that anonymous members have in C#.</param>
internal sealed record LayoutRow(string CPath, string CSharpPath, CField Field, int ByteOffset, string CSharpSize);

/// <summary>Walks a record down to its leaves, so that both languages print the same rows in the same order.</summary>
internal sealed class Layout(CSharpTypes types)
{
    public IEnumerable<LayoutRow> Rows(CRecord record) => Rows(record, "", "", 0);

    private IEnumerable<LayoutRow> Rows(CRecord record, string cPrefix, string csharpPrefix, int start)
    {
        foreach (CField field in record.Fields)
        {
            string csharp = csharpPrefix + CSharpTypes.Identifier(CSharpTypes.FieldName(record, field));
            int offset = start + (field.BitOffset / 8);
            CRecord? inner = (field.Type.Canonical as RecordType)?.Record;
            if (field.Name.Length > 0)
            {
                yield return new LayoutRow(cPrefix + field.Name, csharp, field, offset, Size(field.Type));
            }
            if (inner is not null)
            {
                string c = field.Name.Length > 0 ? $"{cPrefix}{field.Name}." : cPrefix;
                foreach (LayoutRow row in Rows(inner, c, csharp + ".", offset))
                {
                    yield return row;
                }
            }
        }
    }

    private string Size(CType type) => type.Canonical is ArrayType array
        ? $"{array.Length} * sizeof({types.Of(array.Element)})"
        : $"sizeof({types.Of(type)})";
}
