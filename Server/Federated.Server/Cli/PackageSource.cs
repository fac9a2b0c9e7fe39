using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Cli;

/// <summary>A package with the adapter that a person named in the place of its initial one.</summary>
/// <param name="Package">The package.</param>
/// <param name="Version">Version of the adapter: 0 before the first round; null where nothing says it, as for an adapter of other software.</param>
/// <param name="Job">The job that made it; null for a folder.</param>
/// <param name="Round">The job's round that made this version, 0 for none; null for a folder.</param>
/// <param name="Evaluation">The job's evaluation of this version; null where there is none.</param>
internal sealed record OpenedPackage(ModelPackage Package, long? Version, string? Job = null, long? Round = null, CentralEvaluation? Evaluation = null);

/// <summary>Finds the package and the adapter that a person names: a folder, or a job of a server.</summary>
internal static class PackageSource
{
    private const string SafetensorsExtension = ".safetensors";

    /// <summary>The package with the adapter in the place of its initial one.</summary>
    /// <param name="name">A folder with a package, or a job's identifier.</param>
    /// <param name="adapter">
    /// For a package folder: an adapter's document, a file of its tensors as the export <c>safetensors</c> writes it, or a folder of PEFT or the file of tensors in one; the
    /// package's initial adapter when null. Not for a job, which has its own.
    /// </param>
    /// <param name="server">Opens a connection to the server that has the job.</param>
    /// <param name="ct">Ends the downloads.</param>
    public static async Task<OpenedPackage> OpenAsync(string name, FileInfo? adapter, Func<ServerApiClient> server, CancellationToken ct)
    {
        if (Directory.Exists(name))
        {
            ModelPackage package = PackageFolder.Read(name);
            return adapter is null ? new OpenedPackage(package, 0) : await WithAsync(package, adapter.FullName, ct);
        }

        if (adapter is not null)
        {
            throw new CommandException("--adapter belongs to a package folder; a job's own adapter is exported.");
        }

        if (!ProtocolLimits.IsIdentifier(name))
        {
            throw new CommandException($"'{name}' is no folder and no job's identifier.");
        }

        using ServerApiClient api = server();
        JobStatus job = await api.GetJobAsync(name, ct);
        PackageManifest manifest = PackageManifest.FromBytes(await api.ObjectAsync(job.PackageSha256, ct));
        byte[] graph = manifest.Model is { } model ? await api.ObjectAsync(model.Sha256, ct) : [];
        byte[] weights = manifest.FrozenWeights.Count == 1 ? await api.ObjectAsync(manifest.FrozenWeights[0].Sha256, ct) : [];
        (float[] values, long version) = Read(await api.AdapterAsync(name, ct), manifest);

        // The job may have gone on since: what the document says is what was fetched.
        ModelVersion? made = (await api.ModelVersionsAsync(name, ct)).FirstOrDefault(candidate => candidate.Version == version);
        return new OpenedPackage(new ModelPackage(manifest, [], [], values) { ModelGraph = graph, FrozenWeights = weights }, version, name, made?.Round, made?.Evaluation);
    }

    private static async Task<OpenedPackage> WithAsync(ModelPackage package, string path, CancellationToken ct)
    {
        string peft = Path.GetFileName(path) == PeftAdapter.WeightsFile ? Path.GetDirectoryName(path)! : path;
        if (Directory.Exists(peft))
        {
            return new OpenedPackage(PeftAdapter.ReadFolder(peft).Into(package), null);
        }

        if (!File.Exists(path))
        {
            throw new CommandException($"--adapter: there is no file and no folder '{path}'.");
        }

        byte[] content = await File.ReadAllBytesAsync(path, ct);
        if (Path.GetExtension(path) == SafetensorsExtension)
        {
            return new OpenedPackage(package with { InitialAdapter = AdapterTensors.ToAdapter(package.Manifest, SafetensorsFile.Read(content)) }, null);
        }

        (float[] values, long version) = Read(content, package.Manifest);
        return new OpenedPackage(package with { InitialAdapter = values }, version);
    }

    private static (float[] Values, long Version) Read(byte[] document, PackageManifest manifest)
    {
        float[] values = new float[manifest.Layout.Length];
        AdapterDocument read = AdapterDocument.FromBytes(document, values.Length);
        read.CopyTo(values);
        return (values, read.ModelVersion);
    }
}
