using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Federated.Server.Jobs;

/// <summary>
/// Writes the JSON Schema (draft 2020-12) of a settings record from the same types and attributes that <see cref="StrictJson"/>
/// checks, so that an editor tells most mistakes before the software does. Impossible combinations are left to the software.
/// </summary>
public static class SettingsSchema
{
    private static readonly JsonSchemaExporterOptions _exporter = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = Complete,
    };

    /// <summary>The schema as indented text with a final newline.</summary>
    /// <param name="title">What the file is, for people.</param>
    public static string TextOf<T>(string title)
    {
        JsonObject exported = StrictJson.Options.GetJsonSchemaAsNode(typeof(T), _exporter).AsObject();
        JsonObject schema = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = title,
        };
        foreach ((string key, JsonNode? value) in exported)
        {
            schema[key] = value?.DeepClone();
        }

        schema["properties"]!.AsObject().Insert(0, SettingsWalk.SchemaKey, new JsonObject
        {
            ["description"] = "Where this schema lies, for editors; the software ignores it.",
            ["type"] = "string",
        });
        return schema.ToJsonString(StrictJson.Options) + "\n";
    }

    private static JsonNode Complete(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
        {
            return node;
        }

        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object && schema.ContainsKey("properties"))
        {
            schema["additionalProperties"] = false;
        }

        if (context.PropertyInfo is { AttributeProvider: MemberInfo member } property)
        {
            if (member.GetCustomAttribute<DescriptionAttribute>() is { } description)
            {
                schema.Insert(0, "description", description.Description);
            }

            foreach (ValidationAttribute rule in AllowedText.Rules(property))
            {
                AddRule(schema, rule, property.PropertyType == typeof(string));
            }

            AddDefault(schema, property, member);
        }

        return schema;
    }

    private static void AddRule(JsonObject schema, ValidationAttribute rule, bool isText)
    {
        switch (rule)
        {
            case RangeAttribute range:
                schema[range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum"] = JsonSerializer.SerializeToNode(range.Minimum);
                schema[range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum"] = JsonSerializer.SerializeToNode(range.Maximum);
                break;
            case LengthAttribute length:
                schema[isText ? "minLength" : "minItems"] = length.MinimumLength;
                schema[isText ? "maxLength" : "maxItems"] = length.MaximumLength;
                break;
            case MinLengthAttribute length:
                schema[isText ? "minLength" : "minItems"] = length.Length;
                break;
            case RequiredAttribute:
                schema["minLength"] = 1;
                break;
            case IdentifierAttribute:
                schema["pattern"] = IdentifierAttribute.Pattern;
                break;
            default:
                throw new NotSupportedException($"No schema keyword is known for {rule.GetType().Name}.");
        }
    }

    // Only plain values: a section's defaults stand at its own keys.
    private static void AddDefault(JsonObject schema, JsonPropertyInfo property, MemberInfo member)
    {
        if (property.IsRequired || member.DeclaringType?.GetConstructor(Type.EmptyTypes) is not { } constructor || property.Get is not { } get)
        {
            return;
        }

        object? value = get(constructor.Invoke(null));
        if (value is null || value is string || value.GetType().IsValueType)
        {
            schema["default"] = value is null ? null : JsonSerializer.SerializeToNode(value, value.GetType(), StrictJson.Options);
        }
    }
}
