using Federated.Modeling.Lora;
using Federated.Shared.Models;

namespace Federated.Modeling.Imports;

/// <summary>A layer that got a low-rank change.</summary>
/// <param name="Layer">Its name.</param>
/// <param name="Node">The node.</param>
/// <param name="Operator">MatMul, Gemm or Conv.</param>
/// <param name="Outputs">m.</param>
/// <param name="Inputs">n.</param>
/// <param name="Parameters">Parameters of both factors.</param>
public sealed record AdaptedLayer(string Layer, string Node, string Operator, int Outputs, int Inputs, long Parameters);

/// <summary>What an import found and made.</summary>
public sealed record ImportReport
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>The task.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>Where it came from.</summary>
    public required PackageProvenance Source { get; init; }

    /// <summary>The features.</summary>
    public required PackageInput Input { get; init; }

    /// <summary>The labels.</summary>
    public required PackageLabels Labels { get; init; }

    /// <summary>The value that the loss is taken of.</summary>
    public required string Output { get; init; }

    /// <summary>How many nodes of each operator the model has.</summary>
    public required IReadOnlyDictionary<string, int> Operators { get; init; }

    /// <summary>Layers with a low-rank change.</summary>
    public required IReadOnlyList<AdaptedLayer> Adapted { get; init; }

    /// <summary>Nodes whose names were asked for and that have none.</summary>
    public required IReadOnlyList<SkippedTarget> Skipped { get; init; }

    /// <summary>Names of the weights that are trained as a whole.</summary>
    public required IReadOnlyList<string> Trained { get; init; }

    /// <summary>P.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Parameters of the model that stay as they are.</summary>
    public required long FrozenParameters { get; init; }

    /// <summary>An adapter as float32.</summary>
    public required long AdapterBytes { get; init; }

    /// <summary>The file of frozen weights, downloaded once by each device.</summary>
    public required long FrozenBytes { get; init; }

    /// <summary>The gradient graph without the weights.</summary>
    public required long GradientBytes { get; init; }

    /// <summary>What a person should know beside that.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
