using System.Numerics.Tensors;
using Federated.Server.Aggregation;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Server.Privacy;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Downlink;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Training;

namespace Federated.Server.Jobs;

/// <summary>
/// The heavy half of a job: adapter, optimizer state and evaluation model in memory. A grain holds one and calls it off its own
/// scheduler. Not thread-safe.
/// </summary>
internal sealed class JobRuntime : IDisposable
{
    /// <summary>Who holds changes and rounded adapters in the store.</summary>
    public const string DownlinkHolder = "downlink";

    private readonly string _jobId;
    private readonly JobModels _models;
    private readonly IServerOptimizer _optimizer;
    private readonly IExampleSource? _heldOut;
    private readonly int _evaluationThreads;
    private readonly float[] _adapter;
    private readonly JobSpec _spec;
    private float[] _mean = [];
    private float[][] _slots;
    private JobIndexSets _sets = new([]);
    private JobDownlink? _downlink;
    private EvaluationModel? _evaluator;

    private JobRuntime(
        string jobId, JobSpec spec, JobModels models, IServerOptimizer optimizer, PackageManifest manifest, JobLora? lora, IExampleSource? heldOut, int threads)
    {
        _spec = spec;
        _jobId = jobId;
        _models = models;
        _optimizer = optimizer;
        Manifest = manifest;
        Lora = lora;
        _heldOut = heldOut;
        _evaluationThreads = threads;
        _adapter = new float[manifest.Layout.Length];
        _slots = [];
    }

    /// <summary>The job's package.</summary>
    public PackageManifest Manifest { get; }

    /// <summary>How the package's LoRA factors are combined; null when it has none.</summary>
    public JobLora? Lora { get; }

    /// <summary>Loads a job at a committed version.</summary>
    public static async Task<JobRuntime> OpenAsync(
        string jobId, JobSpec spec, ContentHash package, CommittedModel model, JobModels models, int threads, CancellationToken ct)
    {
        PackageManifest manifest = await models.ManifestAsync(package, ct);
        IServerOptimizer optimizer = ServerOptimizer.Create(spec.Server);
        JobRuntime runtime = new(jobId, spec, models, optimizer, manifest, JobLora.Open(spec, manifest), HeldOutExamples.Open(spec.Evaluation), threads);
        ReadOnlyMemory<byte> adapter = await models.RequireAsync(model.Adapter, ct);
        AdapterDocument.FromBytes(adapter, manifest.Layout.Length).CopyTo(runtime._adapter);
        CheckpointDocument checkpoint = await models.ReadCheckpointAsync(jobId, model.Version, ct);
        runtime.Remember(checkpoint);
        return runtime;
    }

    /// <summary>The index set of a round that has not been committed.</summary>
    /// <param name="linear">Its fields.</param>
    /// <param name="round">From 1.</param>
    public SharedIndexSet IndexSetOf(LinearRound linear, long round) => _sets.SetOf(
        linear, linear.IndexSet == IndexSetKind.Momentum ? JobIndexSets.Sent(_slots[0], Lora?.SentIn(round)) : []);

    /// <summary>
    /// Turns a round's sum into the next model version: weighted mean, server optimizer, adapter object, checkpoint. Nothing counts
    /// until the job's own state names the version, so a crash in here repeats the commit from the same durable sum.
    /// </summary>
    /// <param name="from">The version that the round started from.</param>
    /// <param name="sum">The round's sum.</param>
    /// <param name="plan">The round's plan: what the sum is of.</param>
    /// <param name="noise">What the server adds for privacy; null for nothing.</param>
    /// <param name="ct">Gives up.</param>
    public async Task<ModelCommit> CommitAsync(CommittedModel from, RunningSum sum, PlanDocument plan, ServerNoise? noise, CancellationToken ct)
    {
        NextVersion made = await Task.Run(() => Step(from.Version + 1, sum, plan, noise), ct);
        ContentHash hash = await _models.PutAdapterAsync(_jobId, made.Document, ct);
        CommittedModel next = new(from.Version + 1, hash, made.Document.Length);
        await _models.WriteCheckpointAsync(_jobId, plan.Round, next, _optimizer.Name, _adapter.Length, Memories(), ct);
        CommittedChange? change = made.Change is null
            ? null
            : new CommittedChange(
                next.Version,
                await _models.PutDocumentAsync(_jobId, DownlinkHolder, made.Change, ct),
                made.IsOfSet ? plan.Linear!.Seed : null,
                made.IsOfSet ? plan.Linear!.SetSize : 0);
        ObjectReference? rounded = made.Rounded is null ? null : await _models.PutDocumentAsync(_jobId, DownlinkHolder, made.Rounded, ct);
        return new ModelCommit(next, change, rounded, made.Outcome.UpdateNorm, made.Outcome.AveragingBias, made.Statistics);
    }

    /// <summary>Quality on the held-out data; null when the job has none.</summary>
    public async Task<CentralEvaluation?> EvaluateAsync(CancellationToken ct)
    {
        if (_heldOut is null || Manifest.Evaluation.LengthBytes == 0)
        {
            return null;
        }

        _evaluator ??= await _models.OpenEvaluationAsync(Manifest, ct);
        EvaluationSum sum = await ModelEvaluator.EvaluateAsync(_evaluator.Model, _adapter, _heldOut, _evaluationThreads, ct);
        return Manifest.Task switch
        {
            ModelTask.Regression => new CentralEvaluation(sum.Examples, sum.MeanLoss, null, MeanAbsoluteError: sum.Quality),
            ModelTask.Embedding => new CentralEvaluation(sum.Examples, sum.MeanLoss, null, CosineSimilarity: sum.Quality),
            _ => new CentralEvaluation(sum.Examples, sum.MeanLoss, sum.Quality),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _evaluator?.Dispose();

    /// <summary>What is kept of a job beside its adapter: the optimizer's slots, then scores of a voted set, then what the downlink still has to tell.</summary>
    private float[][] Memories() =>
        [.. _slots, .. new[] { _sets.ToMemory(_adapter.Length), _downlink?.Remainder }.OfType<float[]>()];

    private void Remember(CheckpointDocument checkpoint)
    {
        bool votes = _spec.Update is { Codec: UpdateCodec.Linear, IndexSet: IndexSetKind.Voted };
        bool compact = _spec.Downlink == DownlinkKind.Compact;
        int length = _adapter.Length;
        int extra = (votes ? 1 : 0) + (compact ? 1 : 0);
        bool kept = checkpoint.Optimizer == _optimizer.Name && checkpoint.OptimizerState.Length == _optimizer.SlotCount + extra;
        float[][] memories = kept ? [.. checkpoint.OptimizerState] : [.. _optimizer.CreateSlots(length), .. Enumerable.Range(0, extra).Select(_ => new float[length])];
        _slots = memories[.._optimizer.SlotCount];
        float[][] rest = memories[_optimizer.SlotCount..];
        _sets = new JobIndexSets(votes ? Lora is null ? rest[0] : rest[0][..Lora.SentIn(1).Length] : []);
        _downlink = compact ? new JobDownlink(rest[^1]) : null;
    }

    private NextVersion Step(long version, RunningSum sum, PlanDocument plan, ServerNoise? noise)
    {
        // A LoRA rule's sum may have another length, and another one each round.
        int length = plan.Linear?.ParameterCount ?? sum.ParameterCount;
        _mean = _mean.Length == length ? _mean : new float[length];
        LinearStatistics? statistics = null;
        SharedIndexSet? set = null;
        if (plan.Linear is { } linear)
        {
            set = IndexSetOf(linear, plan.Round);
            LinearDecoder decoder = new(linear, set);
            LinearStatistics exact = decoder.Decode(sum.WholeNumbers(), sum.Count, _mean);
            _sets.Count(linear, decoder);
            statistics = noise?.AddTo(plan.Round, linear, set, sum.Count, _mean, exact) ?? exact;
        }
        else
        {
            sum.Mean(_mean);
        }

        if (plan.Directions is { } directions)
        {
            float[] amounts = _mean;
            _mean = new float[plan.ChangedCount];
            DirectionSettings.Replay(directions, amounts, _mean);
        }

        float[]? previous = _downlink is null ? null : [.. _adapter];
        _downlink?.Complete(_adapter);
        LoraOutcome outcome;
        if (Lora is not null)
        {
            outcome = Lora.Rule.Apply(_mean, _adapter, plan.Round, new ServerOptimizerStep(_optimizer, _slots));
        }
        else
        {
            outcome = new LoraOutcome(TensorPrimitives.Norm<float>(_mean), null);
            _optimizer.Apply(_adapter, _mean, _slots);
        }

        DownlinkDocument? change = _downlink?.Round(previous, _adapter, version, AloneChanged(set, plan));
        return new NextVersion(
            AdapterDocument.ToBytes(version, _adapter),
            change?.ToBytes(),
            change?.Form == DownlinkForm.SameSet,
            change is null || _spec.Aggregation.Secure is not null ? null : DownlinkEncoder.Full(_adapter, version, exact: false).ToBytes(),
            outcome,
            statistics);
    }

    /// <summary>A set that devices can draw and outside of which nothing changed: only plain averaging leaves the rest alone.</summary>
    private IndexSet? AloneChanged(SharedIndexSet? set, PlanDocument plan) =>
        set is { Kind: IndexSetKind.Random } && set.Indices.ParameterCount == _adapter.Length && plan.Directions is null && _slots.Length == 0 ? set.Indices : null;

    /// <summary>What a step made: documents of the new version, and what the record says of it.</summary>
    private sealed record NextVersion(byte[] Document, byte[]? Change, bool IsOfSet, byte[]? Rounded, LoraOutcome Outcome, LinearStatistics? Statistics);
}
