using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Client.Engines;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Training;

namespace Federated.Simulator.Bench;

/// <summary>What a training step costs.</summary>
/// <param name="MedianMicroseconds">Median of the trials.</param>
/// <param name="BestMicroseconds">Best of the trials.</param>
/// <param name="PeakMemoryBytes">Largest resident memory of the process that did nothing else.</param>
internal sealed record EngineStep(double MedianMicroseconds, double BestMicroseconds, long PeakMemoryBytes);

/// <summary>
/// Measures one engine on one package in this process, which <see cref="EngineBench"/> starts for this alone, so that the peak of its memory is the
/// engine's. A step is a whole one: batch, loss, gradient, gradient descent, through <see cref="LocalTrainer"/>, on one thread.
/// </summary>
internal static class EngineStepBench
{
    /// <summary>The command's name; it is not listed.</summary>
    public const string CommandName = "engine-step";

    private const int Trials = 9;
    private static readonly TimeSpan _trial = TimeSpan.FromMilliseconds(300);

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<string> folder = new("--package") { Required = true };
        Option<string> engine = new("--engine") { Required = true };
        Option<int> batch = new("--batch") { Required = true };
        Option<int> trials = new("--trials") { DefaultValueFactory = _ => Trials };
        Command command = new(CommandName) { folder, engine, batch, trials };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            EngineStep step = Measure(
                parsed.GetRequiredValue(folder), TrainingEngines.Open(parsed.GetRequiredValue(engine), threads: 1), parsed.GetRequiredValue(batch), parsed.GetRequiredValue(trials));
            Console.Out.WriteLine(JsonSerializer.Serialize(step, ReportJson.Line));
        });
        return command;
    }

    private static EngineStep Measure(string folder, ITrainingEngine engine, int batch, int trials)
    {
        PackageManifest manifest = PackageManifest.FromBytes(File.ReadAllBytes(Path.Combine(folder, PackageFolder.ManifestFile)));
        string graph = engine.GraphOf(manifest, ModelUse.Gradients) == manifest.Gradient ? PackageFolder.GradientFile : PackageFolder.EvaluationFile;
        using ITrainableModel model = engine.Load(manifest, ModelUse.Gradients, GraphSource.FromFile(Path.Combine(folder, graph)));
        using IModelWorkspace workspace = model.CreateWorkspace();
        SyntheticExamples examples = new(manifest, 4 * batch);
        float[] start = new float[manifest.Layout.Length];
        AdapterDocument.FromBytes(File.ReadAllBytes(Path.Combine(folder, PackageFolder.AdapterFile)), start.Length).CopyTo(start);

        double single = Math.Max(Seconds(workspace, examples, start, batch, 1), Seconds(workspace, examples, start, batch, 2) / 2);
        int steps = (int)Math.Clamp(_trial.TotalSeconds / single, 1, 100_000);
        _ = Seconds(workspace, examples, start, batch, steps);
        double[] perStep = [.. Enumerable.Range(0, trials).Select(_ => Seconds(workspace, examples, start, batch, steps) / steps * 1e6).Order()];
        return new EngineStep(perStep[trials / 2], perStep[0], RunClock.ProcessPeakMemoryBytes());
    }

    private static double Seconds(IModelWorkspace workspace, SyntheticExamples examples, float[] start, int batch, int steps)
    {
        // The rate keeps random labels from driving the model anywhere; it does not change the cost.
        LocalTrainingPlan plan = new() { BatchSize = batch, Epochs = 1_000, MaxSteps = steps, LearningRate = 1e-6 };
        SeededGenerator shuffle = SeededGenerator.For(1, "shuffle");
        double seconds = 0;
        for (int done = 0; done < steps; done += 1_000)
        {
            LocalTrainingPlan part = plan with { MaxSteps = Math.Min(1_000, steps - done) };
            long began = Stopwatch.GetTimestamp();
            _ = LocalTrainer.Train(workspace, examples, start, part, shuffle, CancellationToken.None);
            seconds += Stopwatch.GetElapsedTime(began).TotalSeconds;
        }

        return seconds;
    }
}
