using System.ComponentModel.DataAnnotations;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>The text is an identifier of the protocol.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IdentifierAttribute : ValidationAttribute
{
    /// <summary>The same rule as a regular expression, for schemas.</summary>
    public const string Pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$";

    /// <summary>Says what an identifier is.</summary>
    public IdentifierAttribute()
        : base("1 to 128 characters of A-Z a-z 0-9 . _ - that do not begin with a dot")
    {
    }

    /// <inheritdoc/>
    public override bool IsValid(object? value) => value is string text && ProtocolLimits.IsIdentifier(text);
}
