using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Poolings by their definitions.</summary>
internal static class Pooling
{
    public static IReadOnlyList<Tensor> MaxPool(GraphNode node, Tensor x)
    {
        Sliding window = Window(node, x);
        Tensor values = Tensor.Zeros([x.Shape[0], x.Shape[1], .. window.Output]);
        Tensor indices = Tensor.Zeros(values.Shape);
        for (int flat = 0; flat < values.Length; flat++)
        {
            int[] p = Tensor.Position(flat, values.Shape);
            values.Values[flat] = double.NegativeInfinity;
            foreach (int[] q in Covered(window, x, p))
            {
                if (x[q] > values.Values[flat])
                {
                    values.Values[flat] = x[q];
                    indices.Values[flat] = x.Flat(q);
                }
            }
        }

        return [values, indices];
    }

    public static Tensor AveragePool(GraphNode node, Tensor x)
    {
        Sliding window = Window(node, x);
        bool padding = node.Attributes.IntegerOr("count_include_pad", 0) != 0;
        return Tensor.Make([x.Shape[0], x.Shape[1], .. window.Output], p =>
        {
            List<int[]> covered = [.. Covered(window, x, p)];
            return covered.Sum(q => x[q]) / (padding ? Tensor.Count(window.Kernel) : covered.Count);
        });
    }

    public static Tensor Global(Tensor x, Func<IEnumerable<double>, double> reduce)
    {
        int space = Tensor.Count(x.Shape[2..]);
        int[] shape = [x.Shape[0], x.Shape[1], .. x.Shape[2..].Select(_ => 1)];
        return Tensor.Make(shape, p => reduce(x.Values.Skip(((p[0] * x.Shape[1]) + p[1]) * space).Take(space)));
    }

    public static Tensor MaxUnpool(Tensor values, Tensor indices, Tensor shape)
    {
        Tensor result = Tensor.Zeros([.. shape.Values.Select(v => (int)v)]);
        for (int i = 0; i < values.Length; i++)
        {
            result.Values[(int)indices.Values[i]] = values.Values[i];
        }

        return result;
    }

    private static IEnumerable<int[]> Covered(Sliding window, Tensor x, int[] p) =>
        window.Offsets().Select(offset => window.Place(p.AsSpan(2), offset, x.Shape[2..])).OfType<int[]>().Select(place => (int[])[p[0], p[1], .. place]);

    private static Sliding Window(GraphNode node, Tensor x) => new(node, [.. node.Attributes.Integers("kernel_shape")!.Select(k => (int)k)], x.Shape);
}
