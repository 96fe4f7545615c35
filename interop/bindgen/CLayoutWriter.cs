using System.Text;

namespace FastJobs.Bindgen;

/// <summary>Writes the two C files: the program that prints the layout, and the assertions of it.</summary>
internal sealed class CLayoutWriter(CSharpTypes types, IReadOnlyList<string> headers)
{
    private const string PrintHelpers = """
        #define SIZE(type) printf("%s size %zu\n", #type, sizeof(type))
        #define FIELD(type, member)                                                                                  \
            printf("%s offset %zu\n%s size %zu\n", #type "." #member, offsetof(type, member), #type "." #member,     \
                   sizeof(((type *)0)->member))
        #define BITS(type, member)                                                                                   \
            do {                                                                                                     \
                type object;                                                                                         \
                memset(&object, 0, sizeof(object));                                                                  \
                object.member = ones;                                                                                \
                print_bits(#type "." #member, &object, sizeof(object), object.member);                               \
            } while (0)

        /* offsetof has no answer for a bit field: set to all ones in a cleared object it shows where it is. */
        static void print_bits(const char *member, const void *object, size_t size, long long value)
        {
            const unsigned char *bytes = object;
            long first = -1;
            long count = 0;
            for (size_t bit = 0; bit < 8 * size; bit++) {
                if (bytes[bit / 8] & (1u << (bit % 8))) {
                    first = first < 0 ? (long)bit : first;
                    count++;
                }
            }
            printf("%s first_bit %ld\n%s bits %ld\n%s all_ones %lld\n", member, first, member, count, member, value);
        }

        int main(void)
        {
            int ones = -1; /* no constant: compilers say that a constant does not fit */

        """;

    private const string AssertHelpers = """
        #define SIZE(type, size) _Static_assert(sizeof(type) == (size), "sizeof(" #type ")")
        #define FIELD(type, member, offset)                                                                          \
            _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member)


        """;

    public string Print(IEnumerable<CRecord> records)
    {
        StringBuilder text = Start(
            "Prints how C lays the structs out, in the lines of LayoutTable.g.cs, which says how C# does.",
            "stddef.h", "stdio.h", "string.h");
        text.Append('\n').Append(PrintHelpers);
        bool usesOnes = false;
        foreach (CRecord record in records)
        {
            text.Append($"\n    SIZE({record.CName});\n");
            foreach (LayoutRow row in new Layout(types).Rows(record))
            {
                bool bits = row.Field.BitWidth > 0;
                usesOnes |= bits;
                text.Append($"    {(bits ? "BITS" : "FIELD")}({record.CName}, {row.CPath});\n");
            }
        }
        text.Append(usesOnes ? "    return 0;\n}\n" : "    (void)ones;\n    return 0;\n}\n");
        return text.ToString();
    }

    public string Asserts(IEnumerable<CRecord> records)
    {
        StringBuilder text =
            Start("The layout that the ABI promises on 64-bit Linux, checked by the compiler.", "stddef.h");
        text.Append("\n#if defined(__LP64__) && (defined(__x86_64__) || defined(__aarch64__))\n\n");
        text.Append(AssertHelpers);
        foreach (CRecord record in records)
        {
            text.Append($"SIZE({record.CName}, {record.Size});\n");
            foreach (LayoutRow row in new Layout(types).Rows(record).Where(r => r.Field.BitWidth == 0))
            {
                text.Append($"FIELD({record.CName}, {row.CPath}, {row.ByteOffset});\n");
            }
            text.Append('\n');
        }
        text.Append("#endif\n\n");
        text.Append("/* ISO C wants a declaration in every translation unit, on other machines too. */\n");
        text.Append("typedef int fj_layout_asserts_checked;\n");
        return text.ToString();
    }

    private StringBuilder Start(string purpose, params string[] systemHeaders)
    {
        StringBuilder text = new();
        text.Append($"/* Written by interop/bindgen: dotnet run --project interop/bindgen\n * {purpose} */\n");
        text.AppendJoin("", systemHeaders.Select(h => $"#include <{h}>\n")).Append('\n');
        text.AppendJoin("", headers.Select(h => $"#include \"{h}\"\n"));
        return text;
    }
}
