using System.Collections.Frozen;

namespace FastJobs.Bindgen;

/// <summary>Spells C types in C#, as ClangSharp does for Unix: long is nint, char is sbyte.</summary>
/// <param name="generated">The records that have a C# struct; a pointer to any other record is a void*.</param>
internal sealed class CSharpTypes(IReadOnlySet<CRecord> generated)
{
    private static readonly FrozenSet<string> s_keywords = new[]
    {
        "abstract", "as", "base", "bool", "byte", "catch", "checked", "class", "decimal", "delegate", "event",
        "explicit", "false", "finally", "fixed", "foreach", "implicit", "in", "interface", "internal", "is", "lock",
        "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected", "public",
        "readonly", "ref", "sbyte", "sealed", "stackalloc", "string", "this", "throw", "true", "try", "typeof", "uint",
        "ulong", "unchecked", "unsafe", "ushort", "using", "virtual",
    }.ToFrozenSet();

    public static string Identifier(string name) => s_keywords.Contains(name) ? "@" + name : name;

    /// <summary>The name of a record from outside, "outer.inner".</summary>
    public static string FullName(CRecord record) =>
        record.Parent is null ? record.Name : FullName(record.Parent) + "." + LocalName(record);

    /// <summary>The name of a record where it is declared; ClangSharp's invented one if it has none.</summary>
    public static string LocalName(CRecord record)
    {
        if (record.Name.Length > 0 || record.Parent is null)
        {
            return record.Name;
        }
        CField field = FieldOf(record);
        return $"_{FieldName(record.Parent, field)}_e__{(record.IsUnion ? "Union" : "Struct")}";
    }

    /// <summary>The C# name of a field, without an escape. Anonymous members are Anonymous, Anonymous2 ...</summary>
    public static string FieldName(CRecord record, CField field)
    {
        if (field.Name.Length > 0)
        {
            return field.Name;
        }
        int number = record.Fields.Where(f => f.Name.Length == 0).ToList().IndexOf(field) + 1;
        return number == 1 ? "Anonymous" : $"Anonymous{number}";
    }

    public string Of(CType type)
    {
        switch (type.Canonical)
        {
            case FundamentalType f:
                return Fundamental(f.Name);
            case EnumType e:
                return e.Enum.Name.Length == 0 ? Of(e.Enum.Underlying) : EnumName(e.Enum);
            case RecordType r:
                return FullName(r.Record);
            case PointerType { Target.Value.Canonical: FunctionType { Variadic: true } }:
                return "void*"; // C# has no function pointer with "..."
            case PointerType { Target.Value.Canonical: FunctionType f }:
                IEnumerable<string> signature = f.Arguments.Append(f.Returns).Select(Of);
                return $"delegate* unmanaged[Cdecl]<{string.Join(", ", signature)}>";
            case PointerType { Target.Value.Canonical: RecordType r } when !generated.Contains(r.Record):
                return "void*";
            case PointerType p:
                return Of(p.Target.Value) + "*";
            default:
                throw new BindgenException($"no C# type for {CSpelling.Of(type)}");
        }
    }

    /// <summary>The attribute for a type whose C spelling is not also its C# spelling, or null.</summary>
    public string? Attribute(CType type)
    {
        string spelling = CSpelling.Of(type);
        // Pointer stars stand elsewhere in C#: "void *" is not worth an attribute.
        return spelling.Replace(" ", "", StringComparison.Ordinal) == Of(type)
            ? null
            : $"[NativeTypeName(\"{spelling}\")]";
    }

    private readonly Dictionary<CEnum, string> _enumNames = [];

    public void Declare(CRecord parent, CEnum nested) => _enumNames[nested] = FullName(parent) + "." + nested.Name;

    private string EnumName(CEnum e) => _enumNames.GetValueOrDefault(e, e.Name);

    private static CField FieldOf(CRecord record) =>
        record.Parent!.Fields.First(f => f.Type.Canonical is RecordType r && r.Record == record);

    private static string Fundamental(string name) => name switch
    {
        "void" => "void",
        "char" or "signed char" => "sbyte",
        "unsigned char" => "byte",
        "bool" => "bool",
        "short int" => "short",
        "short unsigned int" => "ushort",
        "int" => "int",
        "unsigned int" => "uint",
        "long int" => "nint",
        "long unsigned int" => "nuint",
        "long long int" => "long",
        "long long unsigned int" => "ulong",
        "float" => "float",
        "double" => "double",
        _ => throw new BindgenException($"no C# type for {name}: add it to CSharpTypes.Fundamental"),
    };
}
