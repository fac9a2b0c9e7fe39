using CsCheck;
using Federated.Training.Optimizers;

namespace Federated.Training.Tests.Optimizers;

public sealed class ProximalTermTests
{
    [Fact]
    public void AddTo_KnownValues_AddsMuTimesTheDifference()
    {
        float[] gradient = [1, -1];
        ProximalTerm.AddTo(gradient, [3, 5], [1, 6], 0.5f);
        Assert.Equal([2f, -1.5f], gradient);
    }

    [Fact]
    public void AddTo_NearTheStart_KeepsTheDifferencesDigits()
    {
        // 1000 and its successor differ by 2^-14; scaling before subtracting would lose it.
        float[] gradient = [0];
        ProximalTerm.AddTo(gradient, [MathF.BitIncrement(1000f)], [1000f], 0.1f);
        Assert.Equal(0.1f * MathF.Pow(2, -14), gradient[0]);
    }

    [Fact]
    public void AddTo_AnyLength_AgreesWithItsScalarTwin() =>
        Gen.Select(Gen.Float[-1, 1].Array[1, 3000], Gen.Float[0, 2]).Sample(
            (start, mu) =>
            {
                float[] adapter = [.. start.Select((v, i) => v + (i % 7))];
                float[] gradient = [.. start.Select((_, i) => (float)(i % 5))];
                ProximalTerm.AddTo(gradient, adapter, start, mu);
                for (int i = 0; i < start.Length; i++)
                {
                    Assert.Equal((i % 5) + ((double)mu * (adapter[i] - start[i])), gradient[i], 1e-5);
                }
            },
            iter: 50);
}
