using System.Numerics;

namespace Federated.Server.Tests.Aggregation;

/// <summary>The slow readable twin of RunningSum: one value at a time, in integers of any size.</summary>
internal sealed class ScalarRunningSum(int parameterCount)
{
    public BigInteger[] Values { get; } = new BigInteger[parameterCount];

    public long TotalWeight { get; private set; }

    public void Fold(float[] update, int weight)
    {
        for (int i = 0; i < Values.Length; i++)
        {
            Values[i] += (BigInteger)Math.Round((double)update[i] * weight * (1 << 28), MidpointRounding.ToEven);
        }

        TotalWeight += weight;
    }
}
