using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Client.Operations;

/// <summary>What <see cref="LocalHttp"/> answers: a status line and JSON.</summary>
/// <param name="Status">For example <c>200 OK</c>.</param>
/// <param name="Json">UTF-8; may be empty.</param>
internal sealed record LocalAnswer(string Status, byte[] Json)
{
    // Nothing of it becomes part of a page, so that what people read need not be escaped.
    private static readonly JsonWriterOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Says what is wrong: <c>{"error": …}</c>.</summary>
    public static LocalAnswer Error(string status, string message) => new(status, Object(writer => writer.WriteString("error", message)));

    /// <summary>One JSON object, UTF-8.</summary>
    /// <param name="members">Writes what is in it.</param>
    public static byte[] Object(Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes, _plain))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }
}
