using Federated.Modeling;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Jobs;

/// <summary>Model packages in the content store, each named by the hash of its manifest.</summary>
internal sealed class PackageStore(ContentStore content)
{
    /// <summary>Stores a package's files and then its manifest.</summary>
    public async Task<ContentHash> PutAsync(ModelPackage package, CancellationToken ct)
    {
        foreach (byte[] file in new[] { package.GradientGraph, package.EvaluationGraph, package.ModelGraph, package.FrozenWeights })
        {
            // A package without graphs names an empty file, which must be there too.
            if (file.Length > 0 || package.Manifest.Model is null)
            {
                await content.PutAsync(file, ct);
            }
        }

        if (package.Manifest.Adapter is not null)
        {
            await content.PutAsync(AdapterDocument.ToBytes(0, package.InitialAdapter), ct);
        }

        return await content.PutAsync(package.Manifest.ToBytes(), ct);
    }

    /// <summary>Stores the manifest of a package whose files are stored already.</summary>
    /// <exception cref="ProtocolViolationException">It is no manifest, or a file is missing.</exception>
    public async Task<ContentHash> PutManifestAsync(byte[] document, CancellationToken ct)
    {
        await DemandFilesAsync(PackageManifest.FromBytes(document), ct);
        return await content.PutAsync(document, ct);
    }

    /// <summary>A stored package that a job can start from: its manifest and its initial adapter.</summary>
    /// <exception cref="ProtocolViolationException">The package or one of its files is not in the store.</exception>
    public async Task<(PackageManifest Manifest, float[] Adapter)> FindAsync(ContentHash package, CancellationToken ct)
    {
        PackageManifest manifest = PackageManifest.FromBytes((await GetAsync(package, "package", ct)).Span);
        await DemandFilesAsync(manifest, ct);
        if (manifest.Adapter is not { } file)
        {
            throw new ProtocolViolationException(
                ErrorCode.NotFound, $"Package '{manifest.Name}' states no initial adapter: it was built for a job. Name its builder, or import a model.");
        }

        float[] adapter = new float[manifest.Layout.Length];
        AdapterDocument.FromBytes(await GetAsync(ContentHash.Parse(file.Sha256), "adapter", ct), adapter.Length).CopyTo(adapter);
        return (manifest, adapter);
    }

    private async Task DemandFilesAsync(PackageManifest manifest, CancellationToken ct)
    {
        IEnumerable<PackageFile?> files = [.. manifest.FrozenWeights, manifest.Gradient, manifest.Evaluation, manifest.Model, manifest.Adapter];
        foreach (PackageFile file in files.OfType<PackageFile>())
        {
            if (await content.LengthAsync(ContentHash.Parse(file.Sha256), ct) != file.LengthBytes)
            {
                throw new ProtocolViolationException(
                    ErrorCode.NotFound, $"Package '{manifest.Name}' names the file {file.Sha256} of {file.LengthBytes} bytes, which is not in the store. Send it first.");
            }
        }
    }

    private async Task<ReadOnlyMemory<byte>> GetAsync(ContentHash hash, string what, CancellationToken ct) => await content.GetAsync(hash, ct)
        ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"There is no {what} {hash} in the store.");
}
