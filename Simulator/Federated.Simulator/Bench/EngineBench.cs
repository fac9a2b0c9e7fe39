using System.Diagnostics;
using System.Text.Json;
using Federated.Client.Engines;
using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Simulator.Reports;

namespace Federated.Simulator.Bench;

/// <summary>One package at one batch size on every engine that this program has.</summary>
/// <param name="Package">Its name.</param>
/// <param name="Batch">Examples a step.</param>
/// <param name="Parameters">Trainable parameters.</param>
/// <param name="FetchedBytes">What a client fetches once: gradient graph and frozen weights.</param>
/// <param name="Steps">What a step costs, by the engine's name.</param>
internal sealed record EngineComparison(string Package, int Batch, int Parameters, long FetchedBytes, IReadOnlyDictionary<string, EngineStep> Steps);

/// <summary>What a client carries for an engine.</summary>
/// <param name="Engine">The engine's name.</param>
/// <param name="InstalledBytes">Its libraries, native and managed, for this platform.</param>
internal sealed record EngineSize(string Engine, long InstalledBytes);

/// <summary>All measurements of one run.</summary>
internal sealed record EngineReport(IReadOnlyList<EngineComparison> Comparisons, IReadOnlyList<EngineSize> Sizes);

/// <summary>
/// Compares the engines: the published MLP and CNN of McMahan et al. 2017 with and without LoRA on their dense layers, and any other packages, one
/// process for each measurement, one after the other.
/// </summary>
internal static class EngineBench
{
    private static readonly PackageLora _lora = new(8, 16, "dense", 1);

    private static readonly Dictionary<string, string[]> _libraries = new(StringComparer.Ordinal)
    {
        [TrainingEngines.Onnx] = ["Microsoft.ML.OnnxRuntime", "libonnxruntime", "onnxruntime"],
        [TrainingEngines.Torch] = ["TorchSharp", "libLibTorchSharp", "libtorch", "libc10", "libgomp", "LibTorchSharp", "torch", "c10", "Federated.Training.Torch"],
    };

    /// <summary>The engines that this program was built with.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = [.. TrainingEngines.Names.Where(IsBuiltIn)];

    /// <summary>Measures.</summary>
    /// <param name="packages">Folders of further packages.</param>
    /// <param name="models">ONNX files, each taken with all weights trained and with LoRA on all layers.</param>
    /// <param name="batches">Examples a step.</param>
    /// <param name="progress">Is told of each measurement.</param>
    /// <param name="ct">Gives up.</param>
    /// <exception cref="InvalidOperationException">An engine cannot train a package; the message is the engine's.</exception>
    public static async Task<EngineReport> MeasureAsync(
        IReadOnlyList<string> packages, IReadOnlyList<ImportedModel> models, IReadOnlyList<int> batches, Action<string> progress, CancellationToken ct)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("federated-engines-");
        try
        {
            List<string> built = [];
            foreach ((ModelPackage? package, string? refusal) in Specs().Select(spec => ((ModelPackage?)ModelPackage.Build(spec, seed: 1), (string?)null))
                .Concat(models.SelectMany(model => model.Packages(_lora))))
            {
                if (package is null)
                {
                    progress($"left out: {refusal}");
                    continue;
                }

                built.Add(Path.Combine(folder.FullName, $"{built.Count}"));
                _ = PackageFolder.Write(package, built[^1]);
            }

            List<EngineComparison> comparisons = [];
            foreach (string package in built.Concat(packages.Select(Path.GetFullPath)))
            {
                PackageManifest manifest = PackageManifest.FromBytes(await File.ReadAllBytesAsync(Path.Combine(package, PackageFolder.ManifestFile), ct));
                string name = manifest.Lora is { } lora ? $"{manifest.Name}, LoRA r = {lora.Rank}" : manifest.Name;
                foreach (int batch in batches)
                {
                    Dictionary<string, EngineStep> steps = new(StringComparer.Ordinal);
                    foreach (string engine in BuiltIn)
                    {
                        steps.Add(engine, await RunAsync(package, engine, batch, null, smallHeap: false, ct));
                        progress($"measured {name}, batch {batch}, {engine}");
                    }

                    comparisons.Add(new EngineComparison(name, batch, manifest.Layout.Length, manifest.Gradient.LengthBytes + manifest.FrozenWeights.Sum(f => f.LengthBytes), steps));
                }
            }

            return new EngineReport(comparisons, [.. BuiltIn.Select(SizeOf)]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<ModelSpec> Specs() =>
        from builder in new[] { ModelSpec.Mlp, ModelSpec.Cnn }
        from lora in new[] { null, _lora }
        select new ModelSpec { Builder = builder, Lora = lora };

    /// <summary>Measures one package in a process of its own.</summary>
    /// <param name="package">Its folder.</param>
    /// <param name="engine">The engine's name.</param>
    /// <param name="batch">Examples a step.</param>
    /// <param name="trials">Measurements that the median is taken of; as many as usual when null.</param>
    /// <param name="smallHeap">Whether garbage may take 16 MiB (a hexadecimal setting) as on a device, and not a multiple of a server's cache.</param>
    /// <param name="ct">Gives up.</param>
    internal static async Task<EngineStep> RunAsync(string package, string engine, int batch, int? trials, bool smallHeap, CancellationToken ct)
    {
        string[] arguments =
        [
            "exec", Path.Combine(AppContext.BaseDirectory, "Federated.Simulator.dll"), "bench", EngineStepBench.CommandName,
            "--package", package, "--engine", engine, "--batch", $"{batch}", .. trials is { } count ? ["--trials", $"{count}"] : Array.Empty<string>(),
        ];
        ProcessStartInfo start = new("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (smallHeap)
        {
            start.Environment["DOTNET_GCgen0size"] = "1000000";
        }

        using Process process = Process.Start(start) ?? throw new InvalidOperationException("The measuring process could not be started.");
        try
        {
            Task<string> error = process.StandardError.ReadToEndAsync(ct);
            string output = await process.StandardOutput.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize<EngineStep>(output, ReportJson.Line)!
                : throw new InvalidOperationException($"{engine} on '{package}', batch {batch}: {await error}");
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static bool IsBuiltIn(string engine)
    {
        try
        {
            _ = TrainingEngines.Open(engine, threads: 1);
            return true;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>The engine's libraries beside this program; of those for several platforms the ones for this.</summary>
    private static EngineSize SizeOf(string engine)
    {
        string runtimes = Path.Combine(AppContext.BaseDirectory, "runtimes") + Path.DirectorySeparatorChar;
        string here = Path.Combine(runtimes, System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier) + Path.DirectorySeparatorChar;
        IEnumerable<FileInfo> files = new DirectoryInfo(AppContext.BaseDirectory).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => !file.FullName.StartsWith(runtimes, StringComparison.Ordinal) || file.FullName.StartsWith(here, StringComparison.Ordinal))
            .Where(file => file.Extension is not (".pdb" or ".xml" or ".json") && _libraries[engine].Any(prefix => file.Name.StartsWith(prefix, StringComparison.Ordinal)));
        return new EngineSize(engine, files.Sum(file => file.Length));
    }
}
