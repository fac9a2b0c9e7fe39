using System.Collections.Immutable;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Modeling.Imports;

/// <summary>A package made of an ONNX file, and what was found on the way.</summary>
public sealed record ImportResult(ModelPackage Package, ImportReport Report);

/// <summary>
/// Makes a model package of an ONNX file: picks features and output, attaches the task's loss, chooses what is trained, differentiates, and takes
/// the frozen weights out. The same file and options give the same package.
/// </summary>
public static class OnnxImporter
{
    /// <summary>Reads a file and imports it; tensors that the file keeps elsewhere are read from its folder.</summary>
    /// <exception cref="OnnxFormatException">
    /// The file is no model, leaves open what the options do not state, or holds nodes that cannot be read or differentiated; the message names all of them.
    /// </exception>
    /// <exception cref="ArgumentException">An option is out of range or chooses nothing.</exception>
    public static ImportResult Import(string path, ImportOptions options)
    {
        byte[] content = File.ReadAllBytes(path);
        ModelProto model = OnnxFile.Read(content);
        ExternalWeights.EmbedFrom(model, Path.GetDirectoryName(Path.GetFullPath(path))!);
        string producer = $"{model.ProducerName} {model.ProducerVersion}".Trim();
        PackageProvenance provenance = new(
            Path.GetFileName(path),
            ContentHash.Of(content).Hex,
            producer.Length == 0 ? "unknown" : producer,
            (int)model.OpsetImport.First(o => o.Domain is "" or "ai.onnx").Version);
        return Import(model, provenance, options);
    }

    /// <summary>Imports a model in memory; it is not changed.</summary>
    public static ImportResult Import(ModelProto source, PackageProvenance provenance, ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(provenance);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Lora is null && options.Trainable is null)
        {
            throw new ArgumentException("Nothing is to be trained. Choose layers with --lora rank=8,targets=REGEX, or weights with --trainable all|REGEX.", nameof(options));
        }

        if (options is { BaseBits: { } bits, Lora: null, Trainable: WeightNames.All })
        {
            throw new ArgumentException(
                $"--base-bits is {bits}, and --trainable {WeightNames.All} leaves no frozen matrices to store in fewer bits. Leave it out, or freeze the base with --lora.", nameof(options));
        }

        ImportedGraph probe = ImportedGraph.Read(source, options);
        (IReadOnlyList<LoraTarget> targets, IReadOnlyList<SkippedTarget> skipped) =
            options.Lora is null ? ([], []) : LoraInjection.Choose(probe.Graph, options.Lora);
        ModelPackage package = ModelPackage.Author(() => Adapt(Forward()), Forward, options.Lora?.Seed ?? 1, options.BaseBits);
        byte[] adapter = AdapterDocument.ToBytes(0, package.InitialAdapter);
        package = package with { Manifest = package.Manifest with { Adapter = PackageFile.Of(adapter) } };
        return new ImportResult(package, Report(package, probe, targets, skipped));

        ForwardModel Forward()
        {
            ImportedGraph read = ImportedGraph.Read(source, options);
            return new ForwardModel
            {
                Name = options.Name ?? Path.GetFileNameWithoutExtension(provenance.SourceFile),
                Graph = read.Graph,
                Task = options.Task,
                Features = read.Features,
                Scores = read.Scores,
                Parameters = [.. read.Trainable],
                FullModelParameters = read.FullModelParameters,
                Provenance = provenance with { Output = read.Output, Softmax = read.EndsInSoftmax ? true : null },
            };
        }

        ForwardModel Adapt(ForwardModel model) => options.Lora is null
            ? model
            : model with { Parameters = [.. LoraInjection.Apply(model.Graph, options.Lora), .. model.Parameters], Lora = options.Lora };
    }

    private static ImportReport Report(
        ModelPackage package, ImportedGraph probe, IReadOnlyList<LoraTarget> targets, IReadOnlyList<SkippedTarget> skipped)
    {
        PackageManifest manifest = package.Manifest;
        int rank = manifest.Lora?.Rank ?? 0;
        return new ImportReport
        {
            Name = manifest.Name,
            Task = manifest.Task,
            Source = manifest.Provenance!,
            Input = manifest.Input,
            Labels = manifest.Labels,
            Output = probe.Scores.Name,
            Operators = probe.Graph.Nodes.GroupBy(n => n.OperatorType, StringComparer.Ordinal).ToImmutableSortedDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal),
            Adapted = [.. targets.Select(t => new AdaptedLayer(t.Layer, t.Node.Name, t.Node.OperatorType, t.Outputs, t.Inputs, (long)rank * (t.Outputs + t.Inputs)))],
            Skipped = skipped,
            Trained = [.. manifest.Parameters.Where(p => p.Lora is null).Select(p => p.Name)],
            TrainableParameters = manifest.Layout.Length,
            FrozenParameters = manifest.FullModelParameters - probe.Trainable.Sum(t => t.Value.Shape.KnownProduct),
            AdapterBytes = (long)manifest.Layout.Length * sizeof(float),
            FrozenBytes = package.FrozenWeights.LongLength,
            GradientBytes = package.GradientGraph.LongLength,
            Notes = probe.Notes,
        };
    }
}
