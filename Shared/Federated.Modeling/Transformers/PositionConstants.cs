using Federated.Modeling.Graphs;

namespace Federated.Modeling.Transformers;

/// <summary>What the attention of all blocks knows of the positions: each constant is made when the first block asks for it, and once a graph.</summary>
/// <param name="graph">Where the constants go.</param>
/// <param name="spec">The sizes.</param>
internal sealed class PositionConstants(LayerGraph graph, GptSpec spec)
{
    private (GraphValue Cosine, GraphValue Sine)? _rotation;
    private GraphValue? _mask;

    /// <summary>Cosines and sines of t·θ^(−2i/D) for each position t and pair (i, i + D/2) of a head: [T, D] each.</summary>
    public (GraphValue Cosine, GraphValue Sine) Rotation => _rotation ??= MakeRotation();

    /// <summary>[T, T]: 0 where a position may look, far below everything else elsewhere.</summary>
    public GraphValue Mask => _mask ??= MakeMask();

    private (GraphValue Cosine, GraphValue Sine) MakeRotation()
    {
        int half = spec.HeadWidth / 2;
        double[] cosines = new double[spec.Context * spec.HeadWidth];
        double[] sines = new double[cosines.Length];
        for (int i = 0; i < cosines.Length; i++)
        {
            int pair = i % spec.HeadWidth % half;
            double angle = i / spec.HeadWidth * Math.Pow(spec.RotaryBase, -2.0 * pair / spec.HeadWidth);
            (sines[i], cosines[i]) = Math.SinCos(angle);
        }

        return (graph.Constant(cosines, spec.Context, spec.HeadWidth), graph.Constant(sines, spec.Context, spec.HeadWidth));
    }

    private GraphValue MakeMask()
    {
        int length = spec.Context;
        double[] mask = new double[length * length];
        for (int i = 0; i < mask.Length; i++)
        {
            int distance = (i / length) - (i % length);
            mask[i] = distance >= 0 && distance < (spec.Window ?? length) ? 0 : GptGraph.Masked;
        }

        return graph.Constant(mask, length, length);
    }
}
