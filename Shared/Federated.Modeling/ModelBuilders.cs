using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Transformers;
using Federated.Shared.Models;

namespace Federated.Modeling;

/// <summary>The models a spec can name. Every weight is a graph input, so all are trainable; or all are constants, for low-rank changes.</summary>
public static class ModelBuilders
{
    private const int Kernel = 5;
    private const int MaxSize = 1 << 20;
    private const int MaxParameters = 1 << 28;

    /// <summary>The forward graph of a spec; a new one at each call.</summary>
    /// <exception cref="ArgumentException">The spec names no builder, or sizes that are not positive or do not belong to the builder.</exception>
    public static ForwardModel Build(ModelSpec spec) => Build(spec, null);

    /// <summary>The forward graph of a spec with constant weights, but for those that <see cref="ModelSpec.Trainable"/> names.</summary>
    /// <param name="spec">Which model.</param>
    /// <param name="weights">An adapter of the model trained as a whole: [P]; null makes every weight an input.</param>
    /// <exception cref="ArgumentException">The spec is not valid, or the weights are not those of its model.</exception>
    internal static ForwardModel Build(ModelSpec spec, ReadOnlyMemory<float>? weights)
    {
        ArgumentNullException.ThrowIfNull(spec);
        FrozenWeights? frozen = null;
        if (weights is { } values)
        {
            ParameterLayout layout = Build(spec).Layout;
            if (values.Length != layout.Length)
            {
                throw new ArgumentException(
                    $"model.base has {values.Length} parameters; this model has {layout.Length}. Give an adapter of the same builder and sizes.", nameof(weights));
            }

            frozen = FrozenWeights.Of(values, spec.Trainable, layout);
        }

        ForwardModel model = spec.Builder switch
        {
            ModelSpec.Mlp => Mlp(spec, frozen),
            ModelSpec.Cnn => Cnn(spec, frozen),
            ModelSpec.Gpt => GptGraph.Build(spec.GptSizes ?? new GptSpec(), frozen),
            ModelSpec.Vit => VitGraph.Build(spec.VitSizes ?? new VitSpec(), frozen),
            _ => throw new ArgumentException(
                $"model.builder is '{spec.Builder}'; known are '{ModelSpec.Mlp}', '{ModelSpec.Cnn}', '{ModelSpec.Gpt}' and '{ModelSpec.Vit}'.", nameof(spec)),
        };
        long parameters = model.FullModelParameters;
        return parameters <= MaxParameters
            ? model
            : throw new ArgumentException($"The model {model.Name} has {parameters} parameters, more than the {MaxParameters} an adapter can hold; make its layers smaller.", nameof(spec));
    }

    /// <summary>
    /// Dense layers with ReLU between them; by default 784-200-200-10, the "2NN" of McMahan et al. 2017 (arXiv 1602.05629, section 3): 199,210 parameters.
    /// </summary>
    /// <exception cref="ArgumentException">A size is not positive, or the spec has keys of another builder.</exception>
    public static ForwardModel Mlp(ModelSpec spec) => Mlp(spec, null);

    private static ForwardModel Mlp(ModelSpec spec, FrozenWeights? frozen)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Unused(spec, "imageShape", spec.ImageShape);
        Unused(spec, "channels", spec.Channels);
        int inputs = spec.Inputs ?? 784;
        IReadOnlyList<int> hidden = spec.Hidden ?? [200, 200];
        Check("inputs", [inputs]);
        Check("hidden", hidden);
        Check("classes", [spec.Classes], 2);
        LayerGraph graph = new($"mlp-{string.Join('-', [inputs, .. hidden, spec.Classes])}", [inputs], frozen);
        return Classifier(graph, graph.Features, hidden, spec.Classes);
    }

    /// <summary>
    /// Convolutions 5×5 (padding SAME) with ReLU and 2×2 max pooling, then dense layers; by default the CNN of McMahan et al. 2017
    /// (arXiv 1602.05629, section 3): 32 and 64 filters, 512 units, 1,663,370 parameters. The ReLU stands after the pooling: the maximum of
    /// rectified values is the rectified maximum, so outputs and gradients are the same at a quarter of the work.
    /// </summary>
    /// <exception cref="ArgumentException">A size is not positive, or the spec has keys of another builder.</exception>
    public static ForwardModel Cnn(ModelSpec spec) => Cnn(spec, null);

    private static ForwardModel Cnn(ModelSpec spec, FrozenWeights? frozen)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Unused(spec, "inputs", spec.Inputs);
        ImmutableArray<int> image = [.. spec.ImageShape ?? [1, 28, 28]];
        IReadOnlyList<int> channels = spec.Channels ?? [32, 64];
        IReadOnlyList<int> hidden = spec.Hidden ?? [512];
        Check("imageShape", image);
        Check("channels", channels);
        Check("hidden", hidden);
        Check("classes", [spec.Classes], 2);
        int least = 1 << channels.Count;
        if (image.Length != 3 || image[1] < least || image[2] < least)
        {
            throw new ArgumentException(
                $"model.imageShape is [{string.Join(", ", image)}]; channels, height and width are needed, the last two at least {least} for {channels.Count} poolings.",
                nameof(spec));
        }

        string name = $"cnn-{string.Join('x', image)}-{string.Join('-', [.. channels, .. hidden, spec.Classes])}";
        LayerGraph graph = new(name, image, frozen);
        GraphValue x = graph.Features;
        for (int i = 0; i < channels.Count; i++)
        {
            x = graph.Graph.Node("Relu", graph.MaxPool2(graph.ConvolutionSame($"conv{i + 1}", x, channels[i], Kernel)));
        }

        return Classifier(graph, graph.Graph.Node("Flatten", x), hidden, spec.Classes);
    }

    private static ForwardModel Classifier(LayerGraph graph, GraphValue x, IReadOnlyList<int> hidden, int classes)
    {
        for (int i = 0; i < hidden.Count; i++)
        {
            x = graph.Graph.Node("Relu", graph.Dense($"dense{i + 1}", x, hidden[i], Initialization.He));
        }

        return graph.Model(graph.Dense($"dense{hidden.Count + 1}", x, classes, Initialization.Glorot));
    }

    private static void Check(string key, IReadOnlyList<int> sizes, int least = 1)
    {
        foreach (int size in sizes)
        {
            if (size < least || size > MaxSize)
            {
                throw new ArgumentException($"model.{key} has the size {size}; {least} to {MaxSize} is allowed.");
            }
        }
    }

    private static void Unused(ModelSpec spec, string key, object? value)
    {
        if (value is not null)
        {
            throw new ArgumentException($"model.{key} does not belong to the builder '{spec.Builder}'; leave it out.", nameof(spec));
        }
    }
}
