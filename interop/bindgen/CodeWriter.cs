using System.Text;

namespace FastJobs.Bindgen;

/// <summary>Text with indentation, for the C# and the C output alike.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _indent;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', 4 * _indent).Append(line);
        }
        _text.Append('\n');
    }

    public void Open(string head)
    {
        Line(head);
        Open();
    }

    public void Open()
    {
        Line("{");
        _indent++;
    }

    public void Close(string tail = "")
    {
        _indent--;
        Line("}" + tail);
    }

    public override string ToString() => _text.ToString();
}
