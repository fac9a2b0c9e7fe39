using System.Runtime.InteropServices;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Shared.Protocol;
using Federated.Training;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Personal;

/// <summary>
/// Keeps what a device's own training made of a job's model, beside the model it came from, and how both do on the device's held-out examples. Nothing of it leaves the device. One file
/// a job, replaced as a whole. One round at a time.
/// </summary>
/// <param name="folder">Made when it is needed.</param>
/// <param name="heldOut">What is never trained on; without any the two are kept and not compared.</param>
/// <param name="log">Is told how the two compare.</param>
internal sealed partial class PersonalModels(string folder, IExampleSource heldOut, ILogger log)
{
    /// <summary>What the files are called after the job.</summary>
    public const string Extension = ".personal";

    private readonly JobFiles _files = new(folder, Extension);

    /// <summary>Evaluates a round's two adapters and keeps them. Never throws: the round has counted.</summary>
    /// <param name="plan">The round.</param>
    /// <param name="shared">[P]: what the round began with.</param>
    /// <param name="personal">[P]: what training on this device made of it.</param>
    /// <param name="models">Where the graph that evaluates comes from.</param>
    /// <param name="scope">The round's connection.</param>
    /// <param name="cancellationToken">Gives up; the earlier file is still there then.</param>
    public async Task KeepAsync(PlanDocument plan, float[] shared, float[] personal, ModelCache models, TransferScope scope, CancellationToken cancellationToken)
    {
        try
        {
            // Fetched even when nothing is held out: whoever asks for predictions needs the graph, and may have no network then.
            CachedModel model = await models.GetAsync(plan.Package, Engines.ModelUse.Losses, scope, cancellationToken).ConfigureAwait(false);
            if (model.Workspaces is not { } pool)
            {
                return;
            }

            EvaluationSum? sharedSum = await EvaluateAsync(pool, shared, scope.Pacing, cancellationToken).ConfigureAwait(false);
            EvaluationSum? personalSum = await EvaluateAsync(pool, personal, scope.Pacing, cancellationToken).ConfigureAwait(false);
            PersonalDocument document = new(plan.JobId, plan.Round, plan.Package, sharedSum, personalSum, Bytes(shared), Bytes(personal));
            if (!_files.TryWrite(plan.JobId, document.ToBytes()))
            {
                NotKept(log, plan.JobId, plan.Round, $"the disk does not take it at {folder}");
            }
            else if (sharedSum is { } before && personalSum is { } after)
            {
                Compared(log, plan.JobId, plan.Round, before.Examples, before.MeanLoss, after.MeanLoss, before.Quality, after.Quality);
            }
            else
            {
                Kept(log, plan.JobId, plan.Round);
            }
        }
        catch (OperationCanceledException)
        {
            NotKept(log, plan.JobId, plan.Round, "its time was over");
        }
        catch (Exception e)
        {
            // Engines throw exceptions of their own. What the device keeps for itself must not disturb what it does for others.
            NotKept(log, plan.JobId, plan.Round, e.Message);
        }
    }

    private async Task<EvaluationSum?> EvaluateAsync(WorkspacePool pool, float[] adapter, IRoundPacing? pacing, CancellationToken cancellationToken) =>
        heldOut.Count == 0
            ? null
            : await ModelEvaluator.EvaluateAsync(
                pool, adapter, heldOut, workspace => pacing?.Pace(workspace, cancellationToken) ?? workspace, cancellationToken).ConfigureAwait(false);

    private static ReadOnlyMemory<byte> Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    [LoggerMessage(140, LogLevel.Information, "Job {Job}, round {Round}: on {Examples} held-out examples the shared model has loss {SharedLoss:F4} (quality {SharedQuality:F4}), this device's own {PersonalLoss:F4} ({PersonalQuality:F4}).")]
    private static partial void Compared(ILogger log, string job, long round, long examples, double sharedLoss, double personalLoss, double sharedQuality, double personalQuality);

    [LoggerMessage(141, LogLevel.Information, "Job {Job}, round {Round}: this device's own model is kept. No examples are held out to compare it with the shared one.")]
    private static partial void Kept(ILogger log, string job, long round);

    [LoggerMessage(142, LogLevel.Warning, "Job {Job}, round {Round}: this device's own model is not kept: {Reason}")]
    private static partial void NotKept(ILogger log, string job, long round, string reason);
}
