using Federated.Modeling;
using Federated.Shared.Models;

namespace Federated.Server.Jobs;

/// <summary>
/// A model that is nothing but P numbers: no graphs, clients return it unchanged. It measures what the platform itself costs.
/// </summary>
internal static class VectorPackage
{
    private static readonly PackageFile _nothing = new(ContentHash.Of([]).Hex, 0);

    /// <summary>A package of P = <paramref name="parameters"/> parameters, all zero at first.</summary>
    public static ModelPackage Build(int parameters) => new(
        new PackageManifest
        {
            Format = PackageManifest.CurrentFormat,
            Name = $"vector-{parameters}",
            Task = ModelTask.Classification,
            Inputs = [new PackageInput(PackageManifest.FeaturesInput, ElementType.Float32, [1])],
            Labels = new PackageLabels(ElementType.Int64, [], 2),
            Parameters = [new PackageParameter("vector", [parameters])],
            FullModelParameters = parameters,
            Gradient = _nothing,
            Evaluation = _nothing,
        },
        [],
        [],
        new float[parameters]);
}
