using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Shared.Models;

namespace Federated.Server.Storage;

/// <summary>How grain state is written: JSON that a person can read, camelCase, enums by name, NaN and infinities allowed.</summary>
internal static class GrainStateJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.General)
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // Never embedded in a page.
        Converters = { new JsonStringEnumConverter(), new ContentHashConverter() },
    };

    /// <summary>A hash is its hexadecimal text, as a value and as a key.</summary>
    private sealed class ContentHashConverter : JsonConverter<ContentHash>
    {
        public override ContentHash Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

        public override void Write(Utf8JsonWriter writer, ContentHash value, JsonSerializerOptions options) => writer.WriteStringValue(value.Hex);

        public override ContentHash ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

        public override void WriteAsPropertyName(Utf8JsonWriter writer, ContentHash value, JsonSerializerOptions options) => writer.WritePropertyName(value.Hex);

        private static ContentHash Parse(string? text) => ContentHash.TryParse(text, out ContentHash hash)
            ? hash
            : throw new JsonException($"'{text}' is not a SHA-256 of {2 * ContentHash.LengthBytes} hexadecimal characters.");
    }
}
