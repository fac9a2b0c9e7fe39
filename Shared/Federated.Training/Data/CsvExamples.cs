using System.Globalization;
using System.Text;
using Federated.Shared.Protocol;

namespace Federated.Training.Data;

/// <summary>How a table of comma-separated values is read.</summary>
public sealed record CsvOptions
{
    /// <summary>Whether the first record names the columns.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>The column of the labels: its name in the header, or its index from 0, or from −1 (the last) backwards.</summary>
    public string LabelColumn { get; init; } = "label";

    /// <summary>Whether the label is a number to be foretold rather than a class.</summary>
    public bool LabelIsNumber { get; init; }

    /// <summary>What separates the fields.</summary>
    public char Delimiter { get; init; } = ',';

    /// <summary>Every feature is multiplied by this; for example 1/255 for grey values.</summary>
    public float FeatureScale { get; init; } = 1;
}

/// <summary>
/// Examples of a table (RFC 4180, UTF-8): one record an example, one column the label (a class from 0, or a number), every other a
/// numeric feature in the table's order. Held in memory as float32. Thread-safe.
/// </summary>
public sealed class CsvExamples : TableExamples
{
    private CsvExamples(float[] features, long[] labels, float[] targets, int featureLength)
        : base(features, labels, targets, featureLength)
    {
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="InvalidDataException">The table cannot be read; the message names file, line, column and value.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static CsvExamples Load(string path, CsvOptions options)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(options);
        using StreamReader text = new(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        try
        {
            return Read(text, path, options);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"'{path}' is not UTF-8 text: {e.Message} Save the table as UTF-8.", e);
        }
    }

    internal static CsvExamples Read(TextReader text, string path, CsvOptions options)
    {
        CsvRecordReader records = new(text, path, options.Delimiter);
        if (!records.Read())
        {
            throw new InvalidDataException($"'{path}' is empty. Give a table with at least one record.");
        }

        int columns = records.FieldCount;
        int labelColumn = FindLabel(records, path, options);
        if (columns < 2)
        {
            throw new InvalidDataException($"'{path}' has {columns} column; at least one feature beside the label is needed. Check the delimiter.");
        }

        List<float> features = [];
        List<long> labels = [];
        List<float> targets = [];
        bool more = !options.HasHeader || records.Read();
        while (more)
        {
            if (records.FieldCount != columns)
            {
                throw new InvalidDataException(
                    $"'{path}', line {records.Line}: {records.FieldCount} columns where the first record has {columns}.");
            }

            if (labels.Count + targets.Count == ProtocolLimits.MaxExamples || features.Count > Array.MaxLength - columns)
            {
                throw new InvalidDataException(
                    $"'{path}', line {records.Line}: more than {labels.Count + targets.Count} records of {columns - 1} features; the limits are "
                    + $"{ProtocolLimits.MaxExamples} records and {Array.MaxLength} features in all. Split the table.");
            }

            for (int c = 0; c < columns; c++)
            {
                if (c == labelColumn && options.LabelIsNumber)
                {
                    targets.Add(ParseFeature(records, c));
                }
                else if (c == labelColumn)
                {
                    labels.Add(ParseLabel(records, c));
                }
                else
                {
                    features.Add(ParseFeature(records, c) * options.FeatureScale);
                }
            }

            more = records.Read();
        }

        return labels.Count + targets.Count > 0
            ? new CsvExamples([.. features], [.. labels], [.. targets], columns - 1)
            : throw new InvalidDataException($"'{path}' has a header but no records. Give at least one example.");
    }

    private static int FindLabel(CsvRecordReader first, string path, CsvOptions options)
    {
        int columns = first.FieldCount;
        if (options.HasHeader)
        {
            for (int c = 0; c < columns; c++)
            {
                if (first.Field(c).Trim().SequenceEqual(options.LabelColumn))
                {
                    return c;
                }
            }
        }

        if (int.TryParse(options.LabelColumn, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index)
            && index >= -columns && index < columns)
        {
            return index < 0 ? columns + index : index;
        }

        // A row with a number in it is no header but an example.
        bool named = options.HasHeader && !Enumerable.Range(0, columns).Any(c => double.TryParse(first.Field(c), NumberStyles.Float, CultureInfo.InvariantCulture, out _));
        string names = string.Join(", ", Enumerable.Range(0, Math.Min(columns, 20)).Select(c => $"'{first.Field(c).Trim()}'"));
        throw new InvalidDataException(
            $"'{path}' has no label column '{options.LabelColumn}'; it has {columns} columns"
            + (named ? $" ({names}{(columns > 20 ? ", …" : string.Empty)})" : options.HasHeader ? " and its first line holds numbers, where a header has names" : " and no header")
            + $". Name a column of the header or give an index from 0 to {columns - 1} or from -1 to {-columns}.");
    }

    private static float ParseFeature(CsvRecordReader records, int column)
    {
        ReadOnlySpan<char> field = records.Field(column);
        return float.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value)
            ? value
            : throw new InvalidDataException(
                $"{records.Place(column)}: field {column + 1} is {Describe(field)}, a feature is a finite number such as 0.5. "
                + "Encode texts as numbers and fill in missing values first.");
    }

    private static long ParseLabel(CsvRecordReader records, int column)
    {
        ReadOnlySpan<char> field = records.Field(column);
        return long.TryParse(field, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new InvalidDataException(
                $"{records.Place(column)}: field {column + 1} is {Describe(field)}, a label is an integer from 0. Number the classes first.");
    }

    // Messages end up in journals, and what a device holds stays on it: they tell the place and never the content.
    private static string Describe(ReadOnlySpan<char> field) => field.IsWhiteSpace() ? "empty" : $"a text of {field.Length} characters";
}
