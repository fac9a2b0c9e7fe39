using System.Buffers.Binary;
using Federated.Shared.Privacy;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates.Linear;

/// <summary>Noise of the clients in the fields of the private path.</summary>
public sealed class LinearNoiseTests
{
    private const int Clients = 12;
    private const int Parameters = 4_096;
    private const double Variance = 400;
    private const double BitVariance = 40;

    private static readonly LinearRound _round = new()
    {
        Seed = 7,
        ParameterCount = Parameters,
        IndexSet = IndexSetKind.Random,
        SetSize = Parameters,
        ClipNorm = 1,
        Step = 1e-3,
        WidthBits = 16,
        RotationBlock = Parameters,
        MinClients = 2,
        MaxClients = Clients,
        MaxExamples = 1,
        Noise = new LinearNoise(Variance, BitVariance),
    };

    [Fact]
    public void AddNoise_SumOfClients_HasTheSumOfTheVariances()
    {
        long[] sums = new long[_round.FieldCount];
        for (int client = 0; client < Clients; client++)
        {
            long[] fields = FieldsOf(new float[Parameters], client, loss: 3, noise: client);
            for (int i = 0; i < sums.Length; i++)
            {
                sums[i] += fields[i];
            }
        }

        double variance = sums.Take(Parameters).Average(sum => (double)sum * sum);
        Assert.InRange(variance / (Clients * Variance), 0.9, 1.1);
        Assert.InRange(sums.Take(Parameters).Average(), -10, 10);
    }

    [Fact]
    public void AddNoise_CountOfUnclipped_IsUnbiasedAndNoisy()
    {
        const int Trials = 300;
        double[] counts = new double[Trials];
        float[] small = new float[Parameters];
        float[] large = [.. Enumerable.Repeat(1f, Parameters)];
        for (int trial = 0; trial < Trials; trial++)
        {
            long[] sums = new long[_round.StatisticsFields];
            for (int client = 0; client < Clients; client++)
            {
                long[] fields = FieldsOf(client < 9 ? small : large, client, loss: 3, noise: (trial * Clients) + client);
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] += fields[Parameters + i];
                }
            }

            LinearStatistics read = LinearStatistics.ReadSums(_round, sums, Clients);
            Assert.Equal((Clients, 0.0, 0L), ((int)read.Examples, read.WeightedLoss, read.Limited));
            counts[trial] = read.Unclipped;
        }

        double expected = Math.Sqrt(Clients * BitVariance) / (2 * LinearNoise.BitScale);
        double mean = counts.Average();
        double deviation = Math.Sqrt(counts.Average(count => (count - mean) * (count - mean)));
        Assert.InRange(mean, 8.7, 9.3);
        Assert.InRange(deviation / expected, 0.8, 1.3);
    }

    [Fact]
    public void Encode_WithNoise_TellsNeitherLossNorWhatWasLimited()
    {
        long[] one = FieldsOf(new float[Parameters], 1, loss: 0.1, noise: null);
        long[] other = FieldsOf(new float[Parameters], 1, loss: 9.9, noise: null);
        Assert.Equal(one, other);
    }

    [Fact]
    public void Encode_WithNoise_LeavesRoomForIt()
    {
        float[] spike = new float[Parameters];
        spike[0] = 1;
        LinearRound narrow = _round with { Step = 1e-4, RotationBlock = 8 };
        Assert.True(narrow.QuantizerLimit > 0 && narrow.QuantizerLimit == narrow.Limit - narrow.Noise!.Value.CoordinateReach);
        long[] fields = FieldsOf(spike, 1, loss: 0, noise: null, narrow);
        Assert.Equal(narrow.QuantizerLimit, fields.Take(Parameters).Max(Math.Abs));
    }

    [Fact]
    public void FromBytes_RoundWithNoise_IsTheSameAndOfVersionThree()
    {
        Assert.Equal(_round, LinearRound.FromBytes(_round.ToBytes()));
        Assert.Equal(3, _round.ToBytes()[1]);
        Assert.Equal(2, (_round with { Noise = null }).ToBytes()[1]);
    }

    [Theory]
    [InlineData(0, BitVariance, 1)]
    [InlineData(Variance, 0.5, 1)]
    [InlineData(1e9, BitVariance, 1)]
    [InlineData(Variance, 1e8, 1)]
    [InlineData(Variance, BitVariance, 600)]
    public void FromBytes_NoiseWithoutRoomOrSense_IsRefused(double variance, double bit, int examples)
    {
        LinearRound round = _round with { Noise = new LinearNoise(variance, bit), MaxExamples = examples };
        Assert.Throws<ProtocolViolationException>(() => LinearRound.FromBytes(round.ToBytes()));
    }

    [Theory]
    [InlineData(1, 38)]
    [InlineData(4, 55)]
    [InlineData(64, 90)]
    [InlineData(400, 100)]
    [InlineData(1e9, 100)]
    public void CoordinateReach_Variance_CutsNoiseOffAsRarelyAsIsSaid(double variance, double bits)
    {
        // Chernoff's bound of both tails of Skellam.
        double reach = new LinearNoise(variance, 1).CoordinateReach;
        double exponent = (reach * Math.Asinh(reach / variance)) - Math.Sqrt((reach * reach) + (variance * variance)) + variance;
        Assert.InRange((exponent / Math.Log(2)) - 1, bits, bits + 3);
    }

    [Fact]
    public void AddNoise_RoundWithoutNoise_IsRefused()
    {
        LinearRound round = _round with { Noise = null };
        LinearEncoder encoder = new(round, SharedIndexSet.Random(round.Seed, Parameters, Parameters));
        using KeyedGenerator random = KeyedGenerator.Create();
        Assert.Throws<InvalidOperationException>(() => encoder.AddNoise(random));
    }

    /// <summary>The fields of an update, with the noise of this number's key; without noise when null.</summary>
    private static long[] FieldsOf(float[] update, int client, double loss, int? noise, LinearRound? of = null)
    {
        LinearRound round = of ?? _round;
        LinearEncoder encoder = new(round, SharedIndexSet.Random(round.Seed, Parameters, Parameters));
        encoder.Encode(update, 1, loss, LaneGenerator.For((ulong)client, "dither"));
        if (noise is { } number)
        {
            byte[] key = new byte[32];
            BinaryPrimitives.WriteInt32LittleEndian(key, number);
            using KeyedGenerator random = new(key);
            encoder.AddNoise(random);
        }

        long[] fields = new long[round.FieldCount];
        int unused = 32 - round.WidthBits;
        for (int i = 0; i < fields.Length; i++)
        {
            uint field = encoder.Fields[i];
            fields[i] = i < Parameters ? unchecked((int)(field << unused)) >> unused : field & ((1u << round.WidthBits) - 1);
        }

        return fields;
    }
}
