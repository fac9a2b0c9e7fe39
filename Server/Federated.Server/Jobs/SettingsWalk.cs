using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Federated.Server.Jobs;

/// <summary>
/// Walks a JSON element along the type it is meant to become and notes everything that is wrong. An object whose types are right is
/// also asked for impossible combinations, even when a value in it is out of range.
/// </summary>
/// <param name="options">How JSON is mapped.</param>
/// <param name="problems">Where what is wrong is noted.</param>
/// <param name="showValues">Whether what was found is told; false for settings with secrets.</param>
internal sealed class SettingsWalk(JsonSerializerOptions options, List<SettingProblem> problems, bool showValues)
{
    /// <summary>The key by which a file names its schema to an editor; allowed at the root and ignored.</summary>
    public const string SchemaKey = "$schema";

    private const int MaxShownValue = 80;

    /// <summary>Visits an element. False when it cannot be turned into the type at all.</summary>
    public bool Visit(JsonElement element, JsonTypeInfo type, string path)
    {
        if (Nullable.GetUnderlyingType(type.Type) is { } underlying)
        {
            return element.ValueKind == JsonValueKind.Null || Visit(element, options.GetTypeInfo(underlying), path);
        }

        return type.Kind switch
        {
            JsonTypeInfoKind.Object => VisitObject(element, type, path),
            JsonTypeInfoKind.Enumerable => VisitArray(element, type, path),
            JsonTypeInfoKind.Dictionary => VisitMap(element, type, path),
            _ => VisitValue(element, type, path),
        };
    }

    /// <summary>Notes keys that stand twice in one object, anywhere below.</summary>
    public static void FindRepeatedKeys(JsonElement element, string path, List<SettingProblem> problems)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            HashSet<string> keys = new(StringComparer.Ordinal);
            foreach (JsonProperty property in element.EnumerateObject())
            {
                string at = SettingProblem.At(path, property.Name);
                if (!keys.Add(property.Name))
                {
                    problems.Add(Repeated(at));
                }

                FindRepeatedKeys(property.Value, at, problems);
            }
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement item in element.EnumerateArray())
            {
                FindRepeatedKeys(item, $"{path}[{index++}]", problems);
            }
        }
    }

    private bool VisitObject(JsonElement element, JsonTypeInfo type, string path)
    {
        JsonPropertyInfo[] known = [.. Settable(type)];
        if (element.ValueKind != JsonValueKind.Object)
        {
            return Note(path, Show(element), $"an object with {Names(known)}");
        }

        bool sound = true;
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string at = SettingProblem.At(path, property.Name);
            JsonPropertyInfo? target = known.FirstOrDefault(candidate => candidate.Name == property.Name);
            if (!seen.Add(property.Name))
            {
                problems.Add(Repeated(at));
            }
            else if (target is null && path.Length == 0 && property.Name == SchemaKey)
            {
                sound &= property.Value.ValueKind == JsonValueKind.String || Note(at, Show(property.Value), "text");
            }
            else if (target is null)
            {
                string nearest = NearestName.Find(property.Name, known.Select(candidate => candidate.Name)) is { } name ? $"; did you mean {name}?" : "";
                Note(at, $"the unknown key with value {Show(property.Value)}", Names(known) + nearest);
            }
            else
            {
                sound &= VisitProperty(property.Value, target, at);
            }
        }

        foreach (JsonPropertyInfo missing in known.Where(candidate => candidate.IsRequired && !seen.Contains(candidate.Name)))
        {
            sound = Note(SettingProblem.At(path, missing.Name), "a missing key", AllowedText.For(missing, options));
        }

        if (sound && element.Deserialize(type) is ISettings settings)
        {
            problems.AddRange(settings.Validate(path));
        }

        return sound;
    }

    private bool VisitProperty(JsonElement value, JsonPropertyInfo property, string path)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            bool nullable = Nullable.GetUnderlyingType(property.PropertyType) is not null || (!property.PropertyType.IsValueType && property.IsSetNullable);
            return nullable || Note(path, "null", AllowedText.For(property, options));
        }

        int before = problems.Count;
        JsonTypeInfo type = options.GetTypeInfo(property.PropertyType);
        if (!Visit(value, type, path))
        {
            // A wrong type is told together with the range that the attribute knows.
            if (problems.Count == before + 1 && problems[before].Path == path && type.Kind == JsonTypeInfoKind.None)
            {
                problems[before] = problems[before] with { Allowed = AllowedText.For(property, options) };
            }

            return false;
        }

        object? read = value.Deserialize(type);
        foreach (ValidationAttribute rule in AllowedText.Rules(property).Where(rule => !Holds(rule, read)))
        {
            Note(path, Show(value), AllowedText.For(rule));
        }

        return true;
    }

    private bool VisitArray(JsonElement element, JsonTypeInfo type, string path)
    {
        if (element.ValueKind != JsonValueKind.Array)
        {
            return Note(path, Show(element), AllowedText.For(type.Type, options));
        }

        bool sound = true;
        int index = 0;
        JsonTypeInfo item = options.GetTypeInfo(type.ElementType ?? typeof(object));
        foreach (JsonElement value in element.EnumerateArray())
        {
            string at = $"{path}[{index++}]";
            sound &= Visit(value, item, at);
        }

        return sound;
    }

    private bool VisitMap(JsonElement element, JsonTypeInfo type, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return Note(path, Show(element), AllowedText.For(type.Type, options));
        }

        bool sound = true;
        JsonTypeInfo item = options.GetTypeInfo(type.ElementType ?? typeof(object));
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (JsonProperty entry in element.EnumerateObject())
        {
            string at = SettingProblem.At(path, entry.Name);
            if (!seen.Add(entry.Name))
            {
                problems.Add(Repeated(at));
            }

            sound &= Visit(entry.Value, item, at);
        }

        return sound;
    }

    private bool VisitValue(JsonElement element, JsonTypeInfo type, string path)
    {
        if (type.Type.IsEnum)
        {
            return (element.ValueKind == JsonValueKind.String && AllowedText.EnumNames(type.Type, options).Contains(element.GetString(), StringComparer.Ordinal))
                || Note(path, Show(element), AllowedText.For(type.Type, options));
        }

        try
        {
            object? value = element.Deserialize(type);
            return (value is not null && (value is not double number || double.IsFinite(number)))
                || Note(path, Show(element), AllowedText.For(type.Type, options));
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or NotSupportedException)
        {
            return Note(path, Show(element), AllowedText.For(type.Type, options));
        }
    }

    private bool Note(string path, string value, string allowed)
    {
        problems.Add(new SettingProblem(path.Length == 0 ? SettingProblem.Root : path, value, allowed));
        return false;
    }

    private static SettingProblem Repeated(string path) => new(path, "a key that stands twice", "each key once");

    // RangeAttribute lets the overflow of its own conversion through; such a value is out of range.
    private static bool Holds(ValidationAttribute rule, object? value)
    {
        try
        {
            return rule.IsValid(value);
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    private static IEnumerable<JsonPropertyInfo> Settable(JsonTypeInfo type) => type.Properties.Where(property => property.Set is not null);

    private static string Names(IEnumerable<JsonPropertyInfo> properties) => string.Join(", ", properties.Select(property => property.Name));

    private string Show(JsonElement element)
    {
        if (!showValues)
        {
            return "(not shown)";
        }

        string text = element.GetRawText().ReplaceLineEndings(" ");
        return text.Length <= MaxShownValue ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, MaxShownValue)}…");
    }
}
