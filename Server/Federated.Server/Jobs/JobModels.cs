using System.Buffers;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Collection;
using Federated.Server.Grains;
using Federated.Server.Privacy;
using Federated.Server.Storage;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Jobs;

/// <summary>Builds a job's model package, or finds it in the store, and gives the adapter that training starts from.</summary>
internal sealed class JobModels(IBlobStore blobs, ContentStore content, PackageStore packages, HotObjects hot)
{
    /// <summary>Authors the package that the spec asks for and stores it with the initial adapter as model version 0.</summary>
    public async Task<(ContentHash Package, CommittedModel Model)> CreateAsync(string jobId, JobSpec spec, CancellationToken ct)
    {
        (ContentHash manifest, float[] initial) = await PackageAsync(spec, ct);
        byte[] adapter = AdapterDocument.ToBytes(0, initial);
        ContentHash hash = await PutAdapterAsync(jobId, adapter, ct);
        await WriteCheckpointAsync(jobId, 0, new CommittedModel(0, hash, adapter.Length), "none", initial.Length, [], ct);
        return (manifest, new CommittedModel(0, hash, adapter.Length));
    }

    /// <summary>Demands that the model can be had, before a job is there that would fail on it. Stores its package on the way.</summary>
    /// <returns>The package's manifest.</returns>
    /// <exception cref="InvalidSettingsException">It cannot; the exception says why.</exception>
    /// <exception cref="IOException">The store failed, which is not the model's fault.</exception>
    public async Task<PackageManifest> CheckAsync(JobSpec spec, CancellationToken ct)
    {
        try
        {
            (ContentHash package, _) = await PackageAsync(spec, ct);
            PackageManifest manifest = await ManifestAsync(package, ct);
            JobLora.Check(spec, manifest);
            if (spec.Privacy is not null)
            {
                // Throws here what would otherwise end every round, or the job before its first.
                LinearRound first = LinearSettings.RoundOf(
                    spec, 1, spec.Training.Directions?.ToPlan(spec.Seed, 1).Count ?? manifest.Layout.Length, spec.Update.ClipNorm, spec.Cohort.CohortSize);
                if (PrivacySettings.BudgetProblem(spec, PrivacyCost.Of(spec, first).Spent(spec.Privacy.Delta).Epsilon) is { } problem)
                {
                    throw new InvalidSettingsException([problem]);
                }
            }

            return manifest;
        }
        catch (Exception e) when (e is ArgumentException or InvalidDataException or OnnxFormatException or ProtocolViolationException)
        {
            throw new InvalidSettingsException([new SettingProblem("model", $"a model that cannot be had ({e.Message})", "a builder with sizes that fit, or a package that is there")]);
        }
    }

    /// <summary>Opens a package's evaluation graph.</summary>
    public Task<EvaluationModel> OpenEvaluationAsync(PackageManifest manifest, CancellationToken ct) => EvaluationModel.OpenAsync(manifest, content, ct);

    /// <summary>The manifest of a stored package.</summary>
    public async Task<PackageManifest> ManifestAsync(ContentHash package, CancellationToken ct) =>
        PackageManifest.FromBytes((await RequireAsync(package, ct)).Span);

    /// <summary>How a round's updates of LoRA factors are read; null for a round without a LoRA rule.</summary>
    public async Task<LoraUpdates?> LoraUpdatesAsync(RoundStart start, CancellationToken ct)
    {
        if (start.Lora is not { } lora)
        {
            return null;
        }

        PlanDocument plan = PlanDocument.FromBytes(start.Plan);
        LoraLayout layout = LoraLayout.Of(await ManifestAsync(plan.Package, ct));
        ILoraRule rule = LoraRule.Create(lora.Rule, layout, lora.AveragingBias, plan.Seed, lora.Layers?.ToPace());
        float[] adapter = new float[rule.SumsUpdatesAsSent ? 0 : start.ParameterCount];
        if (!rule.SumsUpdatesAsSent)
        {
            AdapterDocument.FromBytes(await RequireAsync(plan.Adapter, ct), start.ParameterCount).CopyTo(adapter);
        }

        return new LoraUpdates(rule, layout, start.Round, start.Cohort.Zip(lora.Ranks, KeyValuePair.Create), adapter);
    }

    /// <summary>Stores a job's adapter document and keeps it at hand: a whole cohort is about to download it.</summary>
    public async Task<ContentHash> PutAdapterAsync(string jobId, byte[] document, CancellationToken ct)
    {
        ContentHash hash = await content.PutAsync(document, Holder(jobId), ct);
        hot.Offer(hash, document);
        return hash;
    }

    /// <summary>Stores a document that the devices of a round download, and keeps it at hand.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="subject">What of the job holds it: the same document may belong to several rounds.</param>
    /// <param name="document">Its bytes.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<ObjectReference> PutDocumentAsync(string jobId, string subject, byte[] document, CancellationToken ct)
    {
        ContentHash hash = await content.PutAsync(document, Holder(jobId, subject), ct);
        hot.Offer(hash, document);
        return new ObjectReference(hash, document.Length);
    }

    /// <summary>Forgets such a document, unless something else holds it.</summary>
    public async Task ForgetDocumentAsync(string jobId, string subject, ContentHash hash, CancellationToken ct)
    {
        if (await content.ReleaseAsync(hash, Holder(jobId, subject), ct))
        {
            hot.Drop(hash);
        }
    }

    /// <summary>An object that must be there.</summary>
    public async Task<ReadOnlyMemory<byte>> RequireAsync(ContentHash hash, CancellationToken ct) => await content.GetAsync(hash, ct)
        ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"Object {hash} is not in the store; restore the store from a backup.");

    /// <summary>Writes the checkpoint of a version.</summary>
    public async Task WriteCheckpointAsync(
        string jobId, long round, CommittedModel model, string optimizer, int parameterCount, IReadOnlyList<float[]> slots, CancellationToken ct)
    {
        CheckpointDocument checkpoint = new()
        {
            JobId = jobId,
            Round = round,
            ModelVersion = model.Version,
            Optimizer = optimizer,
            ParameterCount = parameterCount,
            Adapter = model.Adapter,
            OptimizerState = [.. slots],
        };
        await blobs.WriteAsync(
            StorageNames.Checkpoint(jobId, model.Version), new ReadOnlySequence<byte>(checkpoint.ToBytes()), WriteCondition.Always, ct);
    }

    /// <summary>The checkpoint of a version.</summary>
    public async Task<CheckpointDocument> ReadCheckpointAsync(string jobId, long version, CancellationToken ct)
    {
        Blob blob = await blobs.ReadAsync(StorageNames.Checkpoint(jobId, version), ct)
            ?? throw new ProtocolViolationException(ErrorCode.NotFound, $"Checkpoint {version} of job {jobId} is not in the store.");
        return CheckpointDocument.FromBytes(blob.Content);
    }

    /// <summary>Lets go of the copy at hand of an adapter whose round is over: stragglers are served from the store.</summary>
    public void SetAside(ContentHash adapter) => hot.Drop(adapter);

    /// <summary>Forgets a version that nothing of the job may start from any more.</summary>
    public async Task ForgetAsync(string jobId, CommittedModel model, CancellationToken ct)
    {
        await blobs.DeleteAsync(StorageNames.Checkpoint(jobId, model.Version), WriteCondition.Always, ct);
        if (await content.ReleaseAsync(model.Adapter, Holder(jobId), ct))
        {
            hot.Drop(model.Adapter);
        }
    }

    private static string Holder(string jobId) => $"job-{jobId}";

    private static string Holder(string jobId, string subject) => $"job-{jobId}.{subject}";

    /// <summary>Stores the job's package, or finds it, and gives the adapter to start from.</summary>
    private async Task<(ContentHash Package, float[] Adapter)> PackageAsync(JobSpec spec, CancellationToken ct)
    {
        bool merges = spec.Aggregation.Lora?.Rule == LoraRuleKind.Flora;
        if (ContentHash.TryParse(spec.Model.Package, out ContentHash stored))
        {
            return merges
                ? throw new InvalidDataException(
                    "aggregation.lora.rule = flora moves the adapted weights of a package, which it does for a folder or a builder and not for a stored package")
                : (stored, (await packages.FindAsync(stored, ct)).Adapter);
        }

        ModelPackage package = spec.Model.Package is { } folder ? ReadFolder(folder) : await BuildAsync(spec, ct);
        package = merges ? MergeablePackage.Of(package) : package;
        return (await packages.PutAsync(package, ct), package.InitialAdapter);
    }

    private static ModelPackage ReadFolder(string folder)
    {
        try
        {
            return PackageFolder.Read(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>A file that the spec names and that cannot be read is the spec's fault; every other failure to read or write is the store's.</summary>
    private static InvalidDataException Unreadable(Exception failure) => new(failure.Message, failure);

    private async Task<ModelPackage> BuildAsync(JobSpec spec, CancellationToken ct)
    {
        if (spec.Model.Builder == JobModelBuilder.Vector)
        {
            return VectorPackage.Build(spec.Model.Parameters!.Value);
        }

        ModelSpec model = spec.Model.ToSpec();
        return spec.Model.Base is { } start
            ? ModelPackage.Build(model, spec.Seed, await WeightsAsync(start, model, ct))
            : ModelPackage.Build(model, spec.Seed);
    }

    /// <summary>The weights of a model trained as a whole: a file's, or those of another job.</summary>
    private async Task<float[]> WeightsAsync(string start, ModelSpec model, CancellationToken ct)
    {
        ParameterLayout layout = ModelBuilders.Build(model.AsWhole()).Layout;
        if (!ContentHash.TryParse(start, out ContentHash adapter))
        {
            return WeightsFile.Read(await ReadWeightsAsync(start, layout, ct), layout);
        }

        float[] weights = new float[layout.Length];
        AdapterDocument.FromBytes(await RequireAsync(adapter, ct), weights.Length).CopyTo(weights);
        return weights;
    }

    /// <summary>A file whose length is looked at before it is read: whoever writes a job's spec may name any file, a device without an end as well.</summary>
    private static async Task<byte[]> ReadWeightsAsync(string path, ParameterLayout layout, CancellationToken ct)
    {
        try
        {
            return await ReadFileAsync(path, layout, ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e);
        }
    }

    private static async Task<byte[]> ReadFileAsync(string path, ParameterLayout layout, CancellationToken ct)
    {
        await using FileStream file = File.OpenRead(path);
        long most = Math.Min(Array.MaxLength, SafetensorsFile.MaxHeaderBytes + sizeof(ulong) + (sizeof(float) * (long)layout.Length));
        if (!file.CanSeek || file.Length == 0 || file.Length > most)
        {
            throw new InvalidDataException(
                $"{path} has {(file.CanSeek ? file.Length : 0)} bytes; the weights of this model are a file of 1 to {most}");
        }

        byte[] content = new byte[file.Length];
        await file.ReadExactlyAsync(content, ct);
        return content;
    }
}
