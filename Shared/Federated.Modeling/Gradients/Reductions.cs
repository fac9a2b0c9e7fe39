using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Gradients;

/// <summary>Pieces of gradient that several rules share.</summary>
internal static class Reductions
{
    /// <summary>
    /// The adjoint of broadcasting: sums a gradient over the dimensions along which an operand was repeated, so that it has the operand's shape.
    /// </summary>
    /// <exception cref="OnnxFormatException">Whether a symbolic dimension was repeated is not known before a run.</exception>
    public static GraphValue SumTo(this GraphBuilder graph, GraphValue gradient, GraphValue operand, GraphNode node)
    {
        TensorShape from = gradient.Shape;
        TensorShape to = operand.Shape;
        if (from.Equals(to))
        {
            return gradient;
        }

        int leading = from.Rank - to.Rank;
        List<long> axes = [];
        for (int i = 0; i < from.Rank; i++)
        {
            if (i < leading || (to[i - leading].IsOne && !from[i].IsOne))
            {
                axes.Add(i);
            }
            else if (from[i] != to[i - leading])
            {
                throw node.Refuse($"dimension {to[i - leading]} of '{operand.Name}' may be broadcast to {from[i]} or not; that must be known before a run");
            }
        }

        bool keep = leading == 0;
        GraphValue sum = graph.Node(
            "ReduceSum", NodeAttributes.None.With("keepdims", keep ? 1 : 0), gradient, graph.Int64Vector([.. axes]));
        return sum.Shape.Equals(to) ? sum : graph.ReshapeTo(sum, operand);
    }

    /// <summary>Gives a value the shape of another one, whose elements it has.</summary>
    public static GraphValue ReshapeTo(this GraphBuilder graph, GraphValue value, GraphValue like)
    {
        if (value.Shape.Equals(like.Shape))
        {
            return value;
        }

        int symbolic = like.Shape.Dimensions.Count(d => d.IsSymbolic);
        GraphValue target = symbolic <= 1
            ? graph.Int64Vector([.. like.Shape.Dimensions.Select(d => d.IsSymbolic ? -1 : d.Size)])
            : graph.Node("Shape", like);
        return graph.Node("Reshape", value, target);
    }

    /// <summary>A batch of matrices, each transposed.</summary>
    public static GraphValue SwapLastTwo(this GraphBuilder graph, GraphValue value)
    {
        int rank = value.Shape.Rank;
        long[] order = [.. Enumerable.Range(0, rank - 2).Select(i => (long)i), rank - 1, rank - 2];
        return graph.Node("Transpose", NodeAttributes.None.With("perm", order), value);
    }

    /// <summary>Repeats a value until it has the shape of another one, to which it broadcasts.</summary>
    public static GraphValue ExpandTo(this GraphBuilder graph, GraphValue value, GraphValue like)
    {
        if (value.Shape.Equals(like.Shape))
        {
            return value;
        }

        GraphValue target = like.Shape.IsKnown ? graph.Int64Vector([.. like.Shape.Dimensions.Select(d => d.Size)]) : graph.Node("Shape", like);
        return graph.Node("Expand", value, target);
    }

    /// <summary>True for the constant 1 a backward pass starts from.</summary>
    public static bool IsOne(this GraphValue value) => value is { Constant: { } content, Shape.Rank: 0 }
        && (TensorProto.Types.DataType)content.DataType switch
        {
            TensorProto.Types.DataType.Float => TensorContent.ReadFloat(content)[0] == 1f,
            TensorProto.Types.DataType.Double => TensorContent.ReadDouble(content)[0] == 1d,
            _ => false,
        };
}
