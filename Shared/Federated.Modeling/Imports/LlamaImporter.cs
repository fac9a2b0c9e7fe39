using System.Collections.Immutable;
using Federated.Modeling.Lora;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Modeling.Imports;

/// <summary>
/// Makes a package of a published model of the Llama family: the builder <c>gpt</c> with its sizes and weights, frozen under low-rank changes or trained as a
/// whole. The same folder and options give the same package.
/// </summary>
public static class LlamaImporter
{
    /// <summary>Tokens an example when nobody says: what a small device trains on.</summary>
    public const int DefaultContext = 128;

    /// <summary>Reads and imports a folder.</summary>
    /// <param name="folder">Holds <c>config.json</c> and the weights.</param>
    /// <param name="options">Task, low-rank changes or <c>all</c>, the tokens of an example as input shape, a name.</param>
    /// <exception cref="InvalidDataException">The folder is no model of the family; the message says why.</exception>
    /// <exception cref="ArgumentException">An option does not suit such a model, or chooses nothing.</exception>
    public static ImportResult Import(string folder, ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Demand(options);
        LlamaFolder source = LlamaFolder.Read(folder, options.InputShape?[0] ?? DefaultContext);
        ModelSpec spec = new()
        {
            Builder = ModelSpec.Gpt,
            GptSizes = source.Sizes,
            Lora = options.Lora,
            Trainable = options.Lora is null ? null : options.Trainable,
            BaseBits = options.BaseBits,
        };
        ModelPackage package = ModelPackage.Build(spec, options.Lora?.Seed ?? 1, source.Weights);
        PackageManifest manifest = package.Manifest with
        {
            Name = options.Name ?? source.Provenance.SourceFile,
            Provenance = source.Provenance,
            Adapter = PackageFile.Of(AdapterDocument.ToBytes(0, package.InitialAdapter)),
        };
        return new ImportResult(package with { Manifest = manifest }, Report(package with { Manifest = manifest }, source, options));
    }

    private static void Demand(ImportOptions options)
    {
        foreach ((bool holds, string problem) in new[]
        {
            (options.Task == ModelTask.CausalLm, $"--task is {options.Task}; a folder with {LlamaFolder.ConfigFile} is imported for causal-lm"),
            (options.Lora is not null || options.Trainable is not null, "Nothing is to be trained: choose layers with --lora rank=8,targets=REGEX, or --trainable all"),
            (options.Lora is not null || options.Trainable is null or WeightNames.All, $"--trainable is '{options.Trainable}'; without --lora all weights of such a folder are trained"),
            (options.InputShape is null or [_], "--input-shape states one number here: the tokens of an example"),
            (options.Input is null && options.Output is null && options.Fill.Count == 0, "--input, --output and --fill belong to ONNX files"),
        })
        {
            if (!holds)
            {
                throw new ArgumentException($"{problem}.", nameof(options));
            }
        }
    }

    private static ImportReport Report(ModelPackage package, LlamaFolder source, ImportOptions options)
    {
        PackageManifest manifest = package.Manifest;
        ForwardModel model = ModelBuilders.Build(
            new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = source.Sizes }, options.Lora is null ? null : (ReadOnlyMemory<float>?)source.Weights);
        int rank = options.Lora?.Rank ?? 0;
        IReadOnlyList<LoraTarget> targets = options.Lora is null ? [] : LoraInjection.Choose(model.Graph, options.Lora).Targets;
        return new ImportReport
        {
            Name = manifest.Name,
            Task = manifest.Task,
            Source = source.Provenance,
            Input = manifest.Input,
            Labels = manifest.Labels,
            Output = PackageManifest.ScoresOutput,
            Operators = model.Graph.Nodes.GroupBy(n => n.OperatorType, StringComparer.Ordinal).ToImmutableSortedDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal),
            Adapted = [.. targets.Select(t => new AdaptedLayer(t.Layer, t.Node.Name, t.Node.OperatorType, t.Outputs, t.Inputs, (long)rank * (t.Outputs + t.Inputs)))],
            Skipped = [],
            Trained = [.. manifest.Parameters.Where(p => p.Lora is null).Select(p => p.Name)],
            TrainableParameters = manifest.Layout.Length,
            FrozenParameters = manifest.FullModelParameters - manifest.Layout.Parameters.Where((_, i) => manifest.Parameters[i].Lora is null).Sum(p => (long)p.Length),
            AdapterBytes = (long)manifest.Layout.Length * sizeof(float),
            FrozenBytes = package.FrozenWeights.LongLength,
            GradientBytes = package.GradientGraph.LongLength,
            Notes = [Sizes(source.Sizes)],
        };
    }

    private static string Sizes(GptSpec sizes) => FormattableString.Invariant(
        $"A decoder of {sizes.Layers} blocks, width {sizes.Width}, {sizes.Heads} heads over {sizes.KeyValueHeads} of keys and values, feed-forward {sizes.FeedForward}")
        + $"{(sizes.Experts > 1 ? $", {sizes.ActiveExperts} of {sizes.Experts} experts" : "")}, vocabulary {sizes.Vocabulary}; examples have {sizes.Context} tokens.";
}
