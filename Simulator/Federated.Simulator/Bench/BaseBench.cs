using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Federated.Client.Engines;
using Federated.Modeling;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Simulator.CommandLine;
using Federated.Simulator.Reports;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>What frozen weights of so many bits cost.</summary>
/// <param name="Bits">32 for float32.</param>
/// <param name="FileBytes">The file of frozen weights of the deep decoder.</param>
/// <param name="WeightMemoryBytes">Peak of resident memory that the deep decoder's process has above the shallow one's: the further blocks' weights, with what a step keeps of each block.</param>
/// <param name="Float32Share">The same as a share of the further weights' own size in float32.</param>
/// <param name="PeakMemoryBytes">Peak of the deep decoder's process.</param>
/// <param name="StepMicroseconds">Median of a step of the deep decoder.</param>
internal sealed record BaseRow(int Bits, long FileBytes, long WeightMemoryBytes, double Float32Share, long PeakMemoryBytes, double StepMicroseconds);

/// <summary>
/// Measures what a step of low-rank training holds in memory of a frozen base in float32, 8 and 4 bits: a random decoder of few blocks and one of many, each in a
/// process of its own that does nothing else, and the difference of their peaks. What the runtime, the engine and the first blocks take falls out.
/// </summary>
internal static class BaseBench
{
    /// <summary>The bits that are compared.</summary>
    public static IReadOnlyList<int> Bits { get; } = [32, 8, 4];

    /// <summary>Builds the command.</summary>
    public static Command Build()
    {
        Option<int> width = new("--width") { Description = "Width of the decoder, a multiple of 64.", DefaultValueFactory = _ => 768 };
        Option<int> layers = new("--layers") { Description = "Blocks of the deep decoder; the shallow one has 2.", DefaultValueFactory = _ => 14 };
        Option<int> batch = new("--batch") { Description = "Examples of 32 tokens a step.", DefaultValueFactory = _ => 1 };
        Option<bool> json = new("--json") { Description = "Print a JSON array instead of a table." };
        Command command = new("base", "Measure the memory and time of low-rank training on a frozen base in float32, 8 and 4 bits.") { width, layers, batch, json };
        command.SetAction(async (parsed, ct) =>
        {
            (int wide, int deep, int examples) = (parsed.GetValue(width), parsed.GetValue(layers), parsed.GetValue(batch));
            if (wide is < 64 or > 4096 || wide % 64 != 0 || deep is < 3 or > 64 || examples is < 1 or > 1000)
            {
                Console.Error.WriteLine($"error: --width {wide}, --layers {deep}, --batch {examples}: allowed are multiples of 64 up to 4096, 3 to 64 and 1 to 1000.");
                return ExitCodes.BadInput;
            }

            IReadOnlyList<BaseRow> rows = await MeasureAsync(wide, 2, deep, examples, trials: null, ct);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(rows, ReportJson.Indented));
                return ExitCodes.Success;
            }

            Table table = new Table().Border(TableBorder.Rounded).AddColumns("bits", "file, MB", "memory of the weights, MB", "of their float32 bytes", "peak, MB", "step, ms");
            foreach (BaseRow row in rows)
            {
                table.AddRow([$"{row.Bits}", .. new[] { row.FileBytes / 1e6, row.WeightMemoryBytes / 1e6, row.Float32Share, row.PeakMemoryBytes / 1e6, row.StepMicroseconds / 1e3 }
                    .Select(value => value.ToString("F2", CultureInfo.InvariantCulture))]);
            }

            AnsiConsole.Write(table);
            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>Measures.</summary>
    /// <param name="width">Of both decoders.</param>
    /// <param name="shallow">Blocks of the one.</param>
    /// <param name="deep">Blocks of the other.</param>
    /// <param name="batch">Examples of 32 tokens a step.</param>
    /// <param name="trials">Measurements of time each; as many as usual when null.</param>
    /// <param name="ct">Gives up.</param>
    internal static async Task<IReadOnlyList<BaseRow>> MeasureAsync(int width, int shallow, int deep, int batch, int? trials, CancellationToken ct)
    {
        List<BaseRow> rows = [];
        foreach (int bits in Bits)
        {
            (PackageManifest few, EngineStep small) = await RunAsync(width, shallow, bits, batch, trials, ct);
            (PackageManifest many, EngineStep large) = await RunAsync(width, deep, bits, batch, trials, ct);
            long weights = large.PeakMemoryBytes - small.PeakMemoryBytes;
            long float32 = (many.FullModelParameters - few.FullModelParameters) * sizeof(float);
            rows.Add(new BaseRow(bits, many.FrozenWeights[0].LengthBytes, weights, (double)weights / float32, large.PeakMemoryBytes, large.MedianMicroseconds));
        }

        return rows;
    }

    private static async Task<(PackageManifest Manifest, EngineStep Step)> RunAsync(int width, int layers, int bits, int batch, int? trials, CancellationToken ct)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-base-");
        try
        {
            PackageManifest manifest = Write(width, layers, bits, folder.FullName);
            return (manifest, await EngineBench.RunAsync(folder.FullName, TrainingEngines.Onnx, batch, trials, smallHeap: true, ct));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static PackageManifest Write(int width, int layers, int bits, string folder)
    {
        ModelPackage package = ModelPackage.Build(
            new ModelSpec
            {
                Builder = ModelSpec.Gpt,
                GptSizes = new GptSpec { Context = 32, Width = width, Layers = layers, Heads = width / 64, KeyValueHeads = width / 64, FeedForward = width * 8 / 3 / 64 * 64 },
                Lora = new PackageLora(8, 16, "q_proj|v_proj", 1),
                BaseBits = bits == 32 ? null : bits,
            },
            seed: 1);
        _ = PackageFolder.Write(package, folder);
        return package.Manifest;
    }
}
