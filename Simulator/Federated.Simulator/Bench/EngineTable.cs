using System.Globalization;
using System.Runtime.InteropServices;
using Federated.Client.Engines;
using Spectre.Console;

namespace Federated.Simulator.Bench;

/// <summary>Prints what <see cref="EngineBench"/> measured.</summary>
internal static class EngineTable
{
    /// <summary>One table of steps, one of sizes.</summary>
    public static void Print(EngineReport report)
    {
        AnsiConsole.MarkupLineInterpolated(
            $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}; one thread, median of 9 trials");
        Table steps = new Table().Border(TableBorder.Rounded)
            .AddColumns("package", "trained", "batch", "ONNX Runtime, µs a step", "torch, µs a step", "torch ÷ ONNX", "ONNX peak, MiB", "torch peak, MiB", "client fetches, MB");
        foreach (EngineComparison comparison in report.Comparisons)
        {
            EngineStep? onnx = comparison.Steps.GetValueOrDefault(TrainingEngines.Onnx);
            EngineStep? torch = comparison.Steps.GetValueOrDefault(TrainingEngines.Torch);
            steps.AddRow(
                Markup.Escape(comparison.Package),
                Number(comparison.Parameters, "N0"),
                $"{comparison.Batch}",
                Number(onnx?.MedianMicroseconds, "N0"),
                Number(torch?.MedianMicroseconds, "N0"),
                Number(torch?.MedianMicroseconds / onnx?.MedianMicroseconds, "F2"),
                Number(onnx?.PeakMemoryBytes / 1048576.0, "F0"),
                Number(torch?.PeakMemoryBytes / 1048576.0, "F0"),
                Number(comparison.FetchedBytes / 1e6, "F2"));
        }

        AnsiConsole.Write(steps);
        Table sizes = new Table().Border(TableBorder.Rounded).AddColumns("engine", "libraries installed, MB");
        foreach (EngineSize size in report.Sizes)
        {
            sizes.AddRow(size.Engine, Number(size.InstalledBytes / 1e6, "F1"));
        }

        AnsiConsole.Write(sizes);
        if (!report.Sizes.Any(size => size.Engine == TrainingEngines.Torch))
        {
            AnsiConsole.MarkupLine("torch is not part of this build; build with -p:TorchEngine=true to compare.");
        }
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "–";
}
