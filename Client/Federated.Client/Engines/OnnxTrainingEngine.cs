using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Engine;

namespace Federated.Client.Engines;

/// <summary>ONNX Runtime on the package's gradient graph. Clients do not evaluate: the evaluation graph is neither fetched nor opened.</summary>
/// <param name="options">How graphs are run.</param>
public sealed class OnnxTrainingEngine(OnnxEngineOptions options) : ITrainingEngine
{
    /// <inheritdoc/>
    public string Name => TrainingEngines.Onnx;

    /// <inheritdoc/>
    public PackageFile GraphOf(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return manifest.Gradient;
    }

    /// <inheritdoc/>
    public ITrainableModel Load(PackageManifest manifest, GraphSource graph)
    {
        OnnxModel model = OnnxModel.Load(manifest, graph, GraphSource.None, options);
        try
        {
            model.PrepareTraining();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
