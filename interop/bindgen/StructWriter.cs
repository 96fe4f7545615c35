namespace FastJobs.Bindgen;

/// <summary>Writes a record as an unsafe partial struct with sequential layout, a union with explicit layout.</summary>
internal sealed class StructWriter(CSharpTypes types, CodeWriter output)
{
    public void Write(CRecord record)
    {
        bool first = true;
        if (record.IsUnion)
        {
            output.Line("[StructLayout(LayoutKind.Explicit)]");
        }
        string modifiers = record.Parent is null ? "internal" : "public";
        output.Open($"{modifiers} {(IsUnsafe(record) ? "unsafe " : "")}partial struct {CSharpTypes.LocalName(record)}");
        int unit = -1;
        int end = 0;
        foreach (CField field in record.Fields)
        {
            if (!first)
            {
                output.Line();
            }
            first = false;
            if (field.BitWidth > 0)
            {
                WriteBitField(record, field, ref unit, end);
                end = unit + (8 * Size(field.Type));
            }
            else
            {
                WriteField(record, field);
                end = field.BitOffset + (8 * Size(field.Type));
                unit = -1;
            }
        }
        foreach (CRecord nested in record.NestedRecords)
        {
            output.Line();
            Write(nested);
        }
        foreach (CEnum nested in record.NestedEnums.Where(e => e.Name.Length > 0))
        {
            output.Line();
            Write(nested, "public");
        }
        output.Close();
    }

    public void Write(CEnum e, string modifiers)
    {
        string underlying = types.Of(e.Underlying);
        output.Line($"[NativeTypeName(\"{CSpelling.Of(e.Underlying)}\")]");
        output.Open($"{modifiers} enum {e.Name}" + (underlying == "int" ? "" : " : " + underlying));
        foreach ((string name, long value) in e.Values)
        {
            output.Line($"{CSharpTypes.Identifier(name)} = {value},");
        }
        output.Close();
    }

    private void WriteField(CRecord record, CField field)
    {
        if (record.IsUnion)
        {
            output.Line($"[FieldOffset({field.BitOffset / 8})]");
        }
        string name = CSharpTypes.Identifier(CSharpTypes.FieldName(record, field));
        bool anonymousType = field.Type.Canonical is RecordType { Record.Name.Length: 0 };
        if (field.Type.Canonical is ArrayType array)
        {
            output.Line($"[NativeTypeName(\"{CSpelling.Of(field.Type)}\")]");
            if (array.Element.Canonical is not FundamentalType || types.Of(array.Element) is "nint" or "nuint")
            {
                throw new BindgenException(
                    $"{record.Name}.{field.Name}: C# has no fixed buffer of {CSpelling.Of(array.Element)}");
            }
            output.Line($"public fixed {types.Of(array.Element)} {name}[{array.Length}];");
            return;
        }
        if (!anonymousType && types.Attribute(field.Type) is string attribute)
        {
            output.Line(attribute);
        }
        string type = anonymousType
            ? CSharpTypes.LocalName(((RecordType)field.Type.Canonical).Record)
            : TypeInside(record, field.Type);
        output.Line($"public {type} {name};");
    }

    /// <summary>Bit fields of one storage unit share a backing field; each is a masked property of it.</summary>
    private void WriteBitField(CRecord record, CField field, ref int unit, int end)
    {
        int unitBits = 8 * Size(field.Type);
        int fieldUnit = field.BitOffset / unitBits * unitBits;
        bool starts = fieldUnit != unit;
        string type = types.Of(field.Type);
        // The layout rule above holds only for fields of one type that start a unit of their own.
        if (record.IsUnion || (starts && fieldUnit < end) || type is not ("int" or "uint" or "long" or "ulong"))
        {
            throw new BindgenException(
                $"{record.Name}.{field.Name}: this mix of bit fields is not supported by the generator");
        }
        string backing = BackingField(record, field, unitBits);
        if (starts)
        {
            output.Line($"public {type} {backing};");
            output.Line();
            unit = fieldUnit;
        }
        int shift = field.BitOffset - unit;
        bool signed = type is "int" or "long";
        string suffix = type switch { "uint" => "u", "long" => "L", "ulong" => "UL", _ => "" };
        string mask = $"0x{(field.BitWidth == 64 ? ulong.MaxValue : (1UL << field.BitWidth) - 1):X}{suffix}";
        string low = shift == 0 ? backing : $"({backing} >> {shift})";
        string get = signed
            ? $"({backing} << {unitBits - shift - field.BitWidth}) >> {unitBits - field.BitWidth}"
            : $"{low} & {mask}";
        string hole = shift == 0 ? mask : $"({mask} << {shift})";
        string bits = shift == 0 ? $"(value & {mask})" : $"((value & {mask}) << {shift})";
        output.Line($"[NativeTypeName(\"{CSpelling.Of(field.Type)} : {field.BitWidth}\")]");
        output.Open($"public {type} {CSharpTypes.Identifier(field.Name)}");
        output.Open("readonly get");
        output.Line($"return {get};");
        output.Close();
        output.Line();
        output.Open("set");
        output.Line($"{backing} = ({backing} & ~{hole}) | {bits};");
        output.Close();
        output.Close();
    }

    private static string BackingField(CRecord record, CField field, int unitBits)
    {
        List<int> units = [.. record.Fields.Where(f => f.BitWidth > 0).Select(f => f.BitOffset / unitBits).Distinct()];
        return units.Count == 1 ? "_bitfield" : $"_bitfield{units.IndexOf(field.BitOffset / unitBits) + 1}";
    }

    /// <summary>The type as it is written inside the record: what the record declares needs no prefix there.</summary>
    private string TypeInside(CRecord? record, CType type)
    {
        string name = types.Of(type);
        for (; record is not null; record = record.Parent)
        {
            name = name.Replace(CSharpTypes.FullName(record) + ".", "", StringComparison.Ordinal);
        }
        return name;
    }

    private bool IsUnsafe(CRecord record) =>
        record.Fields.Any(f => f.Type.Canonical is PointerType or ArrayType) || record.NestedRecords.Any(IsUnsafe);

    internal static int Size(CType type) => type.Canonical switch
    {
        FundamentalType f => f.Size,
        PointerType => 8,
        ArrayType a => a.Length * Size(a.Element),
        RecordType r => r.Record.Size,
        EnumType e => Size(e.Enum.Underlying),
        _ => throw new BindgenException($"{CSpelling.Of(type)} has no size"),
    };
}
