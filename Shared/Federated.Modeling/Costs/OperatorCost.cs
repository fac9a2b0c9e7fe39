using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Costs;

/// <summary>What one node costs.</summary>
/// <param name="Flops">Floating-point operations, a multiply-add counted as two.</param>
/// <param name="Bytes">Bytes of its inputs and outputs.</param>
/// <param name="IsProduct">Whether it is a product of matrices or a convolution, which runs at the rate of products.</param>
internal readonly record struct OperatorCost(double Flops, double Bytes, bool IsProduct)
{
    // Nodes that give other names or shapes to the same memory.
    private static readonly HashSet<string> _views = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"];

    // Nodes that move elements and compute none.
    private static readonly HashSet<string> _moves =
    [
        "Transpose", "Concat", "Split", "Slice", "Gather", "GatherElements", "Expand", "Tile", "Pad", "Shape", "ConstantOfShape", "Range", "Cast", "DepthToSpace", "SpaceToDepth",
        "OneHot", "ScatterElements", "ScatterND", "MaxUnpool", "Resize", "Trilu", "Size", "NonZero", "Where",
    ];

    /// <summary>Whether a node's first output is its first input's memory.</summary>
    public static bool IsView(GraphNode node) => _views.Contains(node.OperatorType);

    /// <summary>The cost of a node all of whose shapes are known.</summary>
    public static OperatorCost Of(GraphNode node)
    {
        double outputs = node.Outputs.OfType<GraphValue>().Sum(Elements);
        double inputs = node.Inputs.OfType<GraphValue>().Sum(Elements);
        if (IsView(node))
        {
            return default;
        }

        double bytes = node.Outputs.Concat(node.Inputs).OfType<GraphValue>().Sum(BytesOf);
        switch (node.OperatorType)
        {
            case "MatMul":
                // [.., m, k] · [.., k, n]: each output sums over k.
                return new OperatorCost(2 * outputs * node.Input(0).Shape[-1].Size, bytes, true);
            case "Gemm":
                long inner = node.Input(0).Shape[node.Attributes.IntegerOr("transA", 0) == 0 ? 1 : 0].Size;
                return new OperatorCost((2 * outputs * inner) + (node.OptionalInput(2) is null ? 0 : outputs), bytes, true);
            case "Conv":
                // W [filters, channels of a group, kernel…]: each output sums over all but the filters.
                return new OperatorCost((2 * outputs * Elements(node.Input(1)) / node.Input(1).Shape[0].Size) + (node.OptionalInput(2) is null ? 0 : outputs), bytes, true);
            case "ConvTranspose":
                return new OperatorCost(2 * Elements(node.Input(0)) * Elements(node.Input(1)) / node.Input(1).Shape[0].Size, bytes, true);
            case "MaxPool" or "AveragePool":
                return new OperatorCost(outputs * (node.Attributes.Integers("kernel_shape") ?? [1]).Aggregate(1.0, (product, side) => product * side), bytes, false);
            case "Softmax" or "LogSoftmax":
                // Maximum, difference, exponential, sum, quotient.
                return new OperatorCost(5 * outputs, bytes, false);
            case "LayerNormalization":
                return new OperatorCost(8 * outputs, bytes, false);
            default:
                bool reduces = node.OperatorType.StartsWith("Reduce", StringComparison.Ordinal);
                return new OperatorCost(_moves.Contains(node.OperatorType) ? 0 : reduces ? inputs : outputs, bytes, false);
        }
    }

    /// <summary>Elements of a value of known shape.</summary>
    public static double Elements(GraphValue value) => value.Shape.KnownProduct;

    /// <summary>Bytes of a value of known shape.</summary>
    public static double BytesOf(GraphValue value) => Elements(value) * value.ElementType switch
    {
        DataType.Int64 or DataType.Double => 8,
        DataType.Float or DataType.Int32 => 4,
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 1,
        _ => 4,
    };
}
