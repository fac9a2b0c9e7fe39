using CsCheck;
using Federated.Shared.Randomness;
using Federated.Shared.Updates;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Updates.Plain;

public sealed class PlainCodecTests
{
    private static readonly Gen<PlainCodec> _codec = Gen.Select(
        Gen.OneOf(Gen.Double[0.001, 0.25], Gen.Const(1.0)),
        Gen.Enum<ValueEncoding>(),
        Gen.OneOf(Gen.Const(0f), Gen.Float[0.1f, 0.9f]),
        Gen.Float[0.5f, 1f],
        (density, values, momentum, decay) => new PlainCodec { Density = density, Values = values, Momentum = momentum, StaleDecay = decay });

    [Fact]
    public void Encode_AnyCodec_ReadsBackAsWhatWasTransmitted() => Gen.Select(_codec, Gen.Int[1, 3_000], Gen.ULong).Sample((codec, length, seed) =>
    {
        Residual residual = new("job", length);
        PlainEncoder encoder = new(codec, length);
        float[] decoded = new float[length];
        for (int round = 1; round <= 3; round++)
        {
            float[] update = Vectors.HeavyTailed(length, seed ^ (ulong)round);
            EncodedVector encoded = encoder.Encode(update, round, residual, null);
            byte[] document = encoded.ToBytes();
            EncodedVector read = EncodedVector.FromBytes(document, length);
            read.CopyTo(decoded);
            if (document.Length > codec.MaxLengthBytes(length) || decoded.Count(value => value != 0) > codec.CountOf(length))
            {
                return false;
            }

            // Adding to zeros and replacing in zeros are the same.
            float[] added = new float[length];
            float[] replaced = new float[length];
            read.AddTo(added);
            read.Replace(replaced);
            if (!added.SequenceEqual(decoded) || !replaced.SequenceEqual(decoded))
            {
                return false;
            }
        }

        return true;
    }, iter: 200);

    /// <summary>With float32 or block values: what is left plus what was sent is the input, bit for bit.</summary>
    [Fact]
    public void Encode_ResidualAndTransmitted_AreTheInputExactly() => Gen.Select(_codec, Gen.Int[1, 2_000], Gen.ULong).Sample((codec, length, seed) =>
    {
        if (codec.Values == ValueEncoding.Sign && codec.Density >= 1)
        {
            return true; // Values below half the magnitude are bounded by it only among the largest.
        }

        Residual residual = new("job", length);
        Residual twin = new("job", length);
        PlainEncoder encoder = new(codec, length);
        float[] update = Vectors.HeavyTailed(length, seed);
        float[] decoded = new float[length];
        encoder.Encode(update, 1, residual, null).CopyTo(decoded);
        twin.Accumulate(update, 1, codec);
        for (int i = 0; i < length; i++)
        {
            if (residual.Values[i] + decoded[i] != twin.Values[i])
            {
                return false;
            }
        }

        encoder.Restore(residual);
        return residual.Values.SequenceEqual(twin.Values);
    }, iter: 300);

    [Fact]
    public void Encode_ManyRounds_SendsEverythingInTheEnd()
    {
        const int Length = 500;
        PlainCodec codec = new() { Density = 0.1, Values = ValueEncoding.Block4 };
        PlainEncoder encoder = new(codec, Length);
        Residual residual = new("job", Length);
        double[] sent = new double[Length];
        double[] wanted = new double[Length];
        float[] decoded = new float[Length];
        for (int round = 1; round <= 400; round++)
        {
            float[] update = Vectors.Normal(Length, (ulong)round);
            encoder.Encode(update, round, residual, null).CopyTo(decoded);
            for (int i = 0; i < Length; i++)
            {
                sent[i] += decoded[i];
                wanted[i] += update[i];
            }
        }

        for (int i = 0; i < Length; i++)
        {
            Assert.Equal(wanted[i], sent[i] + residual.Values[i], 1e-2);
        }
    }

    [Fact]
    public void Encode_Momentum_IsDeepGradientCompressionsRule()
    {
        const int Length = 64;
        PlainCodec codec = new() { Density = 0.1, Values = ValueEncoding.RawFloat32, Momentum = 0.5f };
        PlainEncoder encoder = new(codec, Length);
        Residual residual = new("job", Length);
        float[] u = new float[Length];
        float[] v = new float[Length];
        float[] decoded = new float[Length];
        for (int round = 1; round <= 20; round++)
        {
            float[] update = Vectors.Normal(Length, (ulong)round);
            encoder.Encode(update, round, residual, null).CopyTo(decoded);
            for (int i = 0; i < Length; i++)
            {
                u[i] = (0.5f * u[i]) + update[i];
                v[i] += u[i];
            }

            foreach (int i in Enumerable.Range(0, Length).OrderByDescending(i => MathF.Abs(v[i])).Take(7))
            {
                Assert.Equal(v[i], decoded[i]);
                u[i] = 0;
                v[i] = 0;
            }

            Assert.Equal(v, residual.Values.ToArray());
            Assert.Equal(u, residual.Velocity.ToArray());
        }
    }

    [Fact]
    public void Encode_MissedRounds_DecayTheResidual()
    {
        PlainCodec codec = new() { Density = 0.25, Values = ValueEncoding.RawFloat32, StaleDecay = 0.5f };
        PlainEncoder encoder = new(codec, 4);
        Residual residual = new("job", 4);
        encoder.Encode([8f, 4f, 2f, 0f], 1, residual, null);
        Assert.Equal([0f, 4f, 2f, 0f], residual.Values.ToArray());

        // Two rounds missed: a quarter is left.
        encoder.Encode([0f, 0f, 0f, 9f], 4, residual, null);
        Assert.Equal([0f, 1f, 0.5f, 0f], residual.Values.ToArray());
    }

    [Fact]
    public void Encode_WithoutResidual_IsUnbiased()
    {
        PlainCodec codec = new() { Density = 1, Values = ValueEncoding.Block4, KeepsResidual = false };
        PlainEncoder encoder = new(codec, 300);
        float[] update = Vectors.Normal(300, 1);
        float[] sum = new float[300];
        LaneGenerator dither = LaneGenerator.For(1, "dither");
        const int Trials = 10_000;
        for (int trial = 0; trial < Trials; trial++)
        {
            encoder.Encode(update, 1, null, dither).AddTo(sum);
        }

        // A step of about 0.5, five standard errors, and the rounding of the sums in float32.
        Assert.All(sum.Zip(update), pair => Assert.Equal(pair.Second, pair.First / Trials, 0.0125 + 5e-3));
    }

    [Fact]
    public void Residual_Stored_ReadsBackTheSame() => Gen.Select(Gen.Int[1, 300], Gen.Bool, Gen.ULong).Sample((length, momentum, seed) =>
    {
        PlainCodec codec = new() { Density = 0.1, Values = ValueEncoding.Block8, Momentum = momentum ? 0.9f : 0 };
        Residual residual = new("job", length);
        new PlainEncoder(codec, length).Encode(Vectors.Normal(length, seed), 3, residual, null);
        Residual read = Residual.FromBytes(residual.ToBytes(), length);
        return read.JobId == "job" && read.Round == 3 && read.Values.SequenceEqual(residual.Values) && read.Velocity.SequenceEqual(residual.Velocity);
    });

    [Fact]
    public void Encode_RoundAgain_IsRefused()
    {
        PlainEncoder encoder = new(new PlainCodec { Density = 1, Values = ValueEncoding.Block8 }, 2);
        Residual residual = new("job", 2);
        encoder.Encode([1f, 2f], 5, residual, null);
        Assert.Throws<ArgumentException>(() => encoder.Encode([1f, 2f], 5, residual, null));
    }

    [Theory]
    [InlineData(0.5, ValueEncoding.Block8, true, 0f, 1f, "density is 0.5")]
    [InlineData(double.NaN, ValueEncoding.Block8, true, 0f, 1f, "density is NaN")]
    [InlineData(1, (ValueEncoding)9, true, 0f, 1f, "value encoding is 9")]
    [InlineData(1, ValueEncoding.Block8, true, 1f, 1f, "Momentum 1")]
    [InlineData(1, ValueEncoding.Block8, true, 0f, 0f, "stale decay 0")]
    [InlineData(0.1, ValueEncoding.Block8, false, 0f, 1f, "residual")]
    [InlineData(1, ValueEncoding.Sign, false, 0f, 1f, "residual")]
    public void Problem_ImpossibleSettings_AreNamed(double density, ValueEncoding values, bool residual, float momentum, float decay, string what) =>
        Assert.Contains(
            what,
            new PlainCodec { Density = density, Values = values, KeepsResidual = residual, Momentum = momentum, StaleDecay = decay }.Problem(),
            StringComparison.Ordinal);
}
