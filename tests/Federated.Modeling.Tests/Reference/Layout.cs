namespace Federated.Modeling.Tests.Reference;

/// <summary>Operators that move elements.</summary>
internal static class Layout
{
    public static Tensor Slice(Tensor[] x)
    {
        int[] start = new int[x[0].Rank];
        int[] step = [.. Enumerable.Repeat(1, x[0].Rank)];
        int[] shape = [.. x[0].Shape];
        for (int i = 0; i < x[1].Length; i++)
        {
            int axis = x.Length > 3 ? (int)x[3].Values[i] : i;
            step[axis] = x.Length > 4 ? (int)x[4].Values[i] : 1;
            start[axis] = (int)x[1].Values[i];
            int end = (int)Math.Min(x[2].Values[i], x[0].Shape[axis]);
            shape[axis] = (end - start[axis] + step[axis] - 1) / step[axis];
        }

        return Tensor.Make(shape, p => x[0][[.. p.Select((v, i) => start[i] + (v * step[i]))]]);
    }

    public static Tensor Pad(Tensor x, Tensor pads)
    {
        int[] begin = [.. pads.Values[..x.Rank].Select(v => (int)v)];
        int[] shape = [.. x.Shape.Select((d, i) => d + begin[i] + (int)pads.Values[i + x.Rank])];
        return Tensor.Make(shape, p =>
        {
            int[] source = [.. p.Select((v, i) => v - begin[i])];
            return source.Zip(x.Shape).All(s => s.First >= 0 && s.First < s.Second) ? x[source] : 0;
        });
    }

    public static Tensor Concat(Tensor[] parts, int axis)
    {
        int[] shape = [.. parts[0].Shape];
        shape[axis] = parts.Sum(t => t.Shape[axis]);
        return Tensor.Make(shape, p =>
        {
            int[] source = [.. p];
            int part = 0;
            while (source[axis] >= parts[part].Shape[axis])
            {
                source[axis] -= parts[part++].Shape[axis];
            }

            return parts[part][source];
        });
    }

    /// <summary>[N, C, H, W] to [N, block² · C, H / block, W / block]; the place in the block is the outer part of the channel.</summary>
    public static Tensor SpaceToDepth(Tensor x, int block) => Tensor.Make(
        [x.Shape[0], x.Shape[1] * block * block, x.Shape[2] / block, x.Shape[3] / block],
        p =>
        {
            (int place, int channel) = Math.DivRem(p[1], x.Shape[1]);
            return x[p[0], channel, (p[2] * block) + (place / block), (p[3] * block) + (place % block)];
        });

    public static Tensor Range(double start, double limit, double delta)
    {
        int count = (int)Math.Max(0, Math.Ceiling((limit - start) / delta));
        return Tensor.Make([count], p => start + (p[0] * delta));
    }
}
