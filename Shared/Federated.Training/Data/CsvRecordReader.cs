
namespace Federated.Training.Data;

/// <summary>
/// Splits text into records and fields after RFC 4180: fields may be quoted, a quoted field may hold delimiters, line ends and
/// doubled quotes; lines end with LF, CRLF or CR. Empty lines are skipped. One record is held at a time. Not thread-safe.
/// </summary>
internal sealed class CsvRecordReader(TextReader reader, string path, char delimiter)
{
    /// <summary>Longest record: far above any honest one, it bounds what an unclosed quote can swallow.</summary>
    public const int MaxRecordLength = 16 * 1024 * 1024;

    private readonly List<(int End, int Line, int Column)> _fields = [];
    private char[] _content = new char[1024];
    private int _length;
    private int _line = 1;
    private int _column = 1;

    private enum Terminator
    {
        Delimiter,
        Line,
        File,
    }

    /// <summary>How many fields the record has.</summary>
    public int FieldCount => _fields.Count;

    /// <summary>Line on which the record begins, from 1.</summary>
    public int Line => _fields[0].Line;

    /// <summary>The unescaped content of a field; valid until the next record is read.</summary>
    public ReadOnlySpan<char> Field(int index)
    {
        int start = index == 0 ? 0 : _fields[index - 1].End;
        return _content.AsSpan(start, _fields[index].End - start);
    }

    /// <summary>Where a field begins, for messages.</summary>
    public string Place(int index) => Place(_fields[index].Line, _fields[index].Column);

    /// <summary>Reads the next record that is not an empty line.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="InvalidDataException">The quoting is broken or the record too long.</exception>
    public bool Read()
    {
        _fields.Clear();
        _length = 0;
        while (reader.Peek() is '\r' or '\n')
        {
            Take();
        }

        if (reader.Peek() < 0)
        {
            return false;
        }

        Terminator terminator;
        do
        {
            int line = _line;
            int column = _column;
            terminator = reader.Peek() == '"' ? ReadQuoted(line, column) : ReadPlain();
            _fields.Add((_length, line, column));
        }
        while (terminator == Terminator.Delimiter);
        return true;
    }

    private Terminator ReadPlain()
    {
        while (true)
        {
            int next = reader.Peek();
            if (EndsField(next) is { } terminator)
            {
                return terminator;
            }

            if (next == '"')
            {
                throw Broken(_line, _column, "a quote within a field that does not begin with one; quote the whole field and double the quote");
            }

            Append(Take());
        }
    }

    private Terminator ReadQuoted(int line, int column)
    {
        Take();
        while (true)
        {
            if (reader.Peek() < 0)
            {
                throw Broken(line, column, "a quote that is never closed");
            }

            char next = Take();
            if (next != '"')
            {
                Append(next);
            }
            else if (reader.Peek() == '"')
            {
                Append(Take());
            }
            else
            {
                return EndsField(reader.Peek())
                    ?? throw Broken(_line, _column, "text after a closing quote; double a quote that belongs to the content");
            }
        }
    }

    /// <summary>Takes what ends a field, if it is next.</summary>
    private Terminator? EndsField(int next)
    {
        if (next < 0)
        {
            return Terminator.File;
        }

        if (next == delimiter)
        {
            Take();
            return Terminator.Delimiter;
        }

        if (next is '\r' or '\n')
        {
            Take();
            return Terminator.Line;
        }

        return null;
    }

    private char Take()
    {
        char taken = (char)reader.Read();

        // Of a CRLF the LF counts the line.
        if (taken == '\n' || (taken == '\r' && reader.Peek() != '\n'))
        {
            _line++;
            _column = 1;
        }
        else
        {
            _column++;
        }

        return taken;
    }

    private void Append(char value)
    {
        if (_length == _content.Length)
        {
            if (_length >= MaxRecordLength)
            {
                throw new InvalidDataException(
                    $"'{path}', line {_fields.FirstOrDefault((0, _line, 0)).Item2}: the record is longer than {MaxRecordLength} characters. "
                    + "Look for a quote that is not closed.");
            }

            Array.Resize(ref _content, _length * 2);
        }

        _content[_length++] = value;
    }

    private InvalidDataException Broken(int line, int column, string what) => new($"{Place(line, column)}: {what}.");

    private string Place(int line, int column) => $"'{path}', line {line}, column {column}";
}
