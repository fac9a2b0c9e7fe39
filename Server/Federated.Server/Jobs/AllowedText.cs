using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Federated.Server.Jobs;

/// <summary>Says in words what a setting may be, from its type and its validation attributes.</summary>
internal static class AllowedText
{
    /// <summary>The rules on a property.</summary>
    public static IEnumerable<ValidationAttribute> Rules(JsonPropertyInfo property) =>
        (property.AttributeProvider as MemberInfo)?.GetCustomAttributes<ValidationAttribute>() ?? [];

    /// <summary>What a property may be.</summary>
    public static string For(JsonPropertyInfo property, JsonSerializerOptions options)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        ValidationAttribute[] rules = [.. Rules(property)];

        // A range says more than the type's own.
        bool isWhole = !type.IsEnum && Type.GetTypeCode(type) is TypeCode.Int32 or TypeCode.Int64 or TypeCode.UInt64;
        string text = isWhole && rules.OfType<RangeAttribute>().Any() ? "a whole number" : For(type, options);
        return rules.Length == 0 ? text : $"{text}: {string.Join(", ", rules.Select(For))}";
    }

    /// <summary>What a value of this type may be.</summary>
    public static string For(Type type, JsonSerializerOptions options)
    {
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        if (bare.IsEnum)
        {
            return string.Join(", ", EnumNames(bare, options));
        }

        JsonTypeInfo info = options.GetTypeInfo(bare);
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => $"an object with {string.Join(", ", info.Properties.Where(property => property.Set is not null).Select(property => property.Name))}",
            JsonTypeInfoKind.Enumerable => $"an array, each entry {For(info.ElementType ?? typeof(object), options)}",
            JsonTypeInfoKind.Dictionary => $"an object, each value {For(info.ElementType ?? typeof(object), options)}",
            _ => Type.GetTypeCode(bare) switch
            {
                TypeCode.Boolean => "true or false",
                TypeCode.String => "text",
                TypeCode.Int32 => $"a whole number {int.MinValue} to {int.MaxValue}",
                TypeCode.Int64 => "a whole number of 64 bits",
                TypeCode.UInt64 => $"a whole number 0 to {ulong.MaxValue}",
                TypeCode.Double or TypeCode.Single => "a number",
                TypeCode.Object when bare == typeof(Uri) => "an address",
                _ => $"a {bare.Name}",
            },
        };
    }

    /// <summary>What a rule allows.</summary>
    public static string For(ValidationAttribute rule) => rule switch
    {
        RangeAttribute range => (range.MinimumIsExclusive, range.MaximumIsExclusive) switch
        {
            (false, false) => $"{range.Minimum} to {range.Maximum}",
            (true, false) => $"above {range.Minimum} to {range.Maximum}",
            (false, true) => $"{range.Minimum} to below {range.Maximum}",
            (true, true) => $"above {range.Minimum} to below {range.Maximum}",
        },
        LengthAttribute length => $"{length.MinimumLength} to {length.MaximumLength} entries or characters",
        MinLengthAttribute { ErrorMessage: { } message } => message,
        RequiredAttribute => "text that is not empty",
        _ => rule.FormatErrorMessage("the value"),
    };

    /// <summary>The names of an enumeration as they are written in JSON.</summary>
    public static IEnumerable<string> EnumNames(Type type, JsonSerializerOptions options) =>
        Enum.GetValues(type).Cast<object>().Select(value => NameOf(value, options));

    /// <summary>The name of an enumeration's value as it is written in JSON.</summary>
    public static string NameOf(object value, JsonSerializerOptions options) =>
        JsonSerializer.SerializeToElement(value, value.GetType(), options).GetString()!;
}
