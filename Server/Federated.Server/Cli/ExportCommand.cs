using System.CommandLine;
using System.Globalization;
using Federated.Modeling;
using Federated.Modeling.Exports;
using Federated.Server.Rounds;

namespace Federated.Server.Cli;

/// <summary>What <c>models export</c> gives.</summary>
/// <param name="Name">The model.</param>
/// <param name="Job">The job that trained it; null for a package folder.</param>
/// <param name="Version">Version of the adapter that was written; null where nothing says it, as for an adapter of other software.</param>
/// <param name="Round">The job's round that made this version, 0 for none; null for a package folder.</param>
/// <param name="Evaluation">The job's evaluation of this version; null where there is none.</param>
/// <param name="Files">What was written.</param>
internal sealed record ExportedFiles(string Name, string? Job, long? Version, long? Round, CentralEvaluation? Evaluation, IReadOnlyList<string> Files)
{
    /// <summary>Which model it is, in a line for people.</summary>
    public string Origin
    {
        get
        {
            string version = Version is { } known ? FormattableString.Invariant($"version {known}") : "an adapter that states no version";
            string round = Round is { } made and > 0 ? FormattableString.Invariant($", made by round {made}") : Version == 0 ? ", before the first round" : "";
            return $"{Name}: {(Job is null ? "" : $"job {Job}, ")}{version}{round}{(Evaluation is null ? "" : $", {ScoreText.Named(Evaluation)}")}";
        }
    }
}

/// <summary><c>models export</c>: writes a trained model for other software.</summary>
internal static class ExportCommand
{
    /// <summary>The command.</summary>
    public static Command Build(Option<Uri> server, Option<bool> json)
    {
        Argument<string> source = new("package") { Description = "Folder of a package, or a job of the server." };
        Option<string> format = new("--format") { Description = "peft: an adapter for PEFT; onnx: one model with the adapter merged; safetensors: the trained tensors.", Required = true };
        format.AcceptOnlyFromAmong("peft", "onnx", "safetensors");
        Option<DirectoryInfo> folder = new("--out") { Description = "Folder to write to.", HelpName = "DIR", Required = true };
        Option<FileInfo?> adapter = new("--adapter") { Description = "With a package folder: an adapter's file, also as safetensors, or a folder that PEFT wrote; its initial adapter when left out.", HelpName = "PATH" };
        Command command = new("export", "Write a trained model for other software.") { source, format, folder, adapter, server, json };
        command.SetAction((parsed, ct) => ModelsCommand.RunAsync(parsed.GetValue(json), PackageText.Print, async () =>
        {
            OpenedPackage opened = await PackageSource.OpenAsync(parsed.GetValue(source)!, parsed.GetValue(adapter), () => AccessArguments.ClientOf(parsed, parsed.GetValue(server)!), ct);
            IReadOnlyList<(string File, byte[] Content)> contents = Files(opened.Package, parsed.GetValue(format)!, Metadata(opened));
            DirectoryInfo target = parsed.GetValue(folder)!;
            target.Create();
            List<string> files = [];
            foreach ((string file, byte[] content) in contents)
            {
                string path = Path.Combine(target.FullName, file);
                await File.WriteAllBytesAsync(path, content, ct);
                files.Add(path);
            }

            return new ExportedFiles(opened.Package.Manifest.Name, opened.Job, opened.Version, opened.Round, opened.Evaluation, files);
        }));
        return command;
    }

    private static IReadOnlyList<(string File, byte[] Content)> Files(ModelPackage package, string format, IReadOnlyDictionary<string, string> metadata)
    {
        switch (format)
        {
            case "onnx":
                return [("model.onnx", MergedModel.Export(package, package.InitialAdapter, metadata))];
            case "safetensors":
                return [("adapter.safetensors", SafetensorsFile.Write(AdapterTensors.Of(package.Manifest, package.InitialAdapter), metadata))];
            default:
                (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, package.InitialAdapter, metadata);
                return [(PeftAdapter.WeightsFile, weights), (PeftAdapter.ConfigFile, config)];
        }
    }

    /// <summary>What a file says of where it comes from: all formats hold texts under names.</summary>
    internal static IReadOnlyDictionary<string, string> Metadata(OpenedPackage opened)
    {
        Dictionary<string, string> texts = new(StringComparer.Ordinal) { ["federated.model"] = opened.Package.Manifest.Name };
        foreach ((string name, string? value) in new[]
        {
            ("job", opened.Job),
            ("version", opened.Version?.ToString(CultureInfo.InvariantCulture)),
            ("round", opened.Round?.ToString(CultureInfo.InvariantCulture)),
            ("score", opened.Evaluation is { } evaluation ? ScoreText.Named(evaluation) : null),
        })
        {
            if (value is not null)
            {
                texts.Add($"federated.{name}", value);
            }
        }

        return texts;
    }
}
