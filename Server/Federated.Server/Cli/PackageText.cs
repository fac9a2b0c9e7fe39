using Federated.Modeling.Imports;
using Federated.Modeling.Lora;
using Federated.Shared.Models;
using Spectre.Console;

namespace Federated.Server.Cli;

/// <summary>A package as <c>models inspect</c> prints it.</summary>
/// <param name="Package">The hash of its manifest.</param>
/// <param name="Manifest">The manifest.</param>
internal sealed record InspectedPackage(string Package, PackageManifest Manifest);

/// <summary>What <c>models import</c> gives.</summary>
/// <param name="Package">The hash of the package's manifest, which a job names.</param>
/// <param name="Folder">Where it was written; null for nowhere.</param>
/// <param name="Server">Which server has it; null for none.</param>
/// <param name="Report">What was found and made.</param>
internal sealed record ImportedPackage(string Package, string? Folder, Uri? Server, ImportReport Report);

/// <summary>Prints packages for people.</summary>
internal static class PackageText
{
    private const int MostLines = 24;

    /// <summary>An import.</summary>
    public static void Print(ImportedPackage imported)
    {
        ImportReport report = imported.Report;
        Line($"{report.Source.SourceFile}: {report.Source.Producer}, operator set {report.Source.OperatorSet}, {report.Operators.Values.Sum()} nodes");
        Line($"  {string.Join(", ", report.Operators.Select(o => $"{o.Key} {o.Value}"))}");
        Line($"Task {Text(report.Task)}: features '{report.Input.Name}' {Text(report.Input.ElementType)} [{Join(report.Input.Shape)}], {LabelText(report.Labels)}; the loss is taken of '{report.Output}'.");
        PrintAdapted(report);
        foreach (SkippedTarget skipped in report.Skipped.Take(MostLines))
        {
            Line($"  not adapted: {skipped.Node} ({skipped.Operator}): {skipped.Reason}");
        }

        if (report.Trained.Count > 0)
        {
            Line($"Trained as a whole: {report.Trained.Count} weights: {string.Join(", ", report.Trained.Take(MostLines))}{(report.Trained.Count > MostLines ? ", …" : "")}");
        }

        foreach (string note in report.Notes)
        {
            Line(note);
        }

        Line($"Trainable {report.TrainableParameters:N0} parameters, an adapter of {report.AdapterBytes:N0} bytes each round; frozen {report.FrozenParameters:N0} parameters, "
            + $"{report.FrozenBytes:N0} bytes once a device; gradient graph {report.GradientBytes:N0} bytes.");
        Line($"Package {imported.Package}");
        Line(imported.Folder is { } folder ? $"  in the folder {folder}" : "");
        Line(imported.Server is { } server ? $"  in the store of {server}; a job names it with \"model\": {{ \"package\": \"{imported.Package}\" }}" : "");
    }

    /// <summary>A package.</summary>
    public static void Print(InspectedPackage inspected)
    {
        PackageManifest manifest = inspected.Manifest;
        Line($"{manifest.Name}, package {inspected.Package}, format {manifest.Format}");
        Line($"Task {Text(manifest.Task)}: features '{manifest.Input.Name}' {Text(manifest.Input.ElementType)} [{Join(manifest.Input.Shape)}], {LabelText(manifest.Labels)}");
        Line(manifest.Provenance is { } source ? $"From {source.SourceFile} ({source.Producer}, operator set {source.OperatorSet}, SHA-256 {source.Sha256})" : "");
        Line(manifest.Lora is { } lora ? $"Low-rank changes: rank {lora.Rank}, alpha {lora.Alpha}, targets {lora.Targets}, seed {lora.Seed}" : "");
        Line(manifest.BaseBits is { } bits ? $"Frozen matrices in blocks of {bits} bits" : "");
        Table table = new Table().Border(TableBorder.Rounded).AddColumns("parameter", "shape", "factor");
        foreach (PackageParameter parameter in manifest.Parameters)
        {
            table.AddRow(
                Markup.Escape(parameter.Name),
                Markup.Escape($"[{Join(parameter.Shape)}]"),
                parameter.Lora is { } factor ? $"{factor.Factor}, rank {factor.Rank}, scale {factor.Scale}" : "whole");
        }

        AnsiConsole.Write(table);
        Line($"{manifest.Layout.Length:N0} trainable parameters of a model of {manifest.FullModelParameters:N0}");
        Line($"gradient.onnx {manifest.Gradient.LengthBytes:N0} bytes, evaluation.onnx {manifest.Evaluation.LengthBytes:N0} bytes, frozen weights {manifest.FrozenWeights.Sum(f => f.LengthBytes):N0} bytes");
    }

    /// <summary>An export.</summary>
    public static void Print(ExportedFiles exported)
    {
        Line(exported.Origin);
        foreach (string file in exported.Files)
        {
            Line($"{file} ({new FileInfo(file).Length:N0} bytes)");
        }
    }

    private static void PrintAdapted(ImportReport report)
    {
        if (report.Adapted.Count == 0)
        {
            return;
        }

        Table table = new Table().Border(TableBorder.Rounded).AddColumns("adapted layer", "node", "operator", "outputs × inputs", "parameters");
        foreach (AdaptedLayer layer in report.Adapted.Take(MostLines))
        {
            table.AddRow(Markup.Escape(layer.Layer), Markup.Escape(layer.Node), layer.Operator, $"{layer.Outputs} × {layer.Inputs}", $"{layer.Parameters:N0}");
        }

        AnsiConsole.Write(table);
        Line(report.Adapted.Count > MostLines ? $"… and {report.Adapted.Count - MostLines} more; --json lists all." : $"{report.Adapted.Count} nodes adapted.");
    }

    private static string LabelText(PackageLabels labels) =>
        $"labels {Text(labels.ElementType)} [{Join(labels.Shape)}]{(labels.Classes is { } classes ? $" of {classes} classes" : "")}";

    private static string Text(ModelTask task) => task == ModelTask.CausalLm ? "causal-lm" : task.ToString().ToLowerInvariant();

    private static string Text(ElementType type) => type.ToString().ToLowerInvariant();

    private static string Join(IEnumerable<int> shape) => string.Join(", ", shape);

    private static void Line(string text)
    {
        if (text.Length > 0)
        {
            Console.Out.WriteLine(text);
        }
    }
}
