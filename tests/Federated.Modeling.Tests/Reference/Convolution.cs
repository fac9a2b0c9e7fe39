using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Two-dimensional convolution and pooling by their definitions.</summary>
internal static class Convolution
{
    public static Tensor Conv(GraphNode node, Tensor[] x)
    {
        Tensor input = x[0];
        Tensor weight = x[1];
        (int[] strides, int[] pads, int[] dilations, int group) = Attributes(node);
        int[] size = [.. Enumerable.Range(0, 2).Select(i =>
            ((input.Shape[i + 2] + pads[i] + pads[i + 2] - ((weight.Shape[i + 2] - 1) * dilations[i]) - 1) / strides[i]) + 1)];
        int perGroup = weight.Shape[0] / group;
        return Tensor.Make([input.Shape[0], weight.Shape[0], size[0], size[1]], p =>
        {
            double sum = x.Length > 2 ? x[2].Values[p[1]] : 0;
            for (int c = 0; c < weight.Shape[1]; c++)
            {
                for (int i = 0; i < weight.Shape[2]; i++)
                {
                    for (int j = 0; j < weight.Shape[3]; j++)
                    {
                        int row = (p[2] * strides[0]) + (i * dilations[0]) - pads[0];
                        int column = (p[3] * strides[1]) + (j * dilations[1]) - pads[1];
                        bool inside = row >= 0 && row < input.Shape[2] && column >= 0 && column < input.Shape[3];
                        sum += inside ? input[p[0], (p[1] / perGroup * weight.Shape[1]) + c, row, column] * weight[p[1], c, i, j] : 0;
                    }
                }
            }

            return sum;
        });
    }

    /// <summary>Scatters each input element over the output, the way a convolution gathers.</summary>
    public static Tensor ConvTranspose(GraphNode node, Tensor[] x)
    {
        Tensor input = x[0];
        Tensor weight = x[1];
        (int[] strides, int[] pads, int[] dilations, int group) = Attributes(node);
        IReadOnlyList<long> extra = node.Attributes.Integers("output_padding") ?? [0, 0];
        int[] size = [.. Enumerable.Range(0, 2).Select(i =>
            ((input.Shape[i + 2] - 1) * strides[i]) + ((weight.Shape[i + 2] - 1) * dilations[i]) + 1 - pads[i] - pads[i + 2] + (int)extra[i])];
        Tensor result = Tensor.Zeros(input.Shape[0], weight.Shape[1] * group, size[0], size[1]);
        int perGroup = input.Shape[1] / group;
        for (int flat = 0; flat < input.Length; flat++)
        {
            int[] p = Tensor.Position(flat, input.Shape);
            for (int w = 0; w < weight.Length / weight.Shape[0]; w++)
            {
                int[] q = Tensor.Position(w, weight.Shape[1..]);
                int row = (p[2] * strides[0]) + (q[1] * dilations[0]) - pads[0];
                int column = (p[3] * strides[1]) + (q[2] * dilations[1]) - pads[1];
                if (row >= 0 && row < size[0] && column >= 0 && column < size[1])
                {
                    result[p[0], (p[1] / perGroup * weight.Shape[1]) + q[0], row, column] += input[p] * weight[p[1], q[0], q[1], q[2]];
                }
            }
        }

        return result;
    }

    public static IReadOnlyList<Tensor> MaxPool(GraphNode node, Tensor x)
    {
        IReadOnlyList<long> kernel = node.Attributes.Integers("kernel_shape")!;
        (int[] strides, int[] pads, _, _) = Attributes(node);
        int[] size = [.. Enumerable.Range(0, 2).Select(i => ((x.Shape[i + 2] + pads[i] + pads[i + 2] - (int)kernel[i]) / strides[i]) + 1)];
        Tensor values = Tensor.Zeros(x.Shape[0], x.Shape[1], size[0], size[1]);
        Tensor indices = Tensor.Zeros(values.Shape);
        for (int flat = 0; flat < values.Length; flat++)
        {
            int[] p = Tensor.Position(flat, values.Shape);
            values.Values[flat] = double.NegativeInfinity;
            for (int i = 0; i < kernel[0]; i++)
            {
                for (int j = 0; j < kernel[1]; j++)
                {
                    int[] q = [p[0], p[1], (p[2] * strides[0]) + i - pads[0], (p[3] * strides[1]) + j - pads[1]];
                    bool inside = q[2] >= 0 && q[2] < x.Shape[2] && q[3] >= 0 && q[3] < x.Shape[3];
                    if (inside && x[q] > values.Values[flat])
                    {
                        values.Values[flat] = x[q];
                        indices.Values[flat] = x.Flat(q);
                    }
                }
            }
        }

        return [values, indices];
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

    private static (int[] Strides, int[] Pads, int[] Dilations, int Group) Attributes(GraphNode node) => (
        List(node, "strides", 1, 2), List(node, "pads", 0, 4), List(node, "dilations", 1, 2), (int)node.Attributes.IntegerOr("group", 1));

    private static int[] List(GraphNode node, string name, int value, int count) =>
        node.Attributes.Integers(name) is { } list ? [.. list.Select(v => (int)v)] : [.. Enumerable.Repeat(value, count)];
}
