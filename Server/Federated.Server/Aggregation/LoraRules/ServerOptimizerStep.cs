using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>A server optimizer with its slots, which steps only where a round trained: a tensor that stood still must not drift by momentum.</summary>
/// <param name="optimizer">The rule of the step.</param>
/// <param name="slots">Its slots, each [P]; changed in place.</param>
internal sealed class ServerOptimizerStep(IServerOptimizer optimizer, IReadOnlyList<float[]> slots)
{
    /// <summary>Steps the selected elements.</summary>
    /// <param name="adapter">[P], changed in place.</param>
    /// <param name="update">The mean update of the selected elements, packed.</param>
    /// <param name="selection">Which they are. The others and their slots stay.</param>
    public void Apply(Span<float> adapter, ReadOnlySpan<float> update, ParameterSelection selection)
    {
        if (selection.IsEverything)
        {
            optimizer.Apply(adapter, update, slots);
            return;
        }

        float[] values = Gathered(adapter, selection);
        float[][] moments = [.. slots.Select(slot => Gathered(slot, selection))];
        optimizer.Apply(values, update, moments);
        selection.Scatter(values, adapter);
        for (int i = 0; i < moments.Length; i++)
        {
            selection.Scatter(moments[i], slots[i]);
        }
    }

    private static float[] Gathered(ReadOnlySpan<float> from, ParameterSelection selection)
    {
        float[] packed = new float[selection.Length];
        selection.Gather(from, packed);
        return packed;
    }
}
