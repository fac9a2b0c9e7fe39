using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Engines;
using Federated.Modeling;
using Federated.Modeling.Costs;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>A prediction beside what was measured.</summary>
/// <param name="Job">The model and its batch.</param>
/// <param name="Megaflops">Millions of operations a step.</param>
/// <param name="PredictedStepMicroseconds">A step as predicted.</param>
/// <param name="StepMicroseconds">The best of the measured steps: what else runs on the machine only adds to it.</param>
/// <param name="PredictedPeakBytes">Peak of memory as predicted.</param>
/// <param name="PeakBytes">As measured.</param>
internal sealed record CostRow(string Job, double Megaflops, double PredictedStepMicroseconds, double StepMicroseconds, double PredictedPeakBytes, long PeakBytes);

/// <summary>The rates of this machine and the comparison of five jobs.</summary>
internal sealed record CostReport(DeviceProfile Machine, IReadOnlyList<CostRow> Rows);

/// <summary>
/// Compares predicted with measured costs on this machine. Its profile comes from models that are not among the five: a wide perceptron gives the rate of products, a tiny
/// one the start of a node and the memory of the runtime, and copying gives the rate of memory.
/// </summary>
internal static class CostBench
{
    private static readonly PackageLora _lora = new(8, 16, ".*", 1);

    private static readonly (string Name, ModelSpec Spec, int Batch)[] _jobs =
    [
        ("2NN, batch 10", new ModelSpec { Builder = ModelSpec.Mlp }, 10),
        ("CNN, batch 10", new ModelSpec { Builder = ModelSpec.Cnn }, 10),
        ("CNN, LoRA on dense layers, batch 20", new ModelSpec { Builder = ModelSpec.Cnn, Lora = _lora with { Targets = "dense" } }, 20),
        ("vision transformer, LoRA, batch 20", new ModelSpec { Builder = ModelSpec.Vit, Lora = _lora with { Targets = "layers" } }, 20),
        ("decoder, LoRA, batch 16", new ModelSpec
        {
            Builder = ModelSpec.Gpt, GptSizes = new GptSpec { Context = 64, Width = 96, Layers = 4, FeedForward = 256 }, Lora = _lora with { Targets = "_proj" },
        }, 16),
    ];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<bool> json = new("--json") { Description = "Print a JSON object, with this machine's profile, instead of a table." };
        Command command = new("cost", "Compare the costs that 'models cost' predicts with measured ones, for five jobs on this machine.") { json };
        command.SetAction(async (parsed, ct) =>
        {
            CostReport report = await MeasureAsync(trials: null, ct);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(report, ReportJson.Indented));
                return ExitCodes.Success;
            }

            DeviceProfile machine = report.Machine;
            Console.Out.WriteLine(FormattableString.Invariant(
                $"This machine, one thread: {machine.GigaflopsPerSecond:F1} Gflop/s in products, {machine.MemoryGigabytesPerSecond:F1} GB/s, {machine.NodeMicroseconds:F1} µs a node, {machine.RuntimeMegabytes:F0} MB without a model."));
            Table table = new Table().Border(TableBorder.Rounded).AddColumns("job", "Mflop a step", "step, µs: predicted", "measured", "ratio", "peak, MB: predicted", "measured", "ratio");
            foreach (CostRow row in report.Rows)
            {
                table.AddRow([row.Job, .. new[]
                {
                    row.Megaflops, row.PredictedStepMicroseconds, row.StepMicroseconds, row.PredictedStepMicroseconds / row.StepMicroseconds,
                    row.PredictedPeakBytes / 1e6, row.PeakBytes / 1e6, row.PredictedPeakBytes / row.PeakBytes,
                }.Select(value => value.ToString(value < 10 ? "F2" : "F0", CultureInfo.InvariantCulture))]);
            }

            AnsiConsole.Write(table);
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>Measures the machine, then predicts and measures the jobs.</summary>
    /// <param name="trials">Measurements of time each; as many as usual when null.</param>
    /// <param name="ct">Gives up.</param>
    internal static async Task<CostReport> MeasureAsync(int? trials, CancellationToken ct)
    {
        DeviceProfile machine = await MachineAsync(trials, ct);
        List<CostRow> rows = [];
        foreach ((string name, ModelSpec spec, int batch) in _jobs)
        {
            ModelPackage package = ModelPackage.Build(spec, seed: 1);
            EngineStep measured = await RunAsync(package, batch, trials, ct);
            DeviceRoundCost cost = DeviceRoundCost.Predict(package, machine, new RoundWork(batch, 4 * batch, 1, null, 0, null));
            rows.Add(new CostRow(name, cost.Step.Flops / 1e6, cost.StepSeconds * 1e6, measured.BestMicroseconds, cost.PeakMemoryBytes, measured.PeakMemoryBytes));
        }

        return new CostReport(machine, rows);
    }

    private static async Task<DeviceProfile> MachineAsync(int? trials, CancellationToken ct)
    {
        ModelPackage tiny = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 8, Hidden = [8], Classes = 2 }, 1);
        ModelPackage wide = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [1024, 1024] }, 1);
        const int WideBatch = 64;
        EngineStep few = await RunAsync(tiny, 1, trials, ct);
        EngineStep many = await RunAsync(wide, WideBatch, trials, ct);
        StepCost work = StepCost.Of(wide, WideBatch);
        double bytesPerSecond = CopyBytesPerSecond();

        // What a step of the wide one takes beside its products: the optimizer's passes over two million parameters, and activations.
        double beside = (work.OtherBytes + (3.0 * sizeof(float) * wide.InitialAdapter.Length)) / bytesPerSecond;
        double productSeconds = Math.Max((many.BestMicroseconds * 1e-6) - beside, many.BestMicroseconds * 0.5e-6);
        return new DeviceProfile
        {
            Name = "this machine",
            GigaflopsPerSecond = work.ProductFlops / productSeconds / 1e9,
            MemoryGigabytesPerSecond = bytesPerSecond / 1e9,
            NodeMicroseconds = few.BestMicroseconds / StepCost.Of(tiny, 1).Nodes,
            AvailableMemoryMegabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e6,
            RuntimeMegabytes = few.PeakMemoryBytes / 1e6,
            TrainingWatts = 1,
            TransferWatts = 1,
            DownlinkMegabitsPerSecond = 1000,
            UplinkMegabitsPerSecond = 1000,
        };
    }

    /// <summary>Bytes read and written a second, of arrays as large as activations are.</summary>
    private static double CopyBytesPerSecond()
    {
        const int Length = 1 << 20;
        const int Copies = 64;
        float[] from = new float[Length];
        float[] to = new float[Length];
        double best = double.PositiveInfinity;
        for (int trial = 0; trial < 9; trial++)
        {
            long began = Stopwatch.GetTimestamp();
            for (int i = 0; i < Copies; i++)
            {
                from.CopyTo(to, 0);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        return 2.0 * Copies * Length * sizeof(float) / best;
    }

    private static async Task<EngineStep> RunAsync(ModelPackage package, int batch, int? trials, CancellationToken ct)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-cost-");
        try
        {
            _ = PackageFolder.Write(package, folder.FullName);
            return await EngineBench.RunAsync(folder.FullName, TrainingEngines.Onnx, batch, trials, smallHeap: true, ct);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
