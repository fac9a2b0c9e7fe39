using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Cli;

/// <summary>Finds the package and the adapter that a person names: a folder, or a job of a server.</summary>
internal static class PackageSource
{
    /// <summary>The package with the adapter in the place of its initial one.</summary>
    /// <param name="name">A folder with a package, or a job's identifier.</param>
    /// <param name="adapter">An adapter's file, or a folder of PEFT, for a package folder; the package's initial adapter when null. Not for a job, which has its own.</param>
    /// <param name="server">Opens a connection to the server that has the job.</param>
    /// <param name="ct">Ends the downloads.</param>
    public static async Task<ModelPackage> OpenAsync(string name, FileInfo? adapter, Func<ServerApiClient> server, CancellationToken ct)
    {
        if (Directory.Exists(name))
        {
            ModelPackage package = PackageFolder.Read(name);
            return adapter is null ? package
                : Directory.Exists(adapter.FullName) ? PeftAdapter.ReadFolder(adapter.FullName).Into(package)
                : package with { InitialAdapter = Read(await File.ReadAllBytesAsync(adapter.FullName, ct), package.Manifest) };
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
        return new ModelPackage(manifest, [], [], Read(await api.AdapterAsync(name, ct), manifest)) { ModelGraph = graph, FrozenWeights = weights };
    }

    private static float[] Read(byte[] document, PackageManifest manifest)
    {
        float[] values = new float[manifest.Layout.Length];
        AdapterDocument.FromBytes(document, values.Length).CopyTo(values);
        return values;
    }
}
