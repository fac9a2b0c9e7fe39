using Federated.Shared.Randomness;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Shared.Tests.Updates.Linear;

/// <summary>Dealing coordinates over blocks, and what it is for: narrow fields.</summary>
public sealed class BlockDealTests
{
    [Theory]
    [InlineData(1, 8, 8)]
    [InlineData(17, 8, 24)]
    [InlineData(100, 16, 112)]
    public void Collect_Dealt_GivesEveryCoordinateBack(int count, int block, int padded)
    {
        float[] values = [.. Enumerable.Range(1, count).Select(i => (float)i)];
        float[] dealt = Enumerable.Repeat(-1f, padded).ToArray();
        BlockDeal.Deal(values, block, dealt);
        Assert.Equal(values.Order(), dealt.Where(value => value != 0).Order());

        float[] back = new float[count];
        BlockDeal.Collect(dealt, block, back);
        Assert.Equal(values, back);
    }

    [Fact]
    public void Deal_OneTensorHasAllTheEnergy_EveryBlockGetsItsShare()
    {
        float[] values = new float[4_096];
        values.AsSpan(1_000, 1_024).Fill(1);
        float[] dealt = new float[4_096];
        BlockDeal.Deal(values, 256, dealt);
        for (int start = 0; start < dealt.Length; start += 256)
        {
            Assert.Equal(64, dealt.AsSpan(start, 256).ToArray().Sum());
        }
    }

    [Fact]
    public void Deal_LengthThatIsNotWholeBlocks_IsRefused() => Assert.Throws<ArgumentException>(() => BlockDeal.Deal([1], 8, new float[12]));

    /// <summary>A model's update: layers of very different magnitude, one after the other.</summary>
    [Fact]
    public void Encode_EightBitsTwentyClients_MeanIsUsable()
    {
        const int Clients = 20;
        const int Count = 20_000;
        int block = HadamardRotation.BlockFor(Count);
        float[] common = Layers(Count);
        double clip = L2Clip.Norm(common);
        LinearRound round = new()
        {
            Seed = 5,
            ParameterCount = Count,
            IndexSet = IndexSetKind.Random,
            SetSize = Count,
            ClipNorm = clip,
            Step = RingWidth.FinestStep(8, clip, HadamardRotation.PaddedLength(Count, block), Clients),
            WidthBits = 8,
            RotationBlock = block,
            MinClients = 1,
            MaxClients = Clients,
            MaxExamples = 1,
        };
        Assert.Null(round.Problem());
        SharedIndexSet set = SharedIndexSet.Random(round.Seed, Count, Count);
        LinearEncoder encoder = new(round, set);
        FieldSum sum = new(round);
        for (int client = 0; client < Clients; client++)
        {
            encoder.Encode(common, 1, 0, LaneGenerator.For((ulong)client, "dither"));
            sum.Add(encoder.Fields);
        }

        float[] mean = new float[Count];
        LinearStatistics statistics = new LinearDecoder(round, set).Decode(sum.Totals(round.PaddedLength), Clients, mean);
        double error = L2Clip.Norm([.. mean.Zip(common, (a, b) => a - b)]) / clip;
        Assert.InRange(error, 0, 0.15);
        Assert.InRange(statistics.Limited, 0, Clients * Count / 1_000);
    }

    private static float[] Layers(int count)
    {
        SeededGenerator random = SeededGenerator.For(3, "layers");
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (float)(random.NextGaussian() * (i < count / 10 ? 10 : i < count / 2 ? 1 : 0.1));
        }

        return values;
    }
}
