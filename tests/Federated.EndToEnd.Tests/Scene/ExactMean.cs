using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>
/// What a round must commit, computed apart from the server one number at a time: every contribution u·n is rounded once to a multiple of
/// 2^-28, the sum is divided by the weights, and the mean is added to the adapter (FedAvg with rate 1).
/// </summary>
internal static class ExactMean
{
    private const double One = 1L << 28;

    /// <summary>The next adapter: [P].</summary>
    public static float[] Step(float[] adapter, IReadOnlyCollection<StubUpdate> contributions)
    {
        long weight = contributions.Sum(update => (long)update.Weight);
        float[] next = new float[adapter.Length];
        for (int i = 0; i < next.Length; i++)
        {
            long sum = contributions.Sum(update => (long)Math.Round((double)update.Delta[i] * update.Weight * One, MidpointRounding.ToEven));
            next[i] = adapter[i] + (float)(sum / (One * weight));
        }

        return next;
    }

    /// <summary>The name of an adapter: hash of its document.</summary>
    public static string Sha256Of(long version, float[] adapter) => ContentHash.Of(AdapterDocument.ToBytes(version, adapter)).Hex;
}
