using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;

namespace Federated.Shared.Tests.Updates.Linear;

/// <summary>The stages of the private path together, from the clients' updates to the decoded mean.</summary>
public sealed class LinearCodecTests
{
    private const int Parameters = 2_000;

    [Theory]
    [InlineData(12, 1)]
    [InlineData(12, 600)]
    [InlineData(24, 1)]
    [InlineData(24, 1_000_000)]
    public void Decode_AllParameters_IsTheWeightedMeanWithinTheStep(int width, int maxExamples)
    {
        const int Clients = 20;
        LinearRound round = Round(Parameters, width, Clients, maxExamples);
        SharedIndexSet set = SharedIndexSet.Random(round.Seed, Parameters, Parameters);
        (float[] mean, double[] expected, long weight, int limited) = Run(round, set, Clients);

        double error = Math.Sqrt(mean.Zip(expected).Sum(pair => Math.Pow(pair.First - pair.Second, 2)) / Parameters);

        // A coordinate's rounding has at most half a step of deviation a client, and is divided by the summed weights.
        double bound = 1.2 * round.Step / 2 * Math.Sqrt(Clients) * maxExamples / weight;
        Assert.Equal(0, limited);
        Assert.InRange(error, 0, bound + 1e-6);
    }

    [Fact]
    public void Decode_ManySeeds_IsUnbiased()
    {
        const int Clients = 5;
        const int Trials = 3_000;
        const int Count = 40;
        double[] sum = new double[Count];
        double[] squares = new double[Count];
        double[] truth = new double[Count];
        for (int trial = 0; trial < Trials; trial++)
        {
            LinearRound round = Round(10, 10, Clients, 600, Count) with { Seed = (ulong)trial };
            (float[] mean, truth, _, _) = Run(round, SharedIndexSet.Random(round.Seed, Count, 10), Clients);
            for (int i = 0; i < Count; i++)
            {
                sum[i] += mean[i];
                squares[i] += (double)mean[i] * mean[i];
            }
        }

        for (int i = 0; i < Count; i++)
        {
            double mean = sum[i] / Trials;
            double error = Math.Sqrt(((squares[i] / Trials) - (mean * mean)) / Trials);
            Assert.InRange(mean, truth[i] - (5 * error), truth[i] + (5 * error));
        }
    }

    [Fact]
    public void Encode_LongUpdate_IsClippedToTheNorm()
    {
        LinearRound round = Round(Parameters, 24, 2, 1) with { ClipNorm = 0.5 };
        SharedIndexSet set = SharedIndexSet.Random(round.Seed, Parameters, Parameters);
        LinearEncoder encoder = new(round, set);
        float[] update = Vectors.Normal(Parameters, 1);
        LinearEncoding encoding = encoder.Encode(update, 1, 0.5, LaneGenerator.For(1, "dither"));
        Assert.Equal(0.5 / L2Clip.Norm(update), encoding.ClipFactor, 1e-9);

        float[] mean = new float[Parameters];
        new LinearDecoder(round, set).Decode(TotalsOf(round, encoder), 1, mean);
        Assert.Equal(0.5, L2Clip.Norm(mean), 1e-3);
    }

    [Fact]
    public void Encode_VotedSet_KeepsWhatWasNotSent()
    {
        float[] update = Vectors.Normal(Parameters, 1);
        SharedIndexSet set = SharedIndexSet.Voted(1, update.Select(MathF.Abs).ToArray(), 100);
        LinearRound round = Round(100, 16, 2, 600) with { IndexSet = IndexSetKind.Voted };
        LinearEncoder encoder = new(round, set);
        Residual memory = new("job", Parameters);
        encoder.Encode(memory, update, 1, 300, 0.5, LaneGenerator.For(1, "dither"));
        ReadOnlySpan<float> residual = memory.Values;

        float[] decoded = new float[Parameters];
        new LinearDecoder(round, set).Decode(TotalsOf(round, encoder), 1, decoded);
        for (int i = 0; i < Parameters; i++)
        {
            Assert.Equal(update[i], residual[i] + decoded[i], 1e-4f);
        }

        float[] left = memory.Values.ToArray();
        Assert.InRange(set.Indices.Indices.ToArray().Max(i => MathF.Abs(left[i])), 1e-9f, 0.1f);

        encoder.Restore(memory);
        for (int i = 0; i < Parameters; i++)
        {
            Assert.Equal(update[i], memory.Values[i], 1e-5f);
        }
    }

    [Fact]
    public void Encode_ResidualWithRandomSet_IsRefused()
    {
        LinearRound round = Round(Parameters, 24, 2, 1);
        LinearEncoder encoder = new(round, SharedIndexSet.Random(round.Seed, Parameters, Parameters));
        Assert.Throws<InvalidOperationException>(
            () => encoder.Encode(new Residual("job", Parameters), new float[Parameters], 1, 1, 0.5, LaneGenerator.For(1, "dither")));
    }

    [Fact]
    public void Decode_VotesOfSeveralClients_TellWhereResidualsAreLarge()
    {
        const int Clients = 10;
        LinearRound round = Round(100, 16, Clients, 1) with { IndexSet = IndexSetKind.Voted, Votes = 200 };
        SharedIndexSet set = SharedIndexSet.Voted(1, new float[Parameters], 100);
        LinearDecoder decoder = new(round, set);
        const int Large = 77;
        FieldSum sum = new(round);
        for (int client = 0; client < Clients; client++)
        {
            float[] update = Vectors.Normal(Parameters, (ulong)client);
            update[Large] = 20;
            LinearEncoder encoder = new(round, set);
            encoder.Encode(new Residual("job", Parameters), update, 1, 5, 0.5, LaneGenerator.For((ulong)client, "dither"));
            sum.Add(encoder.Fields);
        }

        decoder.Decode(sum.Totals(round.PaddedLength), Clients, new float[Parameters]);
        Assert.Equal(round.Votes, decoder.Votes.Length);
        ResidualVotes votes = new(Parameters);
        votes.Count(round.Seed, decoder.Votes);

        // Those that share both of its buckets in this round are not told from it yet.
        Assert.Equal(votes.Scores.ToArray().Max(), votes.Scores[Large]);
        Assert.InRange(votes.Scores.ToArray().Count(score => score == votes.Scores[Large]), 1, 3);
    }

    [Fact]
    public void FromBytes_ToldSet_ComesBackAsItWas()
    {
        LinearRound round = Round(100, 16, 4, 1) with
        {
            IndexSet = IndexSetKind.Voted, Votes = 50, Set = new ObjectReference(ContentHash.Of([1, 2, 3]), 3),
        };
        Assert.Equal(round, LinearRound.FromBytes(round.ToBytes()));
        LinearRound withoutVotes = round with { IndexSet = IndexSetKind.Momentum, Votes = 0 };
        Assert.Equal(withoutVotes, LinearRound.FromBytes(withoutVotes.ToBytes()));
        Assert.Contains("only a voted set has votes", (round with { IndexSet = IndexSetKind.Momentum }).Problem(), StringComparison.Ordinal);
        Assert.Contains("a random one is never told", (round with { IndexSet = IndexSetKind.Random, Votes = 0 }).Problem(), StringComparison.Ordinal);
    }

    [Fact]
    public void FromBytes_VotesOfSingleCoordinates_AreRefused()
    {
        byte[] document = (Round(100, 16, 4, 1) with
        {
            IndexSet = IndexSetKind.Voted, Votes = 50, Set = new ObjectReference(ContentHash.Of([1, 2, 3]), 3),
        }).ToBytes();
        Assert.Equal(5, document[1]);
        document[1] = 4;
        ProtocolViolationException refused = Assert.Throws<ProtocolViolationException>(() => LinearRound.FromBytes(document));
        Assert.Contains("votes", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_TwoGroups_AddUpLikeOne()
    {
        LinearRound round = Round(200, 12, 4, 1);
        SharedIndexSet set = SharedIndexSet.Random(round.Seed, Parameters, 200);
        LinearEncoder encoder = new(round, set);
        FieldSum one = new(round);
        FieldSum left = new(round);
        FieldSum right = new(round);
        for (int client = 0; client < 4; client++)
        {
            encoder.Encode(Vectors.Normal(Parameters, (ulong)client), 1, 0.5, LaneGenerator.For((ulong)client, "dither"));
            one.Add(encoder.Fields);
            (client < 2 ? left : right).Add(encoder.Fields);
        }

        left.Fields.Add(right.Fields);
        Assert.Equal(one.Totals(round.PaddedLength), left.Totals(round.PaddedLength));
    }

    [Fact]
    public void Decode_ImpossibleWeight_IsRefused()
    {
        LinearRound round = Round(200, 12, 4, 1);
        long[] totals = new long[round.FieldCount];
        LinearDecoder decoder = new(round, SharedIndexSet.Random(round.Seed, Parameters, 200));
        Assert.Throws<ProtocolViolationException>(() => decoder.Decode(totals, 2, new float[Parameters]));
    }

    [Fact]
    public void Round_WidthThatCouldWrap_IsRefusedWithTheWidthItNeeds()
    {
        LinearRound round = Round(200, 12, 20, 1);
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(
            () => LinearRound.FromBytes((round with { WidthBits = 11 }).ToBytes()));
        Assert.Equal(ErrorCode.InvalidSetting, e.Code);
        Assert.Contains("11 bits could wrap", e.Message, StringComparison.Ordinal);
        Assert.Contains("needs 12 bits", e.Message, StringComparison.Ordinal);
        Assert.Equal(round, LinearRound.FromBytes(round.ToBytes()));
    }

    internal static LinearRound Round(int setSize, int width, int clients, int maxExamples, int parameters = Parameters)
    {
        int block = HadamardRotation.BlockFor(setSize);
        const double Clip = 60;
        return new LinearRound
        {
            Seed = 77,
            ParameterCount = parameters,
            IndexSet = IndexSetKind.Random,
            SetSize = setSize,
            ClipNorm = Clip,
            Step = RingWidth.FinestStep(width, Clip, HadamardRotation.PaddedLength(setSize, block), clients),
            WidthBits = width,
            RotationBlock = block,
            MinClients = 1,
            MaxClients = clients,
            MaxExamples = maxExamples,
        };
    }

    private static long[] TotalsOf(LinearRound round, LinearEncoder encoder)
    {
        FieldSum sum = new(round);
        sum.Add(encoder.Fields);
        return sum.Totals(round.PaddedLength);
    }

    private static (float[] Mean, double[] Expected, long Weight, int Limited) Run(LinearRound round, SharedIndexSet set, int clients)
    {
        LinearEncoder encoder = new(round, set);
        FieldSum sum = new(round);
        double[] expected = new double[round.ParameterCount];
        long weight = 0;
        int limited = 0;
        byte[] packed = new byte[round.PackedBytes];
        for (int client = 0; client < clients; client++)
        {
            float[] update = Vectors.Normal(round.ParameterCount, (ulong)client);
            int examples = 100 + (40 * client);
            limited += encoder.Encode(update, examples, 0.5, LaneGenerator.For(round.Seed, "dither", (ulong)client)).Limited;
            encoder.Pack(packed);
            sum.AddPacked(LinearPayload.FromBytes(LinearPayload.ToBytes(round, packed), round).Span);
            int counted = Math.Min(examples, round.MaxExamples);
            weight += counted;
            for (int i = 0; i < update.Length; i++)
            {
                expected[i] += (double)counted * update[i];
            }
        }

        float[] mean = new float[round.ParameterCount];
        LinearStatistics statistics = new LinearDecoder(round, set).Decode(sum.Totals(round.PaddedLength), clients, mean);
        Assert.Equal(weight, statistics.Examples);
        Assert.Equal(0.5, statistics.MeanLoss, 1e-3);
        Assert.Equal(limited, statistics.Limited);
        return (mean, [.. expected.Select(value => value / weight)], weight, limited);
    }
}
