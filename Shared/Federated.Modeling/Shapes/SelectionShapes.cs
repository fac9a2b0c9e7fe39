using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that pick, join, repeat or place elements.</summary>
internal static class SelectionShapes
{
    public static InferredType[] Concat(GraphNode node)
    {
        TensorShape first = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), first.Rank);
        long total = 0;
        foreach (TensorShape shape in node.Inputs.Select((_, i) => node.Input(i).Shape))
        {
            if (shape.Rank != first.Rank || shape[axis].IsSymbolic || !shape.Dimensions.SetItem(axis, 1).SequenceEqual(first.Dimensions.SetItem(axis, 1)))
            {
                throw node.Refuse($"{shape} and {first} cannot be joined along axis {axis}; the other dimensions must be equal and this one known");
            }

            total += shape[axis].Size;
        }

        return [new(node.Input(0).ElementType, TensorShape.Of(first.Dimensions.SetItem(axis, total)))];
    }

    public static InferredType[] Split(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), shape.Rank);
        return [.. SplitSizes.Of(node).Select(s => new InferredType(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.SetItem(axis, s))))];
    }

    public static InferredType[] Slice(GraphNode node)
    {
        Dimension[] result = [.. node.Input(0).Shape.Dimensions];
        foreach (SliceRange range in SliceRange.Of(node))
        {
            result[range.Axis] = range.Count;
        }

        return [new(node.Input(0).ElementType, TensorShape.Of(result))];
    }

    public static InferredType[] Pad(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        PadAmounts amounts = PadAmounts.Of(node);
        return [new(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.Select((d, i) =>
        {
            (long begin, long end) = (amounts.Begin[i], amounts.End[i]);
            return (begin, end) == (0, 0) ? d
                : d.IsSymbolic || d.Size + begin + end < 0 ? throw node.Refuse($"dimension {i} of {shape} cannot be padded by {begin} and {end}")
                : d.Size + begin + end;
        })))];
    }

    public static InferredType[] Tile(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        TensorShape repeats = Axes.Shape(node, 1);
        return repeats.Rank == shape.Rank
            ? [new(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.Zip(repeats.Dimensions).Select(d => DimensionProduct.Of(d.First, d.Second).ToDimension())))]
            : throw node.Refuse($"{repeats.Rank} repeats for {shape}; one for each dimension is needed");
    }

    public static InferredType[] Resize(GraphNode node)
    {
        ImmutableArray<long> factors = ResizeFactors.Of(node);
        TensorShape shape = node.Input(0).Shape;
        return [new(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.Select((d, i) => DimensionProduct.Of(d, factors[i]).ToDimension())))];
    }

    public static InferredType[] Gather(GraphNode node)
    {
        ImmutableArray<Dimension> data = node.Input(0).Shape.Dimensions;
        RequireIndices(node, 1);
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), data.Length);
        return [new(node.Input(0).ElementType, TensorShape.Of([.. data[..axis], .. node.Input(1).Shape.Dimensions, .. data[(axis + 1)..]]))];
    }

    public static InferredType[] GatherElements(GraphNode node)
    {
        RequireIndices(node, 1);
        return [new(node.Input(0).ElementType, node.Input(1).Shape)];
    }

    /// <summary>ScatterElements and ScatterND: the first input with elements replaced, or added to.</summary>
    public static InferredType[] Scatter(GraphNode node)
    {
        RequireIndices(node, 1);
        string reduction = node.Attributes.TextOr("reduction", "none");
        return reduction is "none" or "add"
            ? [new(ElementwiseShapes.SameType(node, 0, 2), node.Input(0).Shape)]
            : throw node.Refuse($"attribute 'reduction' is '{reduction}'; none and add are supported");
    }

    public static InferredType[] OneHot(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", -1), shape.Rank + 1);
        return [new(node.Input(2).ElementType, TensorShape.Of(shape.Dimensions.Insert(axis, Axes.Constant(node, 1)[0])))];
    }

    private static void RequireIndices(GraphNode node, int input)
    {
        if (node.Input(input).ElementType is not (DataType.Int64 or DataType.Int32))
        {
            throw node.Refuse($"input {input} ('{node.Input(input).Name}') holds {node.Input(input).ElementType}; indices are whole numbers");
        }
    }
}
