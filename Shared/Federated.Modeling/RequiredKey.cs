using System.Text.Json.Nodes;

namespace Federated.Modeling;

/// <summary>Reads what a JSON document of other software must hold; a refusal names the key with the objects around it.</summary>
public static class RequiredKey
{
    /// <summary>The whole document.</summary>
    /// <exception cref="FormatException">It is no object.</exception>
    public static JsonObject Root(JsonNode? document) => document as JsonObject ?? throw new FormatException("it is no JSON object");

    /// <summary>The value of a key.</summary>
    /// <typeparam name="T">A number, a text, or one of <see cref="JsonObject"/> and <see cref="JsonArray"/>.</typeparam>
    /// <exception cref="FormatException">The key is missing, null or of another kind.</exception>
    public static T Of<T>(JsonObject parent, string key)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(parent);
        return Read<T>(parent[key], () => PathOf(parent, key));
    }

    /// <summary>The members of a list, in its order.</summary>
    /// <typeparam name="T">As for <see cref="Of"/>.</typeparam>
    /// <exception cref="FormatException">The key is missing, null or no list, or a member is null or of another kind.</exception>
    public static IReadOnlyList<T> AllOf<T>(JsonObject parent, string key)
        where T : notnull => [.. Of<JsonArray>(parent, key).Select((member, i) => Read<T>(member, () => $"{PathOf(parent, key)}[{i}]"))];

    private static T Read<T>(JsonNode? node, Func<string> path)
        where T : notnull => node switch
    {
        null => throw new FormatException($"{path()} is missing or null"),
        T typed => typed,
        JsonValue value when value.TryGetValue(out T? read) => read,
        _ => throw new FormatException($"{path()} is {Shown(node)} where {Wanted(typeof(T))} is needed"),
    };

    private static string PathOf(JsonObject parent, string key)
    {
        string path = parent.GetPath()[1..].TrimStart('.');
        return path.Length == 0 ? key : $"{path}.{key}";
    }

    private static string Shown(JsonNode node) => node switch
    {
        JsonObject => "an object",
        JsonArray => "a list",
        _ => node.ToJsonString(),
    };

    private static string Wanted(Type type) =>
        type == typeof(JsonObject) ? "an object"
        : type == typeof(JsonArray) ? "a list"
        : type == typeof(string) ? "a text"
        : type == typeof(double) ? "a number"
        : "a whole number";
}
