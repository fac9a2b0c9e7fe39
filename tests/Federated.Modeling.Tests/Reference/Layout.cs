using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Operators that move, repeat, place or mask elements.</summary>
internal static class Layout
{
    public static IReadOnlyList<Tensor> Run(GraphNode node, Tensor?[] x) => node.OperatorType switch
    {
        "Slice" => [Slice(x)],
        "Pad" => [Pad(x)],
        "Concat" => [Concat(x, Axis(node, 0, x[0]!.Rank))],
        "Split" => Split(node, x),
        "Squeeze" => [Squeeze(x[0]!, x.ElementAtOrDefault(1))],
        "Expand" => [Tensor.Make(Common(x[0]!.Shape, Whole(x[1]!)), x[0]!.Broadcast)],
        "Tile" => [Tile(x[0]!, x[1]!)],
        "Resize" => [Resize(x)],
        "Gather" => [Gather(x[0]!, x[1]!, Axis(node, 0, x[0]!.Rank))],
        "GatherElements" => [GatherElements(x[0]!, x[1]!, Axis(node, 0, x[0]!.Rank))],
        "ScatterElements" => [ScatterElements(x[0]!, x[1]!, x[2]!, Axis(node, 0, x[0]!.Rank))],
        "ScatterND" => [ScatterNd(x[0]!, x[1]!, x[2]!)],
        "SpaceToDepth" => [SpaceToDepth(x[0]!, (int)node.Attributes.IntegerOr("blocksize", 1))],
        "DepthToSpace" => [DepthToSpace(x[0]!, (int)node.Attributes.IntegerOr("blocksize", 1), node.Attributes.TextOr("mode", "DCR"))],
        "Range" => [Range(x[0]!.Values[0], x[1]!.Values[0], x[2]!.Values[0])],
        "ConstantOfShape" => [Tensor.Make(Whole(x[0]!), _ => node.Attributes.Tensor("value") is { } value ? Interpreter.Read(value).Values[0] : 0)],
        "Trilu" => [Trilu(x[0]!, (int)(x.ElementAtOrDefault(1)?.Values[0] ?? 0), node.Attributes.IntegerOr("upper", 1) != 0)],
        "CumSum" => [CumSum(node, x[0]!, (int)x[1]!.Values[0])],
        "CastLike" or "Dropout" => [x[0]!],
        _ => throw new NotSupportedException($"The reference has no '{node.OperatorType}'."),
    };

    private static int Axis(GraphNode node, int defaultValue, int rank)
    {
        int axis = (int)node.Attributes.IntegerOr("axis", defaultValue);
        return axis < 0 ? axis + rank : axis;
    }

    private static int[] Whole(Tensor x) => [.. x.Values.Select(v => (int)v)];

    private static int[] Common(int[] a, int[] b)
    {
        int rank = Math.Max(a.Length, b.Length);
        return [.. Enumerable.Range(0, rank).Select(i => Math.Max(a.ElementAtOrDefault(i - rank + a.Length, 1), b.ElementAtOrDefault(i - rank + b.Length, 1)))];
    }

    private static int ElementAtOrDefault(this int[] values, int index, int defaultValue) => index < 0 ? defaultValue : values[index];

    /// <summary>Walks from the start towards the end, as a range of Python would.</summary>
    private static Tensor Slice(Tensor?[] x)
    {
        Tensor data = x[0]!;
        int[][] taken = [.. data.Shape.Select(d => Enumerable.Range(0, d).ToArray())];
        for (int i = 0; i < x[1]!.Length; i++)
        {
            int axis = x.Length > 3 && x[3] is { } axes ? (int)axes.Values[i] : i;
            axis = axis < 0 ? axis + data.Rank : axis;
            int step = x.Length > 4 ? (int)x[4]!.Values[i] : 1;
            int size = data.Shape[axis];
            double start = x[1]!.Values[i] < 0 ? x[1]!.Values[i] + size : x[1]!.Values[i];
            double end = x[2]!.Values[i] < 0 ? x[2]!.Values[i] + size : x[2]!.Values[i];
            start = Math.Clamp(start, 0, step > 0 ? size : size - 1);
            List<int> indices = [];
            for (int at = (int)start; at >= 0 && at < size && (step > 0 ? at < end : at > end); at += step)
            {
                indices.Add(at);
            }

            taken[axis] = [.. indices];
        }

        return Tensor.Make([.. taken.Select(t => t.Length)], p => data[[.. p.Select((v, i) => taken[i][v])]]);
    }

    private static Tensor Pad(Tensor?[] x)
    {
        Tensor data = x[0]!;
        double value = x.ElementAtOrDefault(2)?.Values[0] ?? 0;
        int[] axes = x.ElementAtOrDefault(3) is { } given ? [.. Whole(given).Select(a => a < 0 ? a + data.Rank : a)] : [.. Enumerable.Range(0, data.Rank)];
        int[] begin = new int[data.Rank];
        int[] shape = [.. data.Shape];
        for (int i = 0; i < axes.Length; i++)
        {
            begin[axes[i]] = (int)x[1]!.Values[i];
            shape[axes[i]] += (int)x[1]!.Values[i] + (int)x[1]!.Values[i + axes.Length];
        }

        return Tensor.Make(shape, p =>
        {
            int[] source = [.. p.Select((v, i) => v - begin[i])];
            return source.Zip(data.Shape).All(s => s.First >= 0 && s.First < s.Second) ? data[source] : value;
        });
    }

    private static Tensor Concat(Tensor?[] parts, int axis)
    {
        int[] shape = [.. parts[0]!.Shape];
        shape[axis] = parts.Sum(t => t!.Shape[axis]);
        return Tensor.Make(shape, p =>
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

    private static List<Tensor> Split(GraphNode node, Tensor?[] x)
    {
        Tensor data = x[0]!;
        int axis = Axis(node, 0, data.Rank);
        int count = (int)node.Attributes.IntegerOr("num_outputs", 1);
        int part = (data.Shape[axis] + count - 1) / count;
        int[] sizes = x.ElementAtOrDefault(1) is { } given
            ? Whole(given)
            : [.. Enumerable.Range(0, count).Select(i => Math.Min(part, data.Shape[axis] - (i * part)))];
        List<Tensor> parts = [];
        int start = 0;
        foreach (int size in sizes)
        {
            int offset = start;
            int[] shape = [.. data.Shape];
            shape[axis] = size;
            parts.Add(Tensor.Make(shape, p => data[[.. p.Select((v, i) => i == axis ? v + offset : v)]]));
            start += size;
        }

        return parts;
    }

    private static Tensor Squeeze(Tensor x, Tensor? axes)
    {
        HashSet<int> dropped = axes is null
            ? [.. Enumerable.Range(0, x.Rank).Where(i => x.Shape[i] == 1)]
            : [.. Whole(axes).Select(a => a < 0 ? a + x.Rank : a)];
        return new Tensor(x.Values, [.. x.Shape.Where((_, i) => !dropped.Contains(i))]);
    }

    private static Tensor Tile(Tensor x, Tensor repeats) => Tensor.Make(
        [.. x.Shape.Select((d, i) => d * (int)repeats.Values[i])], p => x[[.. p.Select((v, i) => v % x.Shape[i])]]);

    /// <summary>Repetition by whole numbers, from scales or from sizes.</summary>
    private static Tensor Resize(Tensor?[] x)
    {
        Tensor data = x[0]!;
        double[] factors = x[2] is { Length: > 0 } scales ? scales.Values : [.. x[3]!.Values.Select((s, i) => s / data.Shape[i])];
        return Tensor.Make([.. data.Shape.Select((d, i) => (int)(d * factors[i]))], p => data[[.. p.Select((v, i) => (int)(v / factors[i]))]]);
    }

    private static Tensor Gather(Tensor data, Tensor indices, int axis)
    {
        int[] shape = [.. data.Shape[..axis], .. indices.Shape, .. data.Shape[(axis + 1)..]];
        return Tensor.Make(shape, p =>
        {
            int index = (int)indices[p.AsSpan(axis, indices.Rank)];
            return data[[.. p[..axis], index < 0 ? index + data.Shape[axis] : index, .. p[(axis + indices.Rank)..]]];
        });
    }

    private static Tensor GatherElements(Tensor data, Tensor indices, int axis) =>
        Tensor.Make(indices.Shape, p => data[Moved(p, axis, (int)indices[p], data.Shape)]);

    private static Tensor ScatterElements(Tensor data, Tensor indices, Tensor updates, int axis)
    {
        Tensor result = data with { Values = [.. data.Values] };
        for (int i = 0; i < updates.Length; i++)
        {
            int[] place = Moved(Tensor.Position(i, updates.Shape), axis, (int)indices.Values[i], data.Shape);
            result[place] += updates.Values[i];
        }

        return result;
    }

    private static int[] Moved(int[] position, int axis, int index, int[] shape)
    {
        int[] moved = [.. position];
        moved[axis] = index < 0 ? index + shape[axis] : index;
        return moved;
    }

    private static Tensor ScatterNd(Tensor data, Tensor indices, Tensor updates)
    {
        Tensor result = data with { Values = [.. data.Values] };
        int depth = indices.Shape[^1];
        for (int i = 0; i < updates.Length; i++)
        {
            int[] p = Tensor.Position(i, updates.Shape);
            int[] outer = p[..(indices.Rank - 1)];
            int[] place = [.. Enumerable.Range(0, depth).Select(k => (int)indices[[.. outer, k]]).Select((v, k) => v < 0 ? v + data.Shape[k] : v)];
            result[[.. place, .. p[outer.Length..]]] += updates.Values[i];
        }

        return result;
    }

    /// <summary>[N, C, H, W] to [N, block² · C, H / block, W / block]; the place in the block is the outer part of the channel.</summary>
    private static Tensor SpaceToDepth(Tensor x, int block) => Tensor.Make(
        [x.Shape[0], x.Shape[1] * block * block, x.Shape[2] / block, x.Shape[3] / block],
        p =>
        {
            (int place, int channel) = Math.DivRem(p[1], x.Shape[1]);
            return x[p[0], channel, (p[2] * block) + (place / block), (p[3] * block) + (place % block)];
        });

    /// <summary>The place in the block is the outer part of the channel (DCR) or the inner one (CRD).</summary>
    private static Tensor DepthToSpace(Tensor x, int block, string mode)
    {
        int channels = x.Shape[1] / (block * block);
        return Tensor.Make([x.Shape[0], channels, x.Shape[2] * block, x.Shape[3] * block], p =>
        {
            int place = (p[2] % block * block) + (p[3] % block);
            int channel = mode == "DCR" ? (place * channels) + p[1] : (p[1] * block * block) + place;
            return x[p[0], channel, p[2] / block, p[3] / block];
        });
    }

    private static Tensor Range(double start, double limit, double delta)
    {
        int count = (int)Math.Max(0, Math.Ceiling((limit - start) / delta));
        return Tensor.Make([count], p => start + (p[0] * delta));
    }

    private static Tensor Trilu(Tensor x, int diagonal, bool upper) =>
        Tensor.Make(x.Shape, p => (upper ? p[^1] - p[^2] >= diagonal : p[^1] - p[^2] <= diagonal) ? x[p] : 0);

    private static Tensor CumSum(GraphNode node, Tensor x, int axis)
    {
        bool exclusive = node.Attributes.IntegerOr("exclusive", 0) != 0;
        bool reverse = node.Attributes.IntegerOr("reverse", 0) != 0;
        int along = axis < 0 ? axis + x.Rank : axis;
        return Tensor.Make(x.Shape, p => Enumerable.Range(0, x.Shape[along])
            .Where(i => (reverse ? i > p[along] : i < p[along]) || (i == p[along] && !exclusive))
            .Sum(i => x[Moved(p, along, i, x.Shape)]));
    }
}
