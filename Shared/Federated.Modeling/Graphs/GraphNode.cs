using System.Collections.Immutable;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Graphs;

/// <summary>One operator of a graph. Immutable, compares by reference.</summary>
public sealed class GraphNode
{
    internal GraphNode(
        string name, string operatorType, ImmutableArray<GraphValue?> inputs, ImmutableArray<GraphValue?> outputs, NodeAttributes attributes)
    {
        Name = name;
        OperatorType = operatorType;
        Inputs = inputs;
        Outputs = outputs;
        Attributes = attributes;
    }

    /// <summary>Unique in its graph.</summary>
    public string Name { get; }

    /// <summary>The ONNX operator, for example <c>Gemm</c>; always of the standard domain.</summary>
    public string OperatorType { get; }

    /// <summary>Inputs in the operator's order; null for an optional one that is left out.</summary>
    public ImmutableArray<GraphValue?> Inputs { get; }

    /// <summary>Outputs in the operator's order; null for an optional one that is left out.</summary>
    public ImmutableArray<GraphValue?> Outputs { get; }

    /// <summary>The attributes.</summary>
    public NodeAttributes Attributes { get; }

    /// <summary>An input that must be there.</summary>
    /// <exception cref="OnnxFormatException">It is not.</exception>
    public GraphValue Input(int index) => OptionalInput(index)
        ?? throw Refuse($"input {index} is missing");

    /// <summary>An input, or null when it is left out.</summary>
    public GraphValue? OptionalInput(int index) => index < Inputs.Length ? Inputs[index] : null;

    /// <summary>An output, or null when it is left out.</summary>
    public GraphValue? OptionalOutput(int index) => index < Outputs.Length ? Outputs[index] : null;

    /// <summary>The node with another operator, inputs or attributes; what is not given stays.</summary>
    internal GraphNode With(string? operatorType = null, ImmutableArray<GraphValue?>? inputs = null, NodeAttributes? attributes = null) =>
        new(Name, operatorType ?? OperatorType, inputs ?? Inputs, Outputs, attributes ?? Attributes);

    /// <summary>An error that names this node.</summary>
    public OnnxFormatException Refuse(string reason) => new($"Node '{Name}' ({OperatorType}): {reason}.");
}
