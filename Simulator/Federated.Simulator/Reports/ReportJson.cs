using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Federated.Simulator.Reports;

/// <summary>How reports are written: camelCase, enums by name, doubles in the shortest form that reads back the same.</summary>
internal static class ReportJson
{
    /// <summary>One object a line.</summary>
    public static readonly JsonSerializerOptions Line = Make(indented: false);

    /// <summary>For a file a person opens.</summary>
    public static readonly JsonSerializerOptions Indented = Make(indented: true);

    /// <summary>Without named floating-point literals, for schemas: a summary holds none.</summary>
    public static readonly JsonSerializerOptions Plain = new(Line) { NumberHandling = JsonNumberHandling.Strict, TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    private static JsonSerializerOptions Make(bool indented) => new(JsonSerializerDefaults.Web)
    {
        WriteIndented = indented,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
}
