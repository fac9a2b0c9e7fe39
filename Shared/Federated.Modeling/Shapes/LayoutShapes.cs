using Federated.Modeling.Graphs;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Shapes;

/// <summary>Operators that move elements without computing.</summary>
internal static class LayoutShapes
{
    public static InferredType[] Reshape(GraphNode node)
    {
        GraphValue input = node.Input(0);
        if (node.Input(1).Describes is { } described)
        {
            return [new(input.ElementType, described)];
        }

        long[] target = Axes.Constant(node, 1);
        bool zeroCopies = node.Attributes.IntegerOr("allowzero", 0) == 0;
        Dimension[] result = new Dimension[target.Length];
        for (int i = 0; i < target.Length; i++)
        {
            result[i] = target[i] switch
            {
                0 when zeroCopies => i < input.Shape.Rank ? input.Shape[i] : throw node.Refuse($"target {i} copies a dimension that {input.Shape} lacks"),
                >= 0 => target[i],
                -1 => 1,
                _ => throw node.Refuse($"target dimension {target[i]}; sizes, 0 (copy) and -1 (infer) are allowed"),
            };
        }

        int inferred = Array.IndexOf(target, -1L);
        if (inferred >= 0)
        {
            result[inferred] = Infer(node, input.Shape, TensorShape.Of(result));
        }

        TensorShape shape = TensorShape.Of(result);
        return SymbolsOf(shape).SequenceEqual(SymbolsOf(input.Shape)) && shape.KnownProduct == input.Shape.KnownProduct
            ? [new(input.ElementType, shape)]
            : throw node.Refuse($"{input.Shape} does not fit into {shape}");
    }

    public static InferredType[] Flatten(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long axis = node.Attributes.IntegerOr("axis", 1);
        int split = axis == shape.Rank ? shape.Rank : Axes.Normalize(node, axis, shape.Rank);
        return [new(node.Input(0).ElementType, TensorShape.Of(Product(shape.Dimensions[..split]), Product(shape.Dimensions[split..])))];
    }

    public static InferredType[] Transpose(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        IReadOnlyList<long> order = node.Attributes.Integers("perm") ?? [.. Enumerable.Range(0, shape.Rank).Reverse().Select(i => (long)i)];
        return order.Order().SequenceEqual(Enumerable.Range(0, shape.Rank).Select(i => (long)i))
            ? [new(node.Input(0).ElementType, TensorShape.Of(order.Select(i => shape[(int)i])))]
            : throw node.Refuse($"perm [{string.Join(", ", order)}] does not permute the {shape.Rank} dimensions of {shape}");
    }

    public static InferredType[] Unsqueeze(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long[] axes = Axes.Constant(node, 1);
        List<Dimension> result = [.. shape.Dimensions];
        foreach (int axis in axes.Select(a => Axes.Normalize(node, a, shape.Rank + axes.Length)).Order())
        {
            result.Insert(axis, 1);
        }

        return [new(node.Input(0).ElementType, TensorShape.Of(result))];
    }

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

    public static InferredType[] Slice(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long[] starts = Axes.Constant(node, 1);
        long[] ends = Axes.Constant(node, 2);
        long[] axes = node.OptionalInput(3) is null ? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)] : Axes.Constant(node, 3);
        long[] steps = node.OptionalInput(4) is null ? [.. starts.Select(_ => 1L)] : Axes.Constant(node, 4);
        Dimension[] result = [.. shape.Dimensions];
        for (int i = 0; i < starts.Length; i++)
        {
            int axis = Axes.Normalize(node, axes[i], shape.Rank);
            if (shape[axis].IsSymbolic || steps[i] < 1)
            {
                throw node.Refuse($"axis {axis} of {shape} with step {steps[i]}; known dimensions and positive steps are supported");
            }

            long size = shape[axis].Size;
            long start = Math.Clamp(starts[i] < 0 ? starts[i] + size : starts[i], 0, size);
            long end = Math.Clamp(ends[i] < 0 ? ends[i] + size : ends[i], 0, size);
            result[axis] = Math.Max(0, (end - start + steps[i] - 1) / steps[i]);
        }

        return [new(node.Input(0).ElementType, TensorShape.Of(result))];
    }

    public static InferredType[] Pad(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long[] pads = Axes.Constant(node, 1);
        if (pads.Length != 2 * shape.Rank || node.OptionalInput(3) is not null)
        {
            throw node.Refuse($"{pads.Length} pads for {shape}; two for each dimension and no axes are supported");
        }

        return [new(node.Input(0).ElementType, TensorShape.Of(shape.Dimensions.Select((d, i) =>
        {
            long added = pads[i] + pads[i + shape.Rank];
            return added == 0 ? d : d.IsSymbolic ? throw node.Refuse($"dimension {i} of {shape} is symbolic and cannot be padded") : d.Size + added;
        })))];
    }

    public static InferredType[] GatherElements(GraphNode node) => [new(node.Input(0).ElementType, node.Input(1).Shape)];

    public static InferredType[] OneHot(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", -1), shape.Rank + 1);
        return [new(node.Input(2).ElementType, TensorShape.Of(shape.Dimensions.Insert(axis, Axes.Constant(node, 1)[0])))];
    }

    public static InferredType[] ShapeOf(GraphNode node) => [new(DataType.Int64, TensorShape.Of(node.Input(0).Shape.Rank), node.Input(0).Shape)];

    public static InferredType[] SizeOf(GraphNode node) => [new(DataType.Int64, TensorShape.Scalar, node.Input(0).Shape)];

    /// <summary>From a constant to a constant, or from 0 to the size of a tensor in steps that leave one dimension of it.</summary>
    public static InferredType[] Range(GraphNode node)
    {
        long start = Axes.Constant(node, 0)[0];
        long step = Axes.Constant(node, 2)[0];
        if (node.Input(1).Describes is { } counted && start == 0 && counted.KnownProduct == step)
        {
            return [new(DataType.Int64, TensorShape.Of(Product(counted.Dimensions.Where(d => d.IsSymbolic))))];
        }

        long limit = Axes.Constant(node, 1)[0];
        return step > 0
            ? [new(DataType.Int64, TensorShape.Of(Math.Max(0, (limit - start + step - 1) / step)))]
            : throw node.Refuse($"the step is {step}; positive ones are supported");
    }

    public static InferredType[] SpaceToDepth(GraphNode node)
    {
        TensorShape shape = node.Input(0).Shape;
        long block = node.Attributes.IntegerOr("blocksize", 0);
        return block > 0 && shape.Rank == 4 && shape.Dimensions[1..].All(d => !d.IsSymbolic) && shape[2].Size % block == 0 && shape[3].Size % block == 0
            ? [new(node.Input(0).ElementType, TensorShape.Of(shape[0], shape[1].Size * block * block, shape[2].Size / block, shape[3].Size / block))]
            : throw node.Refuse($"attribute 'blocksize' is {block}; it must divide height and width of {shape}");
    }

    /// <summary>The product of dimensions: a size, the one symbol, or a symbol that spells the product.</summary>
    private static Dimension Product(IEnumerable<Dimension> dimensions)
    {
        TensorShape part = TensorShape.Of(dimensions.Where(d => !d.IsOne));
        return part.IsKnown ? part.KnownProduct : Dimension.OfSymbol(string.Join('*', part.Dimensions));
    }

    private static Dimension Infer(GraphNode node, TensorShape input, TensorShape target)
    {
        List<string> symbols = [.. SymbolsOf(input)];
        foreach (string symbol in SymbolsOf(target))
        {
            _ = symbols.Remove(symbol);
        }

        bool divides = target.KnownProduct > 0 && input.KnownProduct % target.KnownProduct == 0;
        return symbols.Count switch
        {
            0 when divides => input.KnownProduct / target.KnownProduct,
            1 when divides && input.KnownProduct == target.KnownProduct => Dimension.OfSymbol(symbols[0]),
            _ => throw node.Refuse($"the dimension -1 that makes {target} out of {input} is not known before a run; give it as a size"),
        };
    }

    private static IEnumerable<string> SymbolsOf(TensorShape shape) =>
        shape.Dimensions.Select(d => d.Symbol).OfType<string>().Order(StringComparer.Ordinal);
}
