using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Engine;

namespace Federated.Client.Engines;

/// <summary>
/// ONNX Runtime on the package's gradient graph; for losses alone on its evaluation graph. The other one is neither fetched nor opened.
/// </summary>
/// <param name="options">How graphs are run.</param>
public sealed class OnnxTrainingEngine(OnnxEngineOptions options) : ITrainingEngine
{
    /// <inheritdoc/>
    public string Name => TrainingEngines.Onnx;

    /// <inheritdoc/>
    public PackageFile GraphOf(PackageManifest manifest, ModelUse use)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return use == ModelUse.Losses ? manifest.Evaluation : manifest.Gradient;
    }

    /// <inheritdoc/>
    public ITrainableModel Load(PackageManifest manifest, ModelUse use, GraphSource graph)
    {
        bool losses = use == ModelUse.Losses;
        OnnxModel model = OnnxModel.Load(manifest, losses ? GraphSource.None : graph, losses ? graph : GraphSource.None, options);
        try
        {
            if (losses)
            {
                model.PrepareEvaluation();
            }
            else
            {
                model.PrepareTraining();
            }

            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
