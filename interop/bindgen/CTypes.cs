namespace FastJobs.Bindgen;

/// <summary>A C type as castxml describes it. Typedefs are kept, since the bindings quote the spelling.</summary>
internal abstract record CType
{
    /// <summary>The type behind typedefs and const.</summary>
    public CType Canonical => this switch
    {
        TypedefType t => t.Target.Canonical,
        QualifiedType q => q.Target.Canonical,
        _ => this,
    };
}

internal sealed record FundamentalType(string Name, int Size) : CType;

internal sealed record PointerType(Lazy<CType> Target) : CType;

internal sealed record ArrayType(CType Element, int Length) : CType;

internal sealed record QualifiedType(CType Target, string Qualifier) : CType;

internal sealed record TypedefType(string Name, Lazy<CType> LazyTarget) : CType
{
    public CType Target => LazyTarget.Value;
}

internal sealed record RecordType(CRecord Record) : CType;

internal sealed record EnumType(CEnum Enum) : CType;

internal sealed record FunctionType(CType Returns, IReadOnlyList<CType> Arguments, bool Variadic) : CType;

/// <summary>Where a declaration stands; orders the output, so that it does not depend on castxml's ids.</summary>
internal sealed record Position(string File, int Line, bool Own) : IComparable<Position>
{
    public int CompareTo(Position? other)
    {
        if (other is null)
        {
            return 1;
        }
        int byFile = string.CompareOrdinal(File, other.File);
        return byFile != 0 ? byFile : Line.CompareTo(other.Line);
    }
}

/// <summary>A struct or union. Filled in two steps, because records refer to themselves.</summary>
internal sealed class CRecord
{
    public required string Name { get; init; }

    public required bool IsUnion { get; init; }

    public required bool IsIncomplete { get; init; }

    /// <summary>A typedef has the same name, so that C may leave out the keyword (and must, without a tag).</summary>
    public required bool HasTypedef { get; init; }

    public required int Size { get; init; }

    public required Position Position { get; init; }

    public CRecord? Parent { get; set; }

    public List<CField> Fields { get; } = [];

    public List<CRecord> NestedRecords { get; } = [];

    public List<CEnum> NestedEnums { get; } = [];

    public string CName => HasTypedef ? Name : (IsUnion ? "union " : "struct ") + Name;
}

/// <param name="Name">Empty for an anonymous union or struct.</param>
/// <param name="BitWidth">0 for what is no bit field.</param>
internal sealed record CField(string Name, CType Type, int BitOffset, int BitWidth);

internal sealed class CEnum
{
    public required string Name { get; init; }

    public required bool HasTypedef { get; init; }

    public required CType Underlying { get; init; }

    public required Position Position { get; init; }

    public required IReadOnlyList<(string Name, long Value)> Values { get; init; }

    public string CName => HasTypedef ? Name : "enum " + Name;
}

internal sealed record CFunction(
    string Name, CType Returns, IReadOnlyList<(string Name, CType Type)> Arguments, bool Variadic, Position Position);

/// <summary>Spells a type the way the C headers of this project do.</summary>
internal static class CSpelling
{
    public static string Of(CType type, string declarator = "")
    {
        switch (type)
        {
            case FundamentalType f:
                return Join(FundamentalName(f.Name), declarator);
            case TypedefType t:
                return Join(t.Name, declarator);
            case RecordType r:
                return Join(r.Record.CName, declarator);
            case EnumType e:
                return Join(e.Enum.CName, declarator);
            case QualifiedType { Target: PointerType } q:
                return Of(q.Target, Join(q.Qualifier, declarator));
            case QualifiedType q:
                return q.Qualifier + " " + Of(q.Target, declarator);
            case PointerType p:
                bool binds = p.Target.Value is FunctionType or ArrayType;
                return Of(p.Target.Value, binds ? $"(*{declarator})" : "*" + declarator);
            case ArrayType a:
                return Of(a.Element, $"{declarator}[{a.Length}]");
            case FunctionType f:
                return Of(f.Returns, declarator + Arguments(f.Arguments.Select(a => Of(a)), f.Variadic));
            default:
                throw new BindgenException($"no C spelling for {type}");
        }
    }

    public static string Of(CFunction f) =>
        Of(f.Returns, f.Name + Arguments(f.Arguments.Select(a => Of(a.Type, a.Name)), f.Variadic));

    private static string Arguments(IEnumerable<string> arguments, bool variadic)
    {
        List<string> all = [.. arguments];
        if (variadic)
        {
            all.Add("...");
        }
        return all.Count == 0 ? "(void)" : $"({string.Join(", ", all)})";
    }

    private static string Join(string name, string declarator) =>
        declarator.Length == 0 ? name : $"{name} {declarator}";

    // castxml says "long unsigned int" where everybody writes "unsigned long".
    private static string FundamentalName(string name) => name switch
    {
        "short int" => "short",
        "short unsigned int" => "unsigned short",
        "long int" => "long",
        "long unsigned int" => "unsigned long",
        "long long int" => "long long",
        "long long unsigned int" => "unsigned long long",
        _ => name,
    };
}
