using System.Reflection;
using System.Text;

namespace FastJobs.Tests;

/// <summary>The public and protected members of an assembly, one line each, sorted; close to how C# says it.</summary>
internal static class PublicApiText
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext s_nullability = new();

    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    public static string[] Of(Assembly assembly) =>
    [
        .. assembly.GetExportedTypes()
            .SelectMany(type => Members(type).Select(member => $"{Name(type)}.{member}").Append(Header(type)))
            .Order(StringComparer.Ordinal),
    ];

    private static string Header(Type type)
    {
        string kind = type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsValueType ? "struct"
            : type.IsAbstract && type.IsSealed ? "static class"
            : type.IsSealed ? "sealed class"
            : type.IsAbstract ? "abstract class"
            : "class";
        IEnumerable<Type> bases = type.IsEnum ? [Enum.GetUnderlyingType(type)]
            : type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)
                ? type.GetInterfaces().Except(parent.GetInterfaces()).OrderBy(Name, StringComparer.Ordinal).Prepend(parent)
                : type.GetInterfaces().OrderBy(Name, StringComparer.Ordinal);
        string list = string.Join(", ", bases.Where(type => type.IsVisible).Select(Name));
        return $"{Name(type)} = {kind} {type.Namespace}.{Name(type)}{(list == "" ? "" : $" : {list}")}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}");
        }

        return type.GetMembers(Declared).Select(Line).OfType<string>();
    }

    // Null: not public, or only the other half of a property or an event.
    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo { IsStatic: false } constructor when IsVisible(constructor) =>
            $"ctor({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) =>
            $"{method.Name}{Generic(method)}({Parameters(method)}) -> {Modifiers(method)}{Type(method.ReturnParameter)}",
        MethodInfo { IsSpecialName: true } method when IsVisible(method) && method.Name.StartsWith("op_", StringComparison.Ordinal) =>
            $"{method.Name}({Parameters(method)}) -> {Modifiers(method)}{Type(method.ReturnParameter)}",
        PropertyInfo property => Property(property),
        FieldInfo field when field.IsPublic || field.IsFamily =>
            $"{field.Name} -> {(field.IsLiteral ? "const " : field.IsStatic ? "static " : "")}{Name(field.FieldType)}",
        EventInfo @event when IsVisible(@event.AddMethod!) => $"{@event.Name} -> event {Name(@event.EventHandlerType!)}",
        _ => null,
    };

    private static string? Property(PropertyInfo property)
    {
        StringBuilder accessors = new();
        Accessor(property.GetMethod, "get");
        Accessor(property.SetMethod, IsInit(property) ? "init" : "set");
        if (accessors.Length == 0)
        {
            return null;
        }

        NullabilityInfo nullability = s_nullability.Create(property);
        bool isNull = nullability.ReadState == NullabilityState.Nullable || nullability.WriteState == NullabilityState.Nullable;
        MethodInfo any = (property.GetMethod ?? property.SetMethod)!;
        ParameterInfo[] index = property.GetIndexParameters();
        string parameters = index.Length == 0 ? "" : $"[{string.Join(", ", index.Select(Parameter))}]";
        bool required = property.CustomAttributes.Any(a => a.AttributeType.Name == "RequiredMemberAttribute");
        return $"{property.Name}{parameters} -> {Modifiers(any)}{(required ? "required " : "")}"
            + $"{Annotated(property.PropertyType, isNull)} {{{accessors} }}";

        void Accessor(MethodInfo? method, string name)
        {
            if (method is not null && IsVisible(method))
            {
                accessors.Append(method.IsPublic ? $" {name};" : $" protected {name};");
            }
        }
    }

    private static bool IsInit(PropertyInfo property) => property.SetMethod is { } set
        && set.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit");

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Modifiers(MethodInfo method) =>
        (method.IsPublic ? "" : "protected ")
        + (method.IsStatic ? "static "
            : method.IsAbstract ? "abstract "
            : method.IsVirtual && !method.IsFinal
                ? method.GetBaseDefinition() == method ? "virtual " : "override "
                : "");

    private static string Generic(MethodInfo method) => !method.IsGenericMethodDefinition ? ""
        : $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string prefix = parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "";
        string value = !parameter.HasDefaultValue ? ""
            : $" = {(parameter.ParameterType.IsEnum ? $"{Name(parameter.ParameterType)}.{Enum.ToObject(parameter.ParameterType, parameter.DefaultValue!)}" : parameter.DefaultValue ?? "default")}";
        return $"{prefix}{Type(parameter)} {parameter.Name}{value}";
    }

    private static string Type(ParameterInfo parameter)
    {
        NullabilityInfo nullability = s_nullability.Create(parameter);
        return Annotated(
            parameter.ParameterType,
            nullability.ReadState == NullabilityState.Nullable || nullability.WriteState == NullabilityState.Nullable);
    }

    private static string Annotated(Type type, bool isNull) =>
        Name(type) + (isNull && !type.IsValueType && !type.IsGenericParameter ? "?" : "");

    private static string Name(Type type)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return $"{Name(type.GetElementType()!)}[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return $"{Name(underlying)}?";
        }

        string name = s_keywords.TryGetValue(type, out string? keyword) ? keyword : type.Name.Split('`')[0];
        string outer = type is { IsNested: true, IsGenericParameter: false } ? $"{Name(type.DeclaringType!)}." : "";
        return type.IsGenericType
            ? $"{outer}{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : outer + name;
    }
}
