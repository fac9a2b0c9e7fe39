using System.Collections.Immutable;
using Federated.Modeling.Shapes;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs.Folding;

/// <summary>Operators that make tensors of shapes, count, or combine elements along an axis.</summary>
internal static class SequenceFolding
{
    public static KnownContent? ShapeOf(GraphNode node, DataType type, ImmutableArray<int> shape) =>
        new(type, shape, [.. LayoutShapes.DescribedShape(node).Dimensions.Select(KnownElement.Of)]);

    public static KnownContent? SizeOf(GraphNode node, DataType type, ImmutableArray<int> shape) =>
        new(type, shape, [KnownElement.Of(DimensionProduct.Of(node.Input(0).Shape.Dimensions).ToDimension())]);

    public static KnownContent? ConstantOfShape(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        KnownElement value = node.Attributes.Tensor("value") is { } content ? KnownContent.Of(content)!.Elements[0] : new KnownElement(0);
        return KnownContent.Make(type, shape, _ => value);
    }

    public static KnownContent? Range(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is not { IsComplete: true, Elements: [var start] } || node.Input(2).Content is not { IsComplete: true, Elements: [var step] })
        {
            return null;
        }

        return KnownContent.Make(type, shape, p => new KnownElement(unchecked(start.Integer + (p[0] * step.Integer)), start.Number + (p[0] * step.Number)));
    }

    public static KnownContent? NonZero(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is not { IsComplete: true } x)
        {
            return null;
        }

        List<int[]> places = [];
        _ = KnownContent.Make(x.Type, x.Shape, p =>
        {
            KnownElement element = x[p];
            if (element.Integer != 0 || element.Number != 0)
            {
                places.Add([.. p]);
            }

            return element;
        });
        return KnownContent.Make(type, shape, p => new KnownElement(places[p[1]][p[0]]));
    }

    public static KnownContent? Trilu(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        bool upper = node.Attributes.IntegerOr("upper", 1) != 0;
        if (node.Input(0).Content is not { } x || (node.OptionalInput(1) is { } given && given.Content is not { IsComplete: true }))
        {
            return null;
        }

        long diagonal = node.OptionalInput(1)?.Content?.Elements[0].Integer ?? 0;
        return KnownContent.Make(type, shape, p =>
        {
            long offset = p[^1] - p[^2];
            return (upper ? offset >= diagonal : offset <= diagonal) ? x[p] : new KnownElement(0);
        });
    }

    public static KnownContent? CumSum(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        bool plain = node.Attributes.IntegerOr("exclusive", 0) == 0 && node.Attributes.IntegerOr("reverse", 0) == 0;
        if (!plain || node.Input(0).Content is not { IsComplete: true } x || node.Input(1).Content is not { IsComplete: true, Elements: [var given] })
        {
            return null;
        }

        int axis = Axes.Normalize(node, given.Integer, shape.Length);

        // Each sum is the one before it along the axis, and one element more.
        int stride = shape.Skip(axis + 1).Aggregate(1, (product, d) => product * d);
        KnownElement[] sums = [.. x.Elements];
        for (int i = 0; i < sums.Length; i++)
        {
            if (i / stride % shape[axis] > 0)
            {
                sums[i] = new KnownElement(unchecked(sums[i - stride].Integer + sums[i].Integer), sums[i - stride].Number + sums[i].Number);
            }
        }

        return new KnownContent(type, shape, [.. sums]);
    }

    /// <summary>A rule that combines the elements along the axes of a Reduce operator; what is reduced must not be empty.</summary>
    public static FoldRule Reduce(Func<KnownElement, KnownElement, KnownElement?> integers, Func<double, double, double> numbers) => (node, type, shape) =>
    {
        if (node.Input(0).Content is not { Elements.Length: > 0 } x)
        {
            return null;
        }

        HashSet<int> axes = ReductionShapes.AxesOf(node);
        ImmutableArray<int> kept = [.. x.Shape.Select((d, i) => axes.Contains(i) ? 1 : d)];
        Dictionary<int, KnownElement?> groups = [];
        _ = KnownContent.Make(x.Type, x.Shape, p =>
        {
            int group = 0;
            for (int i = 0; i < p.Length; i++)
            {
                group = (group * kept[i]) + (kept[i] == 1 ? 0 : p[i]);
            }

            groups[group] = groups.TryGetValue(group, out KnownElement? before) ? Combine(before, x[p]) : x[p];
            return x[p];
        });
        return groups.Values.All(v => v is not null)
            ? new KnownContent(type, shape, [.. groups.OrderBy(g => g.Key).Select(g => g.Value!.Value)])
            : null;

        KnownElement? Combine(KnownElement? before, KnownElement next) => before is not { } left ? null
            : x.IsFloating ? KnownElement.OfNumber(numbers(left.Number, next.Number)) : integers(left, next);
    };
}
