using System.Collections.Immutable;
using System.Globalization;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Client.Data;

/// <summary>
/// A data source as it is written on a command line: <c>KIND:key=value,key=value</c>, one of
/// <c>idx:images=PATH,labels=PATH</c>, <c>csv:path=PATH,label=NAME</c> (a class) or <c>csv:path=PATH,target=NAME</c> (a number),
/// <c>sqlite:path=PATH,table=NAME,label=COLUMN</c> (or <c>queryFile=PATH</c> in place of the table, <c>target</c> in place of the label),
/// <c>text:folder=PATH,length=TOKENS</c>, <c>tokens:path=PATH,length=TOKENS</c>,
/// <c>images:folder=PATH,size=HxW,channels=1|3</c> and <c>audio:folder=PATH,rate=HZ,mels=M,frames=T</c> (with <c>window=SAMPLES</c>, 25 ms unless stated, and <c>hop=SAMPLES</c>, 10 ms), the last
/// two with an optional <c>classes=PATH</c>, the others with an optional <c>slice=START:COUNT</c> that keeps COUNT
/// examples from the START-th (from 0) on. Of what that leaves, <c>holdout=SHARE</c> is never trained on, and at most <c>limit=COUNT</c> is; <c>seed=NUMBER</c>
/// chooses which. Paths hold no commas. Immutable.
/// </summary>
public sealed class DataSourceSpec
{
    internal const string LabelKey = "label";
    internal const string TargetKey = "target";
    internal const string TableKey = "table";
    internal const string QueryFileKey = "queryFile";

    private const string SliceKey = "slice";
    private const string LengthKey = "length";
    private const string FolderKey = "folder";
    private const string ClassesKey = "classes";
    private const string SizeKey = "size";
    private const string ChannelsKey = "channels";
    private const string RateKey = "rate";
    private const string MelsKey = "mels";
    private const string FramesKey = "frames";
    private const string WindowKey = "window";
    private const string HopKey = "hop";
    private const string Choices = "[,limit=COUNT][,holdout=SHARE][,seed=NUMBER]";
    private const string Common = "[,slice=START:COUNT]" + Choices;

    private static readonly ImmutableDictionary<DataSourceKind, ImmutableArray<string>> _keys =
        ImmutableDictionary<DataSourceKind, ImmutableArray<string>>.Empty
            .Add(DataSourceKind.Idx, ["images", "labels"])
            .Add(DataSourceKind.Csv, ["path", LabelKey])
            .Add(DataSourceKind.Sqlite, ["path", TableKey, LabelKey])
            .Add(DataSourceKind.Text, [FolderKey, LengthKey])
            .Add(DataSourceKind.Tokens, ["path", LengthKey])
            .Add(DataSourceKind.Images, [FolderKey, SizeKey, ChannelsKey])
            .Add(DataSourceKind.Audio, [FolderKey, RateKey, MelsKey, FramesKey]);

    private static readonly ImmutableDictionary<DataSourceKind, ImmutableArray<string>> _optionalKeys =
        ImmutableDictionary<DataSourceKind, ImmutableArray<string>>.Empty
            .Add(DataSourceKind.Idx, [SliceKey])
            .Add(DataSourceKind.Csv, [SliceKey, TargetKey])
            .Add(DataSourceKind.Sqlite, [SliceKey, QueryFileKey, TargetKey])
            .Add(DataSourceKind.Text, [SliceKey])
            .Add(DataSourceKind.Tokens, [SliceKey])
            .Add(DataSourceKind.Images, [ClassesKey])
            .Add(DataSourceKind.Audio, [ClassesKey, WindowKey, HopKey]);

    // Who gives the second key of a pair leaves the first one out.
    private static readonly ImmutableArray<(string Key, string Instead)> _either = [(LabelKey, TargetKey), (TableKey, QueryFileKey)];

    private static readonly ImmutableArray<string> _commonKeys = [ExampleChoice.LimitKey, ExampleChoice.HoldOutKey, ExampleChoice.SeedKey];

    private readonly string _text;
    private readonly Dictionary<string, string> _settings;

    private DataSourceSpec(
        string text, DataSourceKind kind, Dictionary<string, string> settings, (int Start, int Count)? slice, ExampleChoice choice)
    {
        _text = text;
        Kind = kind;
        _settings = settings;
        Slice = slice;
        Choice = choice;
    }

    /// <summary>What kind of source it is.</summary>
    public DataSourceKind Kind { get; }

    /// <summary>Which examples are kept; all when null.</summary>
    public (int Start, int Count)? Slice { get; }

    /// <summary>Which of those are trained on.</summary>
    public ExampleChoice Choice { get; }

    /// <summary>The value of one of the kind's keys.</summary>
    public string this[string key] => _settings[key];

    /// <summary>Reads a specification; nothing is opened.</summary>
    /// <exception cref="FormatException">It is not one; the message says what is wrong, the value and what is allowed.</exception>
    public static DataSourceSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kindName = colon < 0 ? text : text[..colon];
        DataSourceKind kind = kindName switch
        {
            "idx" => DataSourceKind.Idx,
            "csv" => DataSourceKind.Csv,
            "sqlite" => DataSourceKind.Sqlite,
            "text" => DataSourceKind.Text,
            "tokens" => DataSourceKind.Tokens,
            "images" => DataSourceKind.Images,
            "audio" => DataSourceKind.Audio,
            _ => throw Wrong(text, $"its kind is '{kindName}'", "idx, csv, sqlite, text, tokens, images or audio, followed by a colon"),
        };
        Dictionary<string, string> settings = ParseSettings(text, colon < 0 ? "" : text[(colon + 1)..], kind);
        foreach (string key in _keys[kind])
        {
            if (!settings.ContainsKey(key) && !_either.Any(pair => pair.Key == key && settings.ContainsKey(pair.Instead)))
            {
                throw Wrong(text, $"'{key}' is missing", Usage(kind));
            }
        }

        foreach ((string key, string instead) in _either)
        {
            if (settings.ContainsKey(key) && settings.ContainsKey(instead))
            {
                throw Wrong(text, $"'{key}' and '{instead}' are both there", Usage(kind));
            }
        }

        return new DataSourceSpec(
            text,
            kind,
            settings,
            settings.TryGetValue(SliceKey, out string? slice) ? ParseSlice(text, slice) : null,
            ExampleChoice.Parse(settings, (what, allowed) => Wrong(text, what, allowed)));
    }

    /// <summary>Opens the source and reads it into memory; of IDX files the slice alone.</summary>
    /// <param name="time">Tells which files of a folder may still be written to.</param>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">A file is not of its format, or an IDX file ends before the slice does.</exception>
    /// <exception cref="FormatException">A value is out of its range, or the slice lies outside the examples.</exception>
    /// <exception cref="NotSupportedException">This program was built without the kind.</exception>
    public DeviceExamples Open(TimeProvider time) => Kind switch
    {
        DataSourceKind.Idx => new DeviceExamples(IdxExamples.Load(this["images"], this["labels"], Slice), Split),
        DataSourceKind.Csv => Part(
            CsvExamples.Load(this["path"], new CsvOptions
            {
                LabelColumn = Find(LabelKey) ?? this[TargetKey],
                LabelIsNumber = Find(TargetKey) is not null,
            })),
#if SQLITE_SOURCE
        DataSourceKind.Sqlite => Part(SqliteSource.Load(this)),
#else
        DataSourceKind.Sqlite => throw new NotSupportedException(
            "This program was built without the data source 'sqlite'. Build it with -p:SqliteSource=true, which adds SQLite's library, or export the table and use csv:."),
#endif
        DataSourceKind.Text => new DeviceExamples(new WatchedTexts(this[FolderKey], Length(), time), SplitSlice),
        DataSourceKind.Images => new DeviceExamples(ImageFolder.Open(this[FolderKey], _settings.GetValueOrDefault(ClassesKey), Shape(), time), Split),
        DataSourceKind.Audio => new DeviceExamples(AudioFolder.Open(this[FolderKey], _settings.GetValueOrDefault(ClassesKey), Sound(), time), Split),
        _ => new DeviceExamples(TokenExamples.Load(this["path"], Length()), SplitSlice),
    };

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>The value of one of the kind's keys; null when it was not given.</summary>
    internal string? Find(string key) => _settings.GetValueOrDefault(key);

    /// <summary>Parts the rows of a table as slice, hold-out and limit say.</summary>
    /// <exception cref="FormatException">The slice lies outside the examples.</exception>
    internal DeviceExamples Part(IExampleSource rows) => new(rows, SplitSlice);

    private ExampleSplit Split(IExampleSource all) => ExampleSplit.Of(all, Choice.HoldOut, Choice.Limit, Choice.Seed);

    private ExampleSplit SplitSlice(IExampleSource all)
    {
        if (Slice is not { } slice)
        {
            return Split(all);
        }

        if (slice.Start > all.Count - slice.Count)
        {
            throw Wrong(_text, $"the slice {slice.Start}:{slice.Count} ends beyond the {all.Count} examples", $"START + COUNT up to {all.Count}");
        }

        int[] kept = [.. Enumerable.Range(slice.Start, slice.Count)];
        ExampleSplit split = Split(new ExampleSubset(all, kept));
        return new ExampleSplit([.. split.Training.Select(i => kept[i])], [.. split.HeldOut.Select(i => kept[i])]);
    }

    private ImageShape Shape()
    {
        string[] sides = this[SizeKey].Split('x');
        bool isSize = sides.Length == 2 & int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            & int.TryParse(sides[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int width);
        return (isSize && height is >= 1 and <= ImageShape.MaxSide && width is >= 1 and <= ImageShape.MaxSide, this[ChannelsKey]) switch
        {
            (false, _) => throw Wrong(_text, $"the size is '{this[SizeKey]}'", $"HEIGHTxWIDTH, for example 28x28, each 1 to {ImageShape.MaxSide}"),
            (_, "1") => new ImageShape(height, width, 1),
            (_, "3") => new ImageShape(height, width, 3),
            _ => throw Wrong(_text, $"channels is '{this[ChannelsKey]}'", "1 for grey, 3 for red, green and blue"),
        };
    }

    private LogMelShape Sound()
    {
        int rate = Number(RateKey, 1000, LogMelShape.MaxSampleRate, "Hz");
        return new LogMelShape(
            rate,
            Number(MelsKey, 1, LogMelShape.MaxMels, "filters"),
            Number(FramesKey, 1, LogMelShape.MaxFrames, "windows an example"),
            _settings.ContainsKey(WindowKey) ? Number(WindowKey, 2, LogMelShape.MaxWindow, "samples") : rate / 40,
            _settings.ContainsKey(HopKey) ? Number(HopKey, 1, LogMelShape.MaxWindow, "samples") : rate / 100);
    }

    private int Length() => Number(LengthKey, 1, TokenExamples.MaxLength, "tokens an example");

    private int Number(string key, int least, int most, string unit) =>
        int.TryParse(this[key], NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw Wrong(_text, $"the {key} is '{this[key]}'", $"{unit}, {least} to {most}");

    private static Dictionary<string, string> ParseSettings(string text, string list, DataSourceKind kind)
    {
        Dictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (string setting in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? setting : setting[..equals];
            string value = equals < 0 ? "" : setting[(equals + 1)..];
            if (!_commonKeys.Contains(key) && !_keys[kind].Contains(key) && !_optionalKeys[kind].Contains(key))
            {
                throw Wrong(text, $"the key '{key}' is unknown", Usage(kind));
            }

            if (value.Length == 0)
            {
                throw Wrong(text, $"'{key}' has no value", Usage(kind));
            }

            if (!settings.TryAdd(key, value))
            {
                throw Wrong(text, $"'{key}' occurs twice", Usage(kind));
            }
        }

        return settings;
    }

    private static (int Start, int Count) ParseSlice(string text, string slice)
    {
        string[] parts = slice.Split(':');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int start)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count >= 1
            ? (start, count)
            : throw Wrong(text, $"the slice is '{slice}'", "START:COUNT, for example 0:600, START from 0 and COUNT from 1");
    }

    private static string Usage(DataSourceKind kind) => kind switch
    {
        DataSourceKind.Idx => $"idx:images=PATH,labels=PATH{Common}",
        DataSourceKind.Sqlite => $"sqlite:path=PATH,table=NAME,label=COLUMN{Common}, or queryFile=PATH for table, or target=COLUMN for a number",
        DataSourceKind.Csv => $"csv:path=PATH,label=NAME{Common}, or target=NAME for a number",
        DataSourceKind.Text => $"text:folder=PATH,length=TOKENS{Common}",
        DataSourceKind.Images => $"images:folder=PATH,size=HxW,channels=1|3[,classes=PATH]{Choices}",
        DataSourceKind.Audio => $"audio:folder=PATH,rate=HZ,mels=M,frames=T[,window=SAMPLES][,hop=SAMPLES][,classes=PATH]{Choices}",
        _ => $"tokens:path=PATH,length=TOKENS{Common}",
    };

    private static FormatException Wrong(string text, string what, string allowed) =>
        new($"The data source '{text}' cannot be used: {what}. Allowed: {allowed}.");
}
