using Federated.Client.Engines;
using Federated.Server.Rounds;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Federated.Simulator.Runs;
using Federated.Simulator.Scenarios;
using Federated.Simulator.Tests.Runs;

namespace Federated.Training.Torch.Tests.Engines;

/// <summary>Whole simulations with the devices on torch, beside the same on ONNX Runtime.</summary>
public sealed class TorchRunTests
{
    // A run takes a second or two; one that waits for its deadlines is broken.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(300);

    [Theory]
    [InlineData("""job.model={ "builder": "mlp", "inputs": 16, "hidden": [8], "classes": 4 }""", "rolora")]
    [InlineData("""job.model={ "builder": "mlp", "inputs": 16, "hidden": [48], "classes": 4, "lora": { "rank": 4 } }""", "rolora")]
    [InlineData("""job.model={ "builder": "mlp", "inputs": 16, "hidden": [48], "classes": 4, "lora": { "rank": 4 } }""", "flora")]
    public async Task RunAsync_OnEitherEngine_GivesTheSameCurve(string model, string rule)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-torch-");
        try
        {
            SmallDigits.Write(folder.FullName);
            string[] settings = model.Contains("lora", StringComparison.Ordinal) ? [model, "job.training.learningRate=0.05", $$"""job.aggregation.lora={ "rule": "{{rule}}" }"""] : [model];
            ReadScenario scenario = SmallDigits.Scenario(folder.FullName, settings);

            IReadOnlyList<RoundRecord> onnx = await RunAsync(scenario, TrainingEngines.Open(TrainingEngines.Onnx, 1), folder.FullName);
            IReadOnlyList<RoundRecord> torch = await RunAsync(scenario, new TorchTrainingEngine(new TorchEngineOptions()), folder.FullName);

            Assert.Equal(4, torch.Count);
            Assert.All(onnx.Zip(torch), pair =>
            {
                Assert.Equal(pair.First.Contributors, pair.Second.Contributors);
                Assert.Equal(pair.First.Evaluation!.Loss, pair.Second.Evaluation!.Loss, 1e-3);
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<IReadOnlyList<RoundRecord>> RunAsync(ReadScenario scenario, ITrainingEngine engine, string folder)
    {
        RunFolder output = RunFolder.Open(Path.Combine(folder, engine.Name), "toy", 1, "/");
        RunRequest request = new() { Scenario = scenario, Folder = output, Threads = 2, Engine = engine, Server = null };
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(_patience);
        RunSummary summary = await new SimulationRun(request, new SilentView(), TimeProvider.System).RunAsync(stop.Token);
        Assert.Equal(engine.Name, summary.Engine);
        return RoundLog.Read(output.RoundsPath);
    }
}
