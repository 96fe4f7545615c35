using System.Globalization;
using System.Xml.Linq;

namespace FastJobs.Bindgen;

/// <summary>What the headers declare: the part of castxml's graph that stands in our own files.</summary>
internal sealed class CastXmlReader
{
    private readonly string _includeDirectory;
    private readonly Dictionary<string, XElement> _elements = [];
    private readonly Dictionary<string, CType> _types = [];
    private readonly Dictionary<string, CRecord> _records = [];
    private readonly Dictionary<string, CEnum> _enums = [];
    private readonly HashSet<string> _typedefNames = [];
    private readonly Dictionary<string, string> _typedefOf = [];

    public CastXmlReader(string xml, string includeDirectory)
    {
        _includeDirectory = Path.TrimEndingDirectorySeparator(includeDirectory) + Path.DirectorySeparatorChar;
        XElement root = XDocument.Parse(xml).Root ?? throw new BindgenException("castxml wrote an empty document");
        foreach (XElement element in root.Elements())
        {
            if ((string?)element.Attribute("id") is string id)
            {
                _elements[id] = element;
            }
            if (element.Name.LocalName == "Typedef")
            {
                _typedefNames.Add(Name(element));
            }
        }
        foreach (XElement typedef in _elements.Values.Where(e => e.Name.LocalName == "Typedef"))
        {
            XElement target = _elements[Required(typedef, "type")];
            string attribute = target.Name.LocalName == "ElaboratedType" ? "type" : "id";
            _typedefOf.TryAdd(Required(target, attribute), Name(typedef));
        }
    }

    /// <summary>Structs and unions at file scope, the opaque ones included, in the order of the headers.</summary>
    public List<CRecord> Records() =>
        [.. Own("Struct", "Union").Where(e => IsTopLevel(e) && !Name(e).StartsWith("__", StringComparison.Ordinal))
            .Select(Record).OrderBy(r => r.Position)];

    public List<CEnum> Enums() => [.. Own("Enumeration").Where(IsTopLevel).Select(Enum).OrderBy(e => e.Position)];

    public List<CFunction> Functions() =>
        [.. Own("Function").Where(e => (string?)e.Attribute("static") != "1").Select(Function)
            .OrderBy(f => f.Name, StringComparer.Ordinal)];

    /// <summary>The value of an enumerator by its name, wherever it stands.</summary>
    public long ProbedValue(string enumerator) =>
        long.Parse(
            Required(
                _elements.Values.SelectMany(e => e.Elements("EnumValue")).First(v => Name(v) == enumerator), "init"),
            CultureInfo.InvariantCulture);

    private IEnumerable<XElement> Own(params string[] kinds) =>
        _elements.Values.Where(
            e => kinds.Contains(e.Name.LocalName) && e.Attribute("file") is not null && PositionOf(e).Own);

    private bool IsTopLevel(XElement element) =>
        _elements[Required(element, "context")].Name.LocalName == "Namespace";

    private CRecord Record(XElement element)
    {
        string id = Required(element, "id");
        if (_records.TryGetValue(id, out CRecord? known))
        {
            return known;
        }
        // typedef struct {...} name: the typedef is the only name there is.
        string name = Name(element) is { Length: > 0 } tag ? tag : _typedefOf.GetValueOrDefault(id, "");
        CRecord record = new()
        {
            Name = name,
            IsUnion = element.Name.LocalName == "Union",
            IsIncomplete = element.Attribute("incomplete") is not null,
            HasTypedef = _typedefNames.Contains(name),
            Size = Number(element, "size") / 8,
            Position = PositionOf(element),
        };
        _records[id] = record;
        IEnumerable<XElement> members = ((string?)element.Attribute("members") ?? "")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(m => _elements[m]);
        foreach (XElement member in members)
        {
            switch (member.Name.LocalName)
            {
                case "Field":
                    CType type = Type(Required(member, "type"));
                    record.Fields.Add(new CField(Name(member), type, Number(member, "offset"), Number(member, "bits")));
                    break;
                case "Struct" or "Union":
                    CRecord nested = Record(member);
                    nested.Parent = record;
                    record.NestedRecords.Add(nested);
                    break;
                case "Enumeration":
                    record.NestedEnums.Add(Enum(member));
                    break;
                default: // constructors and the like, which exist only because the headers are read as C++
                    break;
            }
        }
        return record;
    }

    private CEnum Enum(XElement element)
    {
        string id = Required(element, "id");
        if (!_enums.TryGetValue(id, out CEnum? result))
        {
            result = new CEnum
            {
                Name = Name(element),
                HasTypedef = _typedefNames.Contains(Name(element)),
                Underlying = Type(Required(element, "type")),
                Position = PositionOf(element),
                Values = [.. element.Elements("EnumValue").Select(v =>
                    (Name(v), long.Parse(Required(v, "init"), CultureInfo.InvariantCulture)))],
            };
            _enums[id] = result;
        }
        return result;
    }

    private CFunction Function(XElement element) => new(
        Name(element),
        Type(Required(element, "returns")),
        [.. element.Elements("Argument").Select(a => (Name(a), Type(Required(a, "type"))))],
        element.Element("Ellipsis") is not null,
        PositionOf(element));

    private CType Type(string id)
    {
        if (!_types.TryGetValue(id, out CType? type))
        {
            type = Read(_elements[id]);
            _types[id] = type;
        }
        return type;
    }

    private CType Read(XElement element)
    {
        string target = (string?)element.Attribute("type") ?? "";
        switch (element.Name.LocalName)
        {
            case "FundamentalType":
                return new FundamentalType(Name(element), Number(element, "size") / 8);
            case "PointerType":
                return new PointerType(new Lazy<CType>(() => Type(target)));
            case "ElaboratedType":
                return Type(target);
            case "Typedef":
                return new TypedefType(Name(element), new Lazy<CType>(() => Type(target)));
            case "CvQualifiedType":
                string[] qualifiers = ["const", "volatile", "restrict"];
                return new QualifiedType(
                    Type(target), string.Join(' ', qualifiers.Where(q => element.Attribute(q) is not null)));
            case "ArrayType":
                return new ArrayType(Type(target), Number(element, "max") + 1);
            case "Struct" or "Union":
                return new RecordType(Record(element));
            case "Enumeration":
                return new EnumType(Enum(element));
            case "FunctionType":
                return new FunctionType(
                    Type(Required(element, "returns")),
                    [.. element.Elements("Argument").Select(a => Type(Required(a, "type")))],
                    element.Element("Ellipsis") is not null);
            default:
                throw new BindgenException(
                    $"castxml's <{element.Name.LocalName}> is new to the generator: teach CastXmlReader.Read");
        }
    }

    private Position PositionOf(XElement element)
    {
        string path = (string?)element.Attribute("file") is string file ? Name(_elements[file]) : "";
        bool own = path.StartsWith(_includeDirectory, StringComparison.Ordinal);
        return new Position(own ? path[_includeDirectory.Length..] : path, Number(element, "line"), own);
    }

    private static string Name(XElement element) => (string?)element.Attribute("name") ?? "";

    private static string Required(XElement element, string attribute) =>
        (string?)element.Attribute(attribute)
        ?? throw new BindgenException($"castxml's <{element.Name.LocalName} {Name(element)}> has no {attribute}");

    private static int Number(XElement element, string attribute) =>
        (string?)element.Attribute(attribute) is string text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
}
