using Federated.Modeling.Graphs;

namespace Federated.Modeling.Tests.Reference;

/// <summary>How a kernel slides over any number of spatial dimensions, from a node's attributes as the ONNX specification words them.</summary>
internal sealed class Sliding
{
    private readonly GraphNode _node;
    private readonly int[] _input;

    public Sliding(GraphNode node, int[] kernel, int[] inputShape)
    {
        _node = node;
        _input = inputShape[2..];
        Kernel = kernel;
        Strides = List("strides", 1, kernel.Length);
        Dilations = List("dilations", 1, kernel.Length);
        (Begin, End) = Padding();
    }

    public int[] Kernel { get; }

    public int[] Strides { get; }

    public int[] Dilations { get; }

    public int[] Begin { get; }

    public int[] End { get; }

    public int[] Output => [.. Kernel.Select((_, i) =>
    {
        double places = (_input[i] + Begin[i] + End[i] - Reach(i)) / (double)Strides[i];
        if (_node.Attributes.IntegerOr("ceil_mode", 0) == 0)
        {
            return (int)Math.Floor(places) + 1;
        }

        int count = (int)Math.Ceiling(places) + 1;
        return (count - 1) * Strides[i] >= _input[i] + Begin[i] ? count - 1 : count;
    })];

    public int Reach(int i) => ((Kernel[i] - 1) * Dilations[i]) + 1;

    /// <summary>The place in the input under an element of the kernel, one for each spatial dimension; null if it lies in the padding.</summary>
    public int[]? Place(ReadOnlySpan<int> output, int[] offset, int[] size)
    {
        int[] place = new int[Kernel.Length];
        for (int i = 0; i < place.Length; i++)
        {
            place[i] = (output[i] * Strides[i]) + (offset[i] * Dilations[i]) - Begin[i];
            if (place[i] < 0 || place[i] >= size[i])
            {
                return null;
            }
        }

        return place;
    }

    public IEnumerable<int[]> Offsets() => Enumerable.Range(0, Tensor.Count(Kernel)).Select(flat => Tensor.Position(flat, Kernel));

    private (int[] Begin, int[] End) Padding()
    {
        string auto = _node.Attributes.TextOr("auto_pad", "NOTSET");
        if (!auto.StartsWith("SAME", StringComparison.Ordinal))
        {
            int[] pads = auto == "VALID" ? new int[2 * Kernel.Length] : List("pads", 0, 2 * Kernel.Length);
            return (pads[..Kernel.Length], pads[Kernel.Length..]);
        }

        int[] total = [.. Kernel.Select((_, i) => Math.Max(0, (((int)Math.Ceiling(_input[i] / (double)Strides[i]) - 1) * Strides[i]) + Reach(i) - _input[i]))];
        int[] half = [.. total.Select(t => t / 2)];
        int[] rest = [.. total.Select(t => t - (t / 2))];
        return auto == "SAME_UPPER" ? (half, rest) : (rest, half);
    }

    private int[] List(string name, int value, int count) =>
        _node.Attributes.Integers(name) is { } list ? [.. list.Select(v => (int)v)] : [.. Enumerable.Repeat(value, count)];
}
