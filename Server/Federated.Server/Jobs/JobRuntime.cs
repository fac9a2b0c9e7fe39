using System.Numerics.Tensors;
using Federated.Server.Aggregation;
using Federated.Server.Aggregation.LoraRules;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Server.Privacy;
using Federated.Server.Rounds;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
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
    private readonly string _jobId;
    private readonly JobModels _models;
    private readonly IServerOptimizer _optimizer;
    private readonly IExampleSource? _heldOut;
    private readonly int _evaluationThreads;
    private readonly float[] _adapter;
    private float[] _mean = [];
    private float[][] _slots;
    private EvaluationModel? _evaluator;

    private JobRuntime(
        string jobId, JobModels models, IServerOptimizer optimizer, PackageManifest manifest, JobLora? lora, IExampleSource? heldOut, int threads)
    {
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
        JobRuntime runtime = new(jobId, models, optimizer, manifest, JobLora.Open(spec, manifest), HeldOutExamples.Open(spec.Evaluation), threads);
        ReadOnlyMemory<byte> adapter = await models.RequireAsync(model.Adapter, ct);
        AdapterDocument.FromBytes(adapter, manifest.Layout.Length).CopyTo(runtime._adapter);
        CheckpointDocument checkpoint = await models.ReadCheckpointAsync(jobId, model.Version, ct);
        runtime._slots = checkpoint.Optimizer == optimizer.Name && checkpoint.OptimizerState.Length == optimizer.SlotCount
            ? [.. checkpoint.OptimizerState]
            : optimizer.CreateSlots(manifest.Layout.Length);
        return runtime;
    }

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
        (byte[] document, LoraOutcome outcome, LinearStatistics? statistics) = await Task.Run(() => Step(from.Version + 1, sum, plan, noise), ct);
        ContentHash hash = await _models.PutAdapterAsync(_jobId, document, ct);
        CommittedModel next = new(from.Version + 1, hash, document.Length);
        await _models.WriteCheckpointAsync(_jobId, plan.Round, next, _optimizer.Name, _adapter.Length, _slots, ct);
        return new ModelCommit(next, outcome.UpdateNorm, outcome.AveragingBias, statistics);
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

    private (byte[] Document, LoraOutcome Outcome, LinearStatistics? Statistics) Step(long version, RunningSum sum, PlanDocument plan, ServerNoise? noise)
    {
        // A LoRA rule's sum may have another length, and another one each round.
        int length = plan.Linear?.ParameterCount ?? sum.ParameterCount;
        _mean = _mean.Length == length ? _mean : new float[length];
        LinearStatistics? statistics = null;
        if (plan.Linear is { } linear)
        {
            SharedIndexSet set = LinearSettings.SetOf(linear);
            LinearStatistics exact = new LinearDecoder(linear, set).Decode(sum.WholeNumbers(), sum.Count, _mean);
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

        LoraOutcome outcome;
        if (Lora is not null)
        {
            outcome = Lora.Rule.Apply(_mean, _adapter, plan.Round, new ServerStep(_optimizer, _slots));
        }
        else
        {
            outcome = new LoraOutcome(TensorPrimitives.Norm<float>(_mean), null);
            _optimizer.Apply(_adapter, _mean, _slots);
        }

        return (AdapterDocument.ToBytes(version, _adapter), outcome, statistics);
    }
}
