using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Federated.Server.Jobs;

/// <summary>
/// Reads settings that people write: JSON with comments and trailing commas, camelCase keys, enumerations as camelCase text. Anything
/// unknown, missing, of the wrong type, out of range or impossible together is refused, and all of it is told at once.
/// A record states its ranges with System.ComponentModel.DataAnnotations on its properties and its impossible combinations through
/// <see cref="ISettings"/>.
/// </summary>
public static class StrictJson
{
    private static readonly JsonDocumentOptions _documentOptions = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
        MaxDepth = 32,
    };

    /// <summary>How settings are mapped to records, for reading and writing.</summary>
    public static JsonSerializerOptions Options { get; } = CreateOptions();

    /// <summary>Reads a text into a record.</summary>
    /// <exception cref="InvalidSettingsException">It is not JSON, or its content is refused.</exception>
    public static T Read<T>(string json)
    {
        using JsonDocument document = ParseDocument(json);
        return Read<T>(document.RootElement, showValues: true);
    }

    /// <summary>Reads a text with secrets into a record: what is refused is told by its key, and no value is shown but by checks of the record itself.</summary>
    /// <exception cref="InvalidSettingsException">It is not JSON, or its content is refused.</exception>
    public static T ReadSecret<T>(string json)
    {
        using JsonDocument document = ParseDocument(json);
        return Read<T>(document.RootElement, showValues: false);
    }

    /// <summary>Reads a tree, for example after <see cref="ApplyOverride"/>, into a record.</summary>
    /// <exception cref="InvalidSettingsException">Its content is refused.</exception>
    public static T Read<T>(JsonNode root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return Read<T>(root.ToJsonString());
    }

    /// <summary>Parses a text into a tree that overrides can be applied to.</summary>
    /// <exception cref="InvalidSettingsException">It is not JSON, is null, or has a key twice.</exception>
    public static JsonNode Parse(string json)
    {
        using JsonDocument document = ParseDocument(json);
        List<SettingProblem> problems = [];
        SettingsWalk.FindRepeatedKeys(document.RootElement, "", problems);
        if (problems.Count > 0)
        {
            throw new InvalidSettingsException(problems);
        }

        // Comments are gone once the document is parsed, so its compact text is plain JSON.
        return JsonNode.Parse(JsonSerializer.Serialize(document.RootElement))
            ?? throw new InvalidSettingsException([new SettingProblem(SettingProblem.Root, "null", "an object")]);
    }

    /// <summary>
    /// Sets one key of a tree. The value is taken as JSON where it is JSON and as text otherwise. Objects on the way are created, so a
    /// misspelt path is refused when the tree is read. An element of an array is named by its number: <c>model.hidden.0=100</c>.
    /// </summary>
    /// <param name="root">The tree, changed in place.</param>
    /// <param name="assignment"><c>key.key=value</c>.</param>
    /// <exception cref="InvalidSettingsException">It has no key or no =, or the path leads through something that has no keys.</exception>
    public static void ApplyOverride(JsonNode root, string assignment)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(assignment);
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        string[] keys = equals > 0 ? assignment[..equals].Trim().Split('.') : [];
        if (keys.Length == 0 || keys.Any(string.IsNullOrWhiteSpace))
        {
            throw Refuse(assignment, "the override", "key=value, for example cohort.goal=5");
        }

        JsonNode at = root;
        for (int i = 0; i < keys.Length - 1; i++)
        {
            if (Child(at, keys, i) is not { } child)
            {
                child = new JsonObject();
                Assign(at, keys, i, child);
            }

            at = child;
        }

        Assign(at, keys, keys.Length - 1, ParseValue(assignment[(equals + 1)..].Trim()));
    }

    internal static JsonDocument ParseDocument(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonDocument.Parse(json, _documentOptions);
        }
        catch (JsonException e)
        {
            throw Refuse(SettingProblem.Root, $"the text at line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}", "JSON; comments and trailing commas may stay");
        }
    }

    private static T Read<T>(JsonElement root, bool showValues)
    {
        List<SettingProblem> problems = [];
        SettingsWalk walk = new(Options, problems, showValues);
        walk.Visit(root, Options.GetTypeInfo(typeof(T)), "");
        return problems.Count == 0
            ? root.Deserialize<T>(Options)!
            : throw new InvalidSettingsException(problems);
    }

    private static JsonNode? Child(JsonNode node, string[] keys, int index) => node switch
    {
        JsonObject o => o[keys[index]],
        JsonArray a when TryElement(a, keys[index], out int element) => a[element],
        _ => throw NoKeys(node, keys, index),
    };

    private static void Assign(JsonNode node, string[] keys, int index, JsonNode? value)
    {
        switch (node)
        {
            case JsonObject o:
                o[keys[index]] = value;
                break;
            case JsonArray a when TryElement(a, keys[index], out int element):
                a[element] = value;
                break;
            default:
                throw NoKeys(node, keys, index);
        }
    }

    private static bool TryElement(JsonArray array, string key, out int element) => int.TryParse(key, out element) && element >= 0 && element < array.Count;

    private static InvalidSettingsException NoKeys(JsonNode node, string[] keys, int index) => Refuse(
        string.Join('.', keys.Take(index + 1)),
        $"an override below {node.ToJsonString()}",
        node is JsonArray array ? $"an element number below {array.Count}, or an override of the whole array" : "an override of that value itself");

    private static JsonNode? ParseValue(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: _documentOptions);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static InvalidSettingsException Refuse(string path, string value, string allowed) => new([new SettingProblem(path, value, allowed)]);

    private static JsonSerializerOptions CreateOptions()
    {
        JsonSerializerOptions options = new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
            AllowTrailingCommas = true,
            ReadCommentHandling = JsonCommentHandling.Skip,
            RespectNullableAnnotations = true,
            WriteIndented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        };
        options.MakeReadOnly();
        return options;
    }
}
