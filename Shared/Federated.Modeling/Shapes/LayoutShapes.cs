using Federated.Modeling.Graphs;
using Federated.Modeling.Graphs.Folding;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that give the same elements in another shape, or describe a shape.</summary>
internal static class LayoutShapes
{
    public static InferredType[] Reshape(GraphNode node)
    {
        GraphValue input = node.Input(0);
        if (node.Input(1).Content is not { IsFloating: false, Shape.Length: 1 } target)
        {
            throw node.Refuse($"input 1 ('{node.Input(1).Name}') must be a constant to be known before a run, apart from symbolic dimensions");
        }

        bool zeroCopies = node.Attributes.IntegerOr("allowzero", 0) == 0;
        Dimension[] result = [.. target.Elements.Select((e, i) => Target(node, e, i, zeroCopies))];
        int inferred = target.Elements.ToList().FindIndex(e => e is { Symbol: null, Integer: -1 });
        if (inferred >= 0)
        {
            result[inferred] = DimensionProduct.Of(input.Shape.Dimensions).DividedBy(DimensionProduct.Of(result))?.ToDimension()
                ?? throw node.Refuse($"the dimension -1 that makes {TensorShape.Of(result)} out of {input.Shape} is not known before a run; give it as a size");
        }

        TensorShape shape = TensorShape.Of(result);
        return DimensionProduct.Of(shape.Dimensions).Equals(DimensionProduct.Of(input.Shape.Dimensions))
            ? [new(input.ElementType, shape)]
            : throw node.Refuse($"{input.Shape} does not fit into {shape}");
    }

    public static InferredType[] Flatten(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long axis = node.Attributes.IntegerOr("axis", 1);
        int split = axis == shape.Rank ? shape.Rank : Axes.Normalize(node, axis, shape.Rank);
        return
        [
            new(node.Input(0).ElementType, TensorShape.Of(
                DimensionProduct.Of(shape.Dimensions[..split]).ToDimension(), DimensionProduct.Of(shape.Dimensions[split..]).ToDimension())),
        ];
    }

    public static InferredType[] Transpose(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        IReadOnlyList<int> order = Axes.Order(node);
        return order.Order().SequenceEqual(Enumerable.Range(0, shape.Rank))
            ? [new(node.Input(0).ElementType, TensorShape.Of(order.Select(i => shape[i])))]
            : throw node.Refuse($"perm [{string.Join(", ", order)}] does not permute the {shape.Rank} dimensions of {shape}");
    }

    public static InferredType[] Unsqueeze(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long[] axes = Axes.Constant(node, 1);
        List<Dimension> result = [.. shape.Dimensions];
        List<int> places = [.. axes.Select(a => Axes.Normalize(node, a, shape.Rank + axes.Length)).Order()];
        if (places.Distinct().Count() != places.Count)
        {
            throw node.Refuse($"axes [{string.Join(", ", axes)}] name one twice");
        }

        places.ForEach(axis => result.Insert(axis, 1));
        return [new(node.Input(0).ElementType, TensorShape.Of(result))];
    }

    /// <summary>Without axes, every dimension of size 1; then no dimension may be symbolic, as it might be 1.</summary>
    public static InferredType[] Squeeze(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        if (node.OptionalInput(1) is null && !shape.IsKnown)
        {
            throw node.Refuse($"no axes are given and {shape} has symbolic dimensions, which might be 1; name the axes");
        }

        HashSet<int> axes = node.OptionalInput(1) is null
            ? [.. Enumerable.Range(0, shape.Rank).Where(i => shape[i].IsOne)]
            : [.. Axes.Constant(node, 1).Select(a => Axes.Normalize(node, a, shape.Rank))];
        return axes.All(a => shape[a].IsOne)
            ? [new(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.Where((_, i) => !axes.Contains(i))))]
            : throw node.Refuse($"axes [{string.Join(", ", axes)}] of {shape} are not all of size 1");
    }

    public static InferredType[] Expand(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        TensorShape target = Axes.Shape(node, 1);
        return [new(node.Input(0).ElementType, TensorShape.Broadcast(shape, target) ?? throw node.Refuse($"{shape} does not broadcast to {target}"))];
    }

    public static InferredType[] SpaceToDepth(GraphNode node)
    {
        (TensorShape shape, long block) = Blocks(node);
        return shape[2].Size % block == 0 && shape[3].Size % block == 0
            ? [new(node.Input(0).ElementType, TensorShape.Of(shape[0], shape[1].Size * block * block, shape[2].Size / block, shape[3].Size / block))]
            : throw node.Refuse($"attribute 'blocksize' is {block}; it must divide height and width of {shape}");
    }

    public static InferredType[] DepthToSpace(GraphNode node)
    {
        (TensorShape shape, long block) = Blocks(node);
        string mode = node.Attributes.TextOr("mode", "DCR");
        if (mode is not ("DCR" or "CRD"))
        {
            throw node.Refuse($"attribute 'mode' is '{mode}'; DCR and CRD are supported");
        }

        return shape[1].Size % (block * block) == 0
            ? [new(node.Input(0).ElementType, TensorShape.Of(shape[0], shape[1].Size / (block * block), shape[2].Size * block, shape[3].Size * block))]
            : throw node.Refuse($"attribute 'blocksize' is {block}; its square must divide the channels of {shape}");
    }

    public static InferredType[] ShapeOf(GraphNode node) => [new(DataType.Int64, TensorShape.Of(DescribedShape(node).Rank))];

    public static InferredType[] SizeOf(GraphNode node) => [new(DataType.Int64, TensorShape.Scalar)];

    /// <summary>The part of the input's shape that a Shape node gives: all of it, or what 'start' and 'end' leave.</summary>
    public static TensorShape DescribedShape(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        int start = Clamp(node.Attributes.IntegerOr("start", 0), shape.Rank);
        int end = Clamp(node.Attributes.IntegerOr("end", shape.Rank), shape.Rank);
        return TensorShape.Of(shape.Dimensions[start..Math.Max(start, end)]);
    }

    private static int Clamp(long axis, int rank) => (int)Math.Clamp(axis < 0 ? axis + rank : axis, 0, rank);

    /// <summary>-1 counts as 1 here; the caller replaces it.</summary>
    private static Dimension Target(GraphNode node, KnownElement element, int index, bool zeroCopies)
    {
        TensorShape input = node.Input(0).Shape;
        return element switch
        {
            { Symbol: { } symbol } => Dimension.OfSymbol(symbol),
            { Integer: 0 } when zeroCopies => index < input.Rank ? input[index] : throw node.Refuse($"target {index} copies a dimension that {input} lacks"),
            { Integer: >= 0 } => element.Integer,
            { Integer: -1 } => 1,
            _ => throw node.Refuse($"target dimension {element.Integer}; sizes, 0 (copy) and -1 (infer) are allowed"),
        };
    }

    private static (TensorShape Shape, long Block) Blocks(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long block = node.Attributes.IntegerOr("blocksize", 0);
        return block is > 0 and <= short.MaxValue && shape.Rank == 4 && shape.Dimensions[1..].All(d => !d.IsSymbolic)
            ? (shape, block)
            : throw node.Refuse($"attribute 'blocksize' is {block} and the input {shape}; a positive size and [N, channels, height, width], all but N known, are needed");
    }
}
