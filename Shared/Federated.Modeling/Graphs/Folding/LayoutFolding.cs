using System.Collections.Immutable;
using Federated.Modeling.Shapes;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Graphs.Folding;

/// <summary>Operators that move elements, sizes of symbolic dimensions included.</summary>
internal static class LayoutFolding
{
    /// <summary>The same elements in the same order.</summary>
    public static KnownContent? SameElements(GraphNode node, DataType type, ImmutableArray<int> shape) =>
        node.Input(0).Content is { } x ? new KnownContent(type, shape, x.Elements) : null;

    public static KnownContent? Transpose(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        IReadOnlyList<int> order = Axes.Order(node);
        return Moved(node, type, shape, (p, source) =>
        {
            for (int i = 0; i < p.Length; i++)
            {
                source[order[i]] = p[i];
            }
        });
    }

    public static KnownContent? Expand(GraphNode node, DataType type, ImmutableArray<int> shape) =>
        node.Input(0).Content is { } x ? KnownContent.Make(type, shape, p => ElementwiseFolding.At(x, p)) : null;

    public static KnownContent? Tile(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        ImmutableArray<Dimension> tile = node.Input(0).Shape.Dimensions;
        return Moved(node, type, shape, (p, source) =>
        {
            for (int i = 0; i < p.Length; i++)
            {
                source[i] = p[i] % (int)tile[i].Size;
            }
        });
    }

    public static KnownContent? Slice(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is null)
        {
            return null;
        }

        IReadOnlyList<SliceRange> ranges = SliceRange.Of(node);
        return Moved(node, type, shape, (p, source) =>
        {
            p.CopyTo(source, 0);
            foreach (SliceRange range in ranges)
            {
                source[range.Axis] = (int)(range.Start + (p[range.Axis] * range.Step));
            }
        });
    }

    public static KnownContent? Gather(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        if (node.Input(0).Content is not { } x || node.Input(1).Content is not { IsComplete: true } indices)
        {
            return null;
        }

        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), x.Shape.Length);
        int size = x.Shape[axis];
        if (indices.Elements.Any(i => i.Integer < -size || i.Integer >= size))
        {
            throw node.Refuse($"an index lies outside {-size} to {size - 1}");
        }

        return Moved(node, type, shape, (p, source) =>
        {
            int index = (int)indices[p.AsSpan(axis, indices.Shape.Length)].Integer;
            p.AsSpan(0, axis).CopyTo(source);
            source[axis] = index < 0 ? index + size : index;
            p.AsSpan(axis + indices.Shape.Length).CopyTo(source.AsSpan(axis + 1));
        });
    }

    public static KnownContent? Concat(GraphNode node, DataType type, ImmutableArray<int> shape)
    {
        ImmutableArray<KnownContent?> parts = [.. node.Inputs.Select(i => i?.Content)];
        if (parts.Any(p => p is null))
        {
            return null;
        }

        int axis = Axes.Normalize(node, node.Attributes.IntegerOr("axis", 0), shape.Length);
        return KnownContent.Make(type, shape, p =>
        {
            int[] source = [.. p];
            int part = 0;
            while (source[axis] >= parts[part]!.Shape[axis])
            {
                source[axis] -= parts[part++]!.Shape[axis];
            }

            return parts[part]![source];
        });
    }

    /// <summary>Elements of the first input; <paramref name="locate"/> turns a position of the result into one of the input.</summary>
    private static KnownContent? Moved(GraphNode node, DataType type, ImmutableArray<int> shape, Action<int[], int[]> locate)
    {
        if (node.Input(0).Content is not { } x)
        {
            return null;
        }

        int[] source = new int[x.Shape.Length];
        return KnownContent.Make(type, shape, p =>
        {
            locate(p, source);
            return x[source];
        });
    }
}
