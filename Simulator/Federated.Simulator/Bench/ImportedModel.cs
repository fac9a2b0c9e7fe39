using System.Globalization;
using Federated.Modeling;
using Federated.Modeling.Imports;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;

namespace Federated.Simulator.Bench;

/// <summary>An ONNX file to compare the engines on, as the option <c>--model</c> names it: <c>FILE;task=TASK;shape=D,D;input=NAME;output=NAME;fill=NAME=VALUE</c>.</summary>
/// <param name="Path">The file.</param>
/// <param name="Options">What an import must be told of it.</param>
internal sealed record ImportedModel(string Path, ImportOptions Options)
{
    private const string Form = "write FILE;task=classification|causal-lm|regression|embedding, and where the file needs it ;shape=3,48,320 ;input=NAME ;output=NAME ;fill=NAME=VALUE";

    /// <summary>Reads the option.</summary>
    /// <exception cref="FormatException">It has another form; the message says which.</exception>
    public static ImportedModel Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(';', StringSplitOptions.TrimEntries);
        ImportOptions options = new() { Task = ModelTask.Classification };
        Dictionary<string, double> fill = new(StringComparer.Ordinal);
        foreach (string part in parts[1..])
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            (string key, string value) = equals > 0 ? (part[..equals], part[(equals + 1)..]) : throw new FormatException($"--model has the part '{part}'; {Form}.");
            try
            {
                options = key switch
                {
                    "task" => options with { Task = Task(value) },
                    "shape" => options with { InputShape = [.. value.Split(',', 'x').Select(d => int.Parse(d, CultureInfo.InvariantCulture))] },
                    "input" => options with { Input = value },
                    "output" => options with { Output = value },
                    "fill" => Fill(options, fill, value),
                    _ => throw new FormatException(),
                };
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                throw new FormatException($"--model has '{key}={value}'; {Form}.", e);
            }
        }

        return new ImportedModel(parts[0], options);
    }

    /// <summary>The model with all weights trained and with low-rank changes of all layers; where one of them cannot be had, why.</summary>
    public IEnumerable<(ModelPackage? Package, string? Refusal)> Packages(PackageLora lora)
    {
        string name = System.IO.Path.GetFileNameWithoutExtension(Path);
        foreach (ImportOptions variant in new[] { Options with { Trainable = "all" }, Options with { Lora = lora with { Targets = ".*" } } })
        {
            ModelPackage? package = null;
            string? refusal = null;
            try
            {
                package = OnnxImporter.Import(Path, variant with { Name = name }).Package;
            }
            catch (Exception e) when (e is OnnxFormatException or ArgumentException)
            {
                refusal = $"{name}, {(variant.Lora is null ? "all weights" : "LoRA")}: {e.Message}";
            }

            yield return (package, refusal);
        }
    }

    private static ModelTask Task(string text) => text switch
    {
        "classification" => ModelTask.Classification,
        "causal-lm" => ModelTask.CausalLm,
        "regression" => ModelTask.Regression,
        "embedding" => ModelTask.Embedding,
        _ => throw new FormatException(),
    };

    private static ImportOptions Fill(ImportOptions options, Dictionary<string, double> fill, string assignment)
    {
        int equals = assignment.LastIndexOf('=');
        return equals > 0 && fill.TryAdd(assignment[..equals], double.Parse(assignment[(equals + 1)..], CultureInfo.InvariantCulture))
            ? options with { Fill = fill }
            : throw new FormatException();
    }
}
