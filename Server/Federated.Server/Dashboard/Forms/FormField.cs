using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Server.Dashboard.Forms;

/// <summary>How a setting is entered.</summary>
public enum FieldKind
{
    /// <summary>A line of text.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Yes or no.</summary>
    Flag,

    /// <summary>One of a few words.</summary>
    Choice,

    /// <summary>Several values, with commas between.</summary>
    List,

    /// <summary>Anything else, as JSON.</summary>
    Json,

    /// <summary>Settings that belong together.</summary>
    Group,
}

/// <summary>
/// A setting of a form that is made from a JSON Schema, and what a person has entered. Nothing is judged here: what was entered becomes JSON as it stands, so that the
/// server's own check says what is wrong with it.
/// </summary>
public sealed class FormField
{
    private FormField(string path, string key, FieldKind kind)
    {
        Path = path;
        Key = key;
        Kind = kind;
    }

    /// <summary>Where it stands, as problems name it; empty for the root.</summary>
    public string Path { get; }

    /// <summary>Its key in the object around it.</summary>
    public string Key { get; }

    /// <summary>How it is entered.</summary>
    public FieldKind Kind { get; }

    /// <summary>Its name for people.</summary>
    public string Title => Words.Title(Key);

    /// <summary>What it means.</summary>
    public string Hint { get; private init; } = "";

    /// <summary>What may stand there, in short; empty when anything may.</summary>
    public string Range { get; private init; } = "";

    /// <summary>What holds when nothing is entered; empty when nothing does.</summary>
    public string Default { get; private init; } = "";

    /// <summary>Whether something must be entered.</summary>
    public bool IsRequired { get; private init; }

    /// <summary>Whether the group can be left out altogether.</summary>
    public bool IsOptionalGroup { get; private init; }

    /// <summary>The words of a choice.</summary>
    public IReadOnlyList<string> Choices { get; private init; } = [];

    /// <summary>The settings of a group.</summary>
    public IReadOnlyList<FormField> Children { get; private init; } = [];

    /// <summary>What is entered; empty for the default.</summary>
    public string Text { get; set; } = "";

    /// <summary>Whether an optional group is there.</summary>
    public bool IsOn { get; set; }

    /// <summary>Makes the form of a schema whose root is an object.</summary>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    public static FormField Of(string schema) => Of("", "", JsonNode.Parse(schema)!.AsObject(), isRequired: true);

    /// <summary>What is entered as JSON; null when nothing is.</summary>
    public JsonNode? ToJson()
    {
        if (Kind == FieldKind.Group)
        {
            if (IsOptionalGroup && !IsOn)
            {
                return null;
            }

            JsonObject group = [];
            foreach (FormField child in Children)
            {
                if (child.ToJson() is { } value)
                {
                    group[child.Key] = value;
                }
            }

            return group.Count > 0 || IsOptionalGroup || Path.Length == 0 ? group : null;
        }

        string text = Text.Trim();
        return text.Length == 0
            ? null
            : Kind switch
            {
                FieldKind.Number => Number(text),
                FieldKind.Flag => text == "true",
                FieldKind.List => new JsonArray([.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Number)]),
                FieldKind.Json => Parsed(text),
                _ => JsonValue.Create(text),
            };
    }

    /// <summary>Enters what a document says; keys it does not know are left out.</summary>
    public void Enter(JsonNode? value)
    {
        if (Kind == FieldKind.Group)
        {
            IsOn = value is JsonObject;
            foreach (FormField child in Children)
            {
                child.Enter((value as JsonObject)?[child.Key]);
            }

            return;
        }

        Text = value switch
        {
            null => "",
            JsonArray items when Kind == FieldKind.List => string.Join(", ", items.Select(Plain)),
            _ => Plain(value),
        };
    }

    /// <summary>The field at a path; null when there is none.</summary>
    public FormField? Find(string path) => Path == path ? this : Children.Select(child => child.Find(path)).FirstOrDefault(found => found is not null);

    /// <summary>Whether this field or one in it has a problem at one of the paths.</summary>
    public bool Has(IReadOnlyCollection<string> paths) => paths.Any(path => path == Path || IsWithin(path) || (Kind == FieldKind.Group && Children.Any(child => child.Has([path]))));

    /// <summary>Whether the path is of an element of this field.</summary>
    public bool IsWithin(string path) =>
        Kind is FieldKind.List or FieldKind.Json && path.StartsWith(Path, StringComparison.Ordinal) && path.Length > Path.Length && path[Path.Length] is '[' or '.';

    private static FormField Of(string path, string key, JsonObject schema, bool isRequired)
    {
        string hint = (string?)schema["description"] ?? "";
        if (schema["enum"] is JsonArray words)
        {
            return new FormField(path, key, FieldKind.Choice)
            {
                Hint = hint,
                Choices = [.. words.Select(word => (string?)word).OfType<string>()],
                Default = Plain(schema["default"]),
                IsRequired = isRequired,
            };
        }

        string[] types = schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => (string)type!)],
            JsonValue one => [(string)one!],
            _ => [],
        };
        if (schema["properties"] is JsonObject properties)
        {
            string[] required = schema["required"] is JsonArray names ? [.. names.Select(name => (string)name!)] : [];
            return new FormField(path, key, FieldKind.Group)
            {
                Hint = hint,
                IsOptionalGroup = types.Contains("null"),
                IsRequired = isRequired,
                Children =
                [
                    .. properties.Where(property => property.Key != "$schema").Select(property => Of(
                        path.Length == 0 ? property.Key : $"{path}.{property.Key}", property.Key, property.Value!.AsObject(), required.Contains(property.Key))),
                ],
            };
        }

        FieldKind kind = types.FirstOrDefault(type => type != "null") switch
        {
            "integer" or "number" => FieldKind.Number,
            "boolean" => FieldKind.Flag,
            "array" => FieldKind.List,
            "string" => FieldKind.Text,
            _ => FieldKind.Json,
        };
        return new FormField(path, key, kind) { Hint = hint, Range = RangeOf(schema), Default = Plain(schema["default"]), IsRequired = isRequired };
    }

    private static string RangeOf(JsonObject schema)
    {
        string from = schema["minimum"] is { } least ? $"from {Plain(least)}" : schema["exclusiveMinimum"] is { } below ? $"above {Plain(below)}" : "";
        string to = schema["maximum"] is { } most ? $"to {Plain(most)}" : schema["exclusiveMaximum"] is { } above ? $"below {Plain(above)}" : "";
        return $"{from} {to}".Trim();
    }

    private static string Plain(JsonNode? value) => value switch
    {
        null => "",
        JsonArray items => string.Join(", ", items.Select(Plain)),
        JsonValue text when text.GetValueKind() == JsonValueKind.String => (string)text!,
        JsonValue number when number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out double wide) && wide != Math.Floor(wide) => wide.ToString(CultureInfo.InvariantCulture),
        _ => value.ToJsonString(),
    };

    private static JsonNode Number(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? value : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static JsonNode Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text) ?? JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
