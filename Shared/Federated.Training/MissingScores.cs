using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>Packages that were made before evaluation graphs gave scores.</summary>
public static class MissingScores
{
    /// <summary>What an engine throws that is asked for scores of such a package.</summary>
    public static NotSupportedException Of(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new NotSupportedException(
            $"The evaluation graph of package '{manifest.Name}' gives no scores: an older version of this software made it. Submit the job again, or import the model again.");
    }
}
