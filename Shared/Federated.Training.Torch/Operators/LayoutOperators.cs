using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static TorchSharp.torch;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that move elements or change their type without computing.</summary>
internal static class LayoutOperators
{
    /// <summary>Values of another type.</summary>
    public static TorchOperator Cast(GraphNode node)
    {
        ScalarType type = ElementTypes.Of((TensorProto.Types.DataType)node.Attributes.IntegerOr("to", 0))
            ?? throw node.Refuse($"attribute 'to' is {node.Attributes.IntegerOr("to", 0)}; float, double, int32, int64 and bool are supported");
        return inputs => inputs[0]!.to(type);
    }

    /// <summary>A matrix: dimensions before the axis are the rows, the others the columns.</summary>
    public static TorchOperator Flatten(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        long axis = node.Attributes.IntegerOr("axis", 1);
        int split = checked((int)(axis < 0 ? axis + rank : axis));
        return inputs =>
        {
            // Written out rather than as -1, which torch cannot infer where another dimension is 0.
            ReadOnlySpan<long> shape = inputs[0]!.shape;
            return inputs[0]!.reshape(Product(shape[..split]), Product(shape[split..]));
        };
    }

    /// <summary>One element for each index, along an axis.</summary>
    public static TorchOperator GatherElements(GraphNode node)
    {
        long axis = node.Attributes.IntegerOr("axis", 0);
        return inputs => inputs[0]!.gather(axis, inputs[1]!);
    }

    /// <summary>The same elements in another shape; 0 copies a dimension, -1 infers one.</summary>
    public static TorchOperator Reshape(GraphNode node)
    {
        long[] target = ConstantInputs.Read(node, 1, "the shape");
        bool zeroCopies = node.Attributes.IntegerOr("allowzero", 0) == 0;
        return inputs =>
        {
            long[] source = inputs[0]!.shape;
            return inputs[0]!.reshape([.. target.Select((size, i) => size == 0 && zeroCopies ? source[i] : size)]);
        };
    }

    /// <summary>Dimensions in another order; without one, reversed.</summary>
    public static TorchOperator Transpose(GraphNode node)
    {
        long[] order = [.. node.Attributes.Integers("perm") ?? [.. Enumerable.Range(0, node.Input(0).Shape.Rank).Reverse().Select(i => (long)i)]];
        return inputs => inputs[0]!.permute(order);
    }

    /// <summary>New dimensions of size 1.</summary>
    public static TorchOperator Unsqueeze(GraphNode node)
    {
        long rank = node.Input(0).Shape.Rank;
        long[] given = ConstantInputs.Read(node, 1, "the axes");
        long[] axes = [.. given.Select(a => a < 0 ? a + rank + given.Length : a).Order()];
        return inputs => axes.Aggregate(inputs[0]!.alias(), (x, axis) => x.unsqueeze(axis));
    }

    private static long Product(ReadOnlySpan<long> sizes)
    {
        long product = 1;
        foreach (long size in sizes)
        {
            product *= size;
        }

        return product;
    }
}
