using Federated.Modeling;
using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Randomness;
using Federated.Training;
using Federated.Training.Engine;

namespace Federated.Simulator.Central;

/// <summary>What training in one place gave.</summary>
/// <param name="Manifest">The package that was trained.</param>
/// <param name="Adapter">[P].</param>
/// <param name="Before">Quality on the held-out examples before; null without any.</param>
/// <param name="After">And afterwards.</param>
/// <param name="Steps">Steps taken.</param>
/// <param name="WallSeconds">Training alone.</param>
internal sealed record CentralResult(PackageManifest Manifest, float[] Adapter, EvaluationSum? Before, EvaluationSum? After, int Steps, double WallSeconds);

/// <summary>
/// Trains a package on all examples in one place, without server and clients: a base before any federation, or the reference that a federated job is compared with.
/// </summary>
internal sealed class CentralTraining(int threads, Action<string> tell, TimeProvider time)
{
    /// <summary>Trains in stages, each with an optimizer of its own.</summary>
    /// <param name="package">What is trained.</param>
    /// <param name="examples">The examples.</param>
    /// <param name="heldOut">Evaluated on before and after; null for neither.</param>
    /// <param name="stages">How.</param>
    /// <param name="seed">Orders the examples.</param>
    /// <param name="cancellationToken">Stops between steps; nothing is kept.</param>
    /// <exception cref="InvalidSettingsException">The examples are not those of the model, or training diverged.</exception>
    public async Task<CentralResult> RunAsync(
        ModelPackage package,
        IExampleSource examples,
        IExampleSource? heldOut,
        IReadOnlyList<TrainingSettings> stages,
        ulong seed,
        CancellationToken cancellationToken)
    {
        ExampleFormat wanted = ExampleFormat.Of(package.Manifest);
        if (examples.Format != wanted)
        {
            throw new InvalidSettingsException([new SettingProblem("data", $"examples of {examples.Format}", $"{wanted}, which the model takes")]);
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-central-");
        try
        {
            PackageFolder.Write(package, folder.FullName);
            using OnnxModel model = OnnxModel.Load(
                package.Manifest,
                GraphSource.FromFile(Path.Combine(folder.FullName, PackageFolder.GradientFile)),
                GraphSource.FromFile(Path.Combine(folder.FullName, PackageFolder.EvaluationFile)),
                new OnnxEngineOptions { IntraOpThreads = threads });
            return await RunAsync(model, package.InitialAdapter, examples, heldOut, stages, seed, cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<CentralResult> RunAsync(
        OnnxModel model,
        float[] start,
        IExampleSource examples,
        IExampleSource? heldOut,
        IReadOnlyList<TrainingSettings> stages,
        ulong seed,
        CancellationToken cancellationToken)
    {
        EvaluationSum? before = await EvaluateAsync(model, start, heldOut, cancellationToken);
        long started = time.GetTimestamp();
        float[] adapter = [.. start];
        int steps = 0;
        for (int i = 0; i < stages.Count; i++)
        {
            (adapter, int taken) = await Task.Run(() => Train(model, adapter, examples, stages[i], seed, i, cancellationToken), cancellationToken);
            steps += taken;
        }

        double seconds = time.GetElapsedTime(started).TotalSeconds;
        return new CentralResult(model.Manifest, adapter, before, await EvaluateAsync(model, adapter, heldOut, cancellationToken), steps, seconds);
    }

    private (float[] Adapter, int Steps) Train(
        OnnxModel model, float[] start, IExampleSource examples, TrainingSettings stage, ulong seed, int index, CancellationToken cancellationToken)
    {
        using IModelWorkspace workspace = model.CreateWorkspace();
        int batch = stage.BatchSize == 0 ? examples.Count : Math.Min(stage.BatchSize, examples.Count);
        long batches = (long)stage.Epochs * ((examples.Count + batch - 1) / batch);
        batches = stage.MaxSteps > 0 ? Math.Min(batches, stage.MaxSteps) : batches;
        LocalTrainingResult result = LocalTrainer.Train(
            workspace,
            new ProgressExamples(examples, batches, tell, time),
            start,
            stage.ToPlan(),
            SeededGenerator.For(seed, "central-shuffle", (ulong)index),
            cancellationToken);
        return result.Diverged
            ? throw new InvalidSettingsException([new SettingProblem("learningRate", $"{stage.LearningRate} in stage {index}: training diverged after {result.Steps} steps", "a lower one")])
            : (workspace.Adapter.ToArray(), result.Steps);
    }

    private async Task<EvaluationSum?> EvaluateAsync(OnnxModel model, float[] adapter, IExampleSource? heldOut, CancellationToken cancellationToken)
    {
        if (heldOut is null)
        {
            return null;
        }

        tell($"evaluating on {heldOut.Count} held-out examples");
        return await ModelEvaluator.EvaluateAsync(model, adapter, heldOut, 1, cancellationToken);
    }
}
