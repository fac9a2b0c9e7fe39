using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>Convolutions by their definitions.</summary>
internal static class Convolution
{
    public static Tensor Conv(GraphNode node, Tensor[] x)
    {
        Tensor input = x[0];
        Tensor weight = x[1];
        Sliding window = new(node, weight.Shape[2..], input.Shape);
        int perGroup = weight.Shape[0] / (int)node.Attributes.IntegerOr("group", 1);
        return Tensor.Make([input.Shape[0], weight.Shape[0], .. window.Output], p =>
        {
            double sum = x.Length > 2 ? x[2].Values[p[1]] : 0;
            for (int c = 0; c < weight.Shape[1]; c++)
            {
                foreach (int[] offset in window.Offsets())
                {
                    int[]? place = window.Place(p.AsSpan(2), offset, input.Shape[2..]);
                    sum += place is null ? 0 : input[[p[0], (p[1] / perGroup * weight.Shape[1]) + c, .. place]] * weight[[p[1], c, .. offset]];
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
        Sliding window = new(node, weight.Shape[2..], input.Shape);
        int group = (int)node.Attributes.IntegerOr("group", 1);
        IReadOnlyList<long> extra = node.Attributes.Integers("output_padding") ?? [.. window.Kernel.Select(_ => 0L)];
        int[] size = [.. extra.Select((e, i) => ((input.Shape[i + 2] - 1) * window.Strides[i]) + window.Reach(i) - window.Begin[i] - window.End[i] + (int)e)];
        int channels = weight.Shape[1] * group;
        Tensor result = Tensor.Make([input.Shape[0], channels, .. size], p => x.Length > 2 ? x[2].Values[p[1]] : 0);
        int perGroup = input.Shape[1] / group;
        for (int flat = 0; flat < input.Length; flat++)
        {
            int[] p = Tensor.Position(flat, input.Shape);
            foreach (int[] offset in window.Offsets())
            {
                if (window.Place(p.AsSpan(2), offset, size) is { } place)
                {
                    for (int c = 0; c < weight.Shape[1]; c++)
                    {
                        result[[p[0], (p[1] / perGroup * weight.Shape[1]) + c, .. place]] += input[p] * weight[[p[1], c, .. offset]];
                    }
                }
            }
        }

        return result;
    }
}
