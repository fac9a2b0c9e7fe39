using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Torch;

namespace Federated.Client.Engines;

/// <summary>
/// torch on the package's evaluation graph, whose gradients its automatic differentiation finds. Part of the client only in a build with
/// <c>-p:TorchEngine=true</c>: its libraries are twenty times as large as all the rest.
/// </summary>
/// <param name="options">How graphs are run.</param>
public sealed class TorchTrainingEngine(TorchEngineOptions options) : ITrainingEngine
{
    /// <inheritdoc/>
    public string Name => TrainingEngines.Torch;

    /// <inheritdoc/>
    public PackageFile GraphOf(PackageManifest manifest, ModelUse use)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return manifest.Evaluation;
    }

    /// <inheritdoc/>
    public ITrainableModel Load(PackageManifest manifest, ModelUse use, GraphSource graph) => TorchModel.Load(manifest, graph, options);
}
