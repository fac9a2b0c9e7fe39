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

    /// <summary>The same elements in another shape; 0 copies a dimension, -1 infers one.</summary>
    public static TorchOperator Reshape(GraphNode node)
    {
        Func<IReadOnlyList<Tensor?>, long[]> target = ConstantInputs.ReadOrRun(node, 1);
        bool zeroCopies = node.Attributes.IntegerOr("allowzero", 0) == 0;
        return inputs =>
        {
            long[] source = inputs[0]!.shape;
            return inputs[0]!.reshape([.. target(inputs).Select((size, i) => size == 0 && zeroCopies ? source[i] : size)]);
        };
    }

    /// <summary>Without dimensions of size 1: those of the axes, or all.</summary>
    public static TorchOperator Squeeze(GraphNode node)
    {
        long[] target = [.. node.Outputs[0]!.Shape.Dimensions.Select((d, i) => d.IsSymbolic ? -1 : d.Size)];
        if (target.Count(d => d == -1) <= 1)
        {
            return inputs => inputs[0]!.reshape(target);
        }

        long rank = node.Input(0).Shape.Rank;
        long[] axes = [.. ConstantInputs.Read(node, 1, "the axes").Select(a => a < 0 ? a + rank : a).OrderDescending()];
        return inputs => axes.Aggregate(inputs[0]!.alias(), (x, axis) => x.squeeze(axis));
    }

    /// <summary>Repeated to the shape that it and another one broadcast to.</summary>
    public static TorchOperator Expand(GraphNode node)
    {
        Func<IReadOnlyList<Tensor?>, long[]> target = ConstantInputs.ReadOrRun(node, 1);
        return inputs =>
        {
            long[] own = inputs[0]!.shape;
            long[] other = target(inputs);
            int rank = Math.Max(own.Length, other.Length);
            return inputs[0]!.expand([.. Enumerable.Range(1, rank).Select(i => Math.Max(At(own, i), At(other, i))).Reverse()]);
        };

        static long At(long[] shape, int fromEnd) => fromEnd > shape.Length ? 1 : shape[^fromEnd];
    }

    /// <summary>Blocks of the channels laid out in space.</summary>
    public static TorchOperator DepthToSpace(GraphNode node)
    {
        long block = node.Attributes.IntegerOr("blocksize", 0);
        bool blockFirst = node.Attributes.TextOr("mode", "DCR") == "DCR";
        return inputs =>
        {
            (long n, long c, long h, long w) = Sizes(inputs[0]!);
            long channels = c / (block * block);
            Tensor ordered = blockFirst
                ? inputs[0]!.reshape(n, block, block, channels, h, w).permute(0, 3, 4, 1, 5, 2)
                : inputs[0]!.reshape(n, channels, block, block, h, w).permute(0, 1, 4, 2, 5, 3);
            return ordered.reshape(n, channels, h * block, w * block);
        };
    }

    /// <summary>Blocks of space laid out in the channels.</summary>
    public static TorchOperator SpaceToDepth(GraphNode node)
    {
        long block = node.Attributes.IntegerOr("blocksize", 0);
        return inputs =>
        {
            (long n, long c, long h, long w) = Sizes(inputs[0]!);
            return inputs[0]!.reshape(n, c, h / block, block, w / block, block).permute(0, 3, 5, 1, 2, 4)
                .reshape(n, c * block * block, h / block, w / block);
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

    private static (long N, long C, long H, long W) Sizes(Tensor x) => (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);

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
