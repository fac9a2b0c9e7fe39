using System.ComponentModel;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>How devices write their updates.</summary>
public sealed record UpdateSettings : ISettings
{
    [Description("denseFloat32: every parameter as float32.")]
    public UpdateEncoding Encoding { get; init; } = UpdateEncoding.DenseFloat32;

    [Description("Mask updates so that the server sees only their sum. This version offers false alone.")]
    public bool SecureAggregation { get; init; }

    /// <inheritdoc/>
    public IEnumerable<SettingProblem> Validate(string path)
    {
        if (SecureAggregation)
        {
            yield return new SettingProblem(
                SettingProblem.At(path, "secureAggregation"), "true", "false: this version cannot mask updates, and does not pretend to");
        }
    }
}
