using CsCheck;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Tests.Updates.Indices;

public sealed class GolombCodeTests
{
    [Fact]
    public void Read_EncodedIndices_AreTheSame() => Gen.Select(Gen.Int[1, 5_000], Gen.Double.Unit, Gen.ULong).Sample((parameters, share, seed) =>
    {
        int count = Math.Clamp((int)(share * parameters), 1, parameters);
        int[] indices = SharedIndexSet.Random(seed, parameters, count).Indices.Indices.ToArray();
        return RoundTrips(parameters, indices);
    });

    [Fact]
    public void Read_ClusteredIndices_AreTheSameWithinTheStatedLength() => Gen.Select(Gen.Int[1, 400], Gen.Int[0, 100_000], Gen.Bool).Sample((count, start, last) =>
    {
        const int Parameters = 200_000;
        int[] indices = [.. Enumerable.Range(last ? Parameters - count : start, count)];
        return RoundTrips(Parameters, indices);
    });

    /// <summary>Measured against the entropy of a subset, log₂ C(P, k) bits; the reader is told P and k.</summary>
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.2139)]
    [InlineData(0.15)]
    [InlineData(0.113)]
    [InlineData(0.1)]
    [InlineData(0.0584)]
    [InlineData(0.05)]
    [InlineData(0.02)]
    [InlineData(0.01)]
    [InlineData(0.004)]
    [InlineData(0.001)]
    public void Encode_RandomIndices_TakesWithin2PercentOfTheEntropy(double density)
    {
        const int Parameters = 2_000_000;
        int count = (int)(density * Parameters);
        GolombCode code = GolombCode.For(Parameters, count);
        byte[] bytes = new byte[code.MaxLengthBytes + 4];
        int length = code.Encode(SharedIndexSet.Random(3, Parameters, count).Indices.Indices, bytes);

        Assert.InRange(length * 8 / LogBinomial(Parameters, count), 0.99, 1.02);
    }

    [Fact]
    public void Read_IndexBeyondTheParameters_IsRefused()
    {
        GolombCode wide = GolombCode.For(1_000, 10);
        byte[] bytes = new byte[64];
        int length = wide.Encode([.. Enumerable.Range(990, 10)], bytes);
        byte[] coded = bytes[..length];
        int[] indices = new int[10];

        // The same divisor, fewer parameters.
        Assert.Equal(wide.Divisor, GolombCode.For(999, 10).Divisor);
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => GolombCode.For(999, 10).Read(coded).Next(indices));
        Assert.Contains("index 999", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ZerosWithoutEnd_AreRefused() =>
        Assert.Throws<ProtocolViolationException>(() => GolombCode.For(1_000_000, 3).Read(new byte[40]).Next(new int[1]));

    private static bool RoundTrips(int parameters, int[] indices)
    {
        GolombCode code = GolombCode.For(parameters, indices.Length);
        byte[] bytes = new byte[code.MaxLengthBytes + 4];
        int length = code.Encode(indices, bytes);
        int[] read = new int[indices.Length];
        GolombCode.Reader reader = code.Read(bytes.AsSpan(0, length));
        reader.Next(read);
        reader.Finish();
        return length <= code.MaxLengthBytes && read.SequenceEqual(indices);
    }

    private static double LogBinomial(int n, int k)
    {
        double bits = 0;
        for (int i = 1; i <= k; i++)
        {
            bits += Math.Log2((n - k + i) / (double)i);
        }

        return bits;
    }
}
