using Federated.Server.Grains;
using Federated.Server.Jobs;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Microsoft.AspNetCore.Mvc;

namespace Federated.Server.Api;

/// <summary>A job's model as the API lists it.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Model">Name of the package.</param>
/// <param name="Version">Committed version.</param>
/// <param name="AdapterSha256">Hash of the adapter document.</param>
/// <param name="Parameters">Trainable parameters.</param>
/// <param name="Accuracy">Accuracy of the last central evaluation.</param>
/// <param name="Evaluation">Last central evaluation, with the score of its task.</param>
public sealed record ModelDescription(string JobId, string Model, long Version, string AdapterSha256, long Parameters, double? Accuracy, CentralEvaluation? Evaluation = null);

/// <summary>Maps models, their versions, and the objects and packages behind them.</summary>
internal static class ModelRoutes
{
    private const string Tag = "models";

    /// <summary>Adds the routes.</summary>
    public static void MapModelRoutes(this RouteGroupBuilder api)
    {
        api.MapGet("/models", ModelsAsync).Says<List<ModelDescription>>("The models of all jobs", Tag);
        api.MapGet("/models/{id}", VersionsAsync).Says<List<ModelVersion>>("The versions of a job's model", Tag);
        api.MapGet("/jobs/{id}/adapter", AdapterAsync).Says<byte[]>("The adapter's document, of the committed version or of one that is kept", Tag, mediaType: "application/vnd.federated.adapter+msgpack");
        api.MapPut("/objects", PackageRoutes.PutObjectAsync).WithMetadata(new DisableRequestSizeLimitAttribute())
            .Accepts<byte[]>("application/octet-stream").Says<ObjectDescription>("Store an object", Tag);
        api.MapGet("/objects/{sha256}", PackageRoutes.GetObjectAsync).Says<byte[]>("An object", Tag, mediaType: "application/octet-stream");
        api.MapPost("/packages", PackageRoutes.PostPackageAsync).WithMetadata(new RequestSizeLimitAttribute(PackageRoutes.MaxManifestBytes))
            .Accepts<byte[]>("application/octet-stream").Says<PackageDescription>("Store the manifest of a package whose files are stored", Tag);
    }

    private static async Task<IResult> AdapterAsync(string id, IGrainFactory grains, Collection.HotObjects objects, CancellationToken ct, long? version = null)
    {
        JobStatus status = await FederatedApi.StatusAsync(grains, id);
        Dictionary<long, string> kept = await FederatedApi.DemandJob(grains, id).KeptVersions();
        long asked = version ?? status.ModelVersion;
        ReadOnlyMemory<byte>? bytes = kept.TryGetValue(asked, out string? sha256) ? await objects.FindAsync(ContentHash.Parse(sha256), ct) : null;
        return bytes is { } content
            ? Results.Bytes(content.ToArray(), "application/vnd.federated.adapter+msgpack", $"{id}-{asked}.adapter")
            : throw new ProtocolViolationException(
                ErrorCode.NotFound, $"The adapter of job {id} version {asked} is not in the store. Kept are the versions {string.Join(", ", kept.Keys.Order())}.");
    }

    private static async Task<IResult> VersionsAsync(string id, IGrainFactory grains)
    {
        JobStatus status = await FederatedApi.StatusAsync(grains, id);
        IJobGrain job = FederatedApi.DemandJob(grains, id);
        return FederatedApi.Json(ModelVersions.Of(status, await job.Rounds(0, TimeSpan.Zero), await job.KeptVersions()));
    }

    private static async Task<IResult> ModelsAsync(IGrainFactory grains, JobModels models, CancellationToken ct)
    {
        List<ModelDescription> result = [];
        foreach (JobStatus job in (await FederatedApi.AllAsync(grains)).Where(job => job.IsKnown))
        {
            PackageManifest manifest = await models.ManifestAsync(ContentHash.Parse(job.PackageSha256), ct);
            result.Add(new ModelDescription(job.JobId, manifest.Name, job.ModelVersion, job.AdapterSha256, manifest.Layout.Length, job.Accuracy, job.Evaluation));
        }

        return FederatedApi.Json(result);
    }
}
