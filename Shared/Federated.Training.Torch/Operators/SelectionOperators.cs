using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Shapes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Training.Torch.Operators;

/// <summary>Operators that pick, join, repeat or surround elements.</summary>
internal static class SelectionOperators
{
    /// <summary>Inputs one after the other along an axis.</summary>
    public static TorchOperator Concat(GraphNode node)
    {
        long axis = node.Attributes.IntegerOr("axis", 0);
        return inputs => cat([.. inputs.Select(x => x!)], axis);
    }

    /// <summary>One part along an axis.</summary>
    public static TorchOperator Split(GraphNode node, int output)
    {
        ImmutableArray<long> sizes = SplitSizes.Of(node);
        long axis = node.Attributes.IntegerOr("axis", 0);
        long start = sizes.Take(output).Sum();
        return inputs => inputs[0]!.narrow(axis, start, sizes[output]);
    }

    /// <summary>Slices of the data by index; a negative index counts from the end.</summary>
    public static TorchOperator Gather(GraphNode node)
    {
        int rank = node.Input(0).Shape.Rank;
        long given = node.Attributes.IntegerOr("axis", 0);
        int axis = (int)(given < 0 ? given + rank : given);
        return inputs =>
        {
            long[] data = inputs[0]!.shape;
            Tensor indices = FromFront(inputs[1]!, data[axis]);
            return inputs[0]!.index_select(axis, indices.reshape(-1)).reshape([.. data[..axis], .. indices.shape, .. data[(axis + 1)..]]);
        };
    }

    /// <summary>One element for each index, along an axis; a negative index counts from the end.</summary>
    public static TorchOperator GatherElements(GraphNode node)
    {
        long given = node.Attributes.IntegerOr("axis", 0);
        int axis = (int)(given < 0 ? given + node.Input(0).Shape.Rank : given);
        return inputs => inputs[0]!.gather(axis, FromFront(inputs[1]!, inputs[0]!.shape[axis]));
    }

    /// <summary>Every so many elements between two ends, forwards or backwards, along some axes.</summary>
    public static TorchOperator Slice(GraphNode node)
    {
        ImmutableArray<SliceRange> ranges = [.. SliceRange.Of(node).Where(r => !r.Size.IsSymbolic)];
        return inputs => ranges.Aggregate(inputs[0]!.alias(), (x, range) => range.Step > 0
            ? x.slice(range.Axis, range.Start, Math.Min(range.Size.Size, range.Start + (range.Count.Size * range.Step)), range.Step)
            : x.index_select(range.Axis, tensor(Backwards(range), device: x.device)));
    }

    /// <summary>Surrounded by a constant, or cut off where an amount is negative.</summary>
    public static TorchOperator Pad(GraphNode node)
    {
        PadAmounts amounts = PadAmounts.Of(node);
        long[] fromTheLast = [.. amounts.Begin.Zip(amounts.End).Reverse().SelectMany(a => (long[])[a.First, a.Second])];
        return inputs => functional.pad(inputs[0]!, fromTheLast, value: inputs.Count > 2 && inputs[2] is { } value ? value.to(ScalarType.Float64).item<double>() : 0);
    }

    /// <summary>The whole tensor several times along each axis.</summary>
    public static TorchOperator Tile(GraphNode node)
    {
        Func<IReadOnlyList<Tensor?>, long[]> repeats = ConstantInputs.ReadOrRun(node, 1);
        return inputs => inputs[0]!.repeat(repeats(inputs));
    }

    /// <summary>Each element several times along each axis.</summary>
    public static TorchOperator Resize(GraphNode node)
    {
        ImmutableArray<long> factors = ResizeFactors.Of(node);
        return inputs => factors.Index().Where(f => f.Item != 1)
            .Aggregate(inputs[0]!.alias(), (x, factor) => x.repeat_interleave(factor.Item, factor.Index));
    }

    private static long[] Backwards(SliceRange range) => [.. Enumerable.Range(0, (int)range.Count.Size).Select(i => range.Start + (i * range.Step))];

    private static Tensor FromFront(Tensor indices, long size)
    {
        Tensor whole = indices.to(ScalarType.Int64);
        return where(whole.lt(0), whole + size, whole);
    }
}
