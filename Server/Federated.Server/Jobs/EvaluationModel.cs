using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Engine;

namespace Federated.Server.Jobs;

/// <summary>
/// A package's evaluation graph, opened. Frozen weights are copied from the store into a folder of their own, which the engine maps, and which goes
/// with the model.
/// </summary>
internal sealed class EvaluationModel : IDisposable
{
    private readonly DirectoryInfo? _folder;

    private EvaluationModel(OnnxModel model, DirectoryInfo? folder)
    {
        Model = model;
        _folder = folder;
    }

    /// <summary>The model; only its evaluation graph can be opened.</summary>
    public OnnxModel Model { get; }

    /// <summary>Opens a stored package.</summary>
    public static async Task<EvaluationModel> OpenAsync(PackageManifest manifest, ContentStore content, CancellationToken ct)
    {
        if (manifest.FrozenWeights.Count == 0)
        {
            using MemoryStream bytes = new();
            await CopyAsync(manifest.Evaluation, content, bytes, ct);
            return new EvaluationModel(OnnxModel.Load(manifest, GraphSource.None, bytes.ToArray(), new OnnxEngineOptions()), null);
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-");
        try
        {
            foreach (PackageFile file in manifest.FrozenWeights.Append(manifest.Evaluation))
            {
                await using FileStream target = File.Create(Path.Combine(folder.FullName, file.Sha256));
                await CopyAsync(file, content, target, ct);
            }

            GraphSource evaluation = GraphSource.FromFile(Path.Combine(folder.FullName, manifest.Evaluation.Sha256));
            return new EvaluationModel(OnnxModel.Load(manifest, GraphSource.None, evaluation, new OnnxEngineOptions()), folder);
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        _folder?.Delete(recursive: true);
    }

    private static async Task CopyAsync(PackageFile file, ContentStore content, Stream target, CancellationToken ct)
    {
        await using Stream source = await content.OpenReadAsync(ContentHash.Parse(file.Sha256), 0, ct)
            ?? throw new InvalidDataException($"Object {file.Sha256} is not in the store; restore the store from a backup.");
        await source.CopyToAsync(target, ct);
    }
}
