using System.Buffers;
using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Tests.Aggregation;

public sealed class PartialSumDocumentTests
{
    private static Contribution Contribution(string device, int examples, double loss = 0.5) => new()
    {
        DeviceId = device,
        Content = ContentHash.Of([(byte)examples]),
        ExampleCount = examples,
        MeanLoss = loss,
        BytesUp = 100,
        BytesDown = 200,
        DownloadSeconds = 0.25,
        ComputeSeconds = 1.5,
        PeakMemoryBytes = 1000 + examples,
    };

    private static PartialSumDocument Document()
    {
        RunningSum sum = new(3);
        sum.Fold([Update([1f, -2f, 0.5f], 10), Update([0f, 4f, -1f], 30)]);
        return new PartialSumDocument
        {
            JobId = "job-1",
            Round = 7,
            Group = 2,
            Contributors = [Contribution("b", 10), Contribution("a", 30, 1.5)],
            Refused = new Dictionary<string, int> { ["notFinite"] = 2, ["late"] = 1 },
            Sum = sum,
        };
    }

    private static PendingUpdate Update(float[] values, int weight) => new(MemoryMarshal.AsBytes<float>(values).ToArray(), weight, values.Max(Math.Abs));

    [Fact]
    public void FromBytes_WrittenDocument_IsTheSame()
    {
        PartialSumDocument written = Document();
        PartialSumDocument read = PartialSumDocument.FromBytes(written.ToBytes());
        Assert.Equal((written.JobId, written.Round, written.Group), (read.JobId, read.Round, read.Group));
        Assert.Equal(written.Contributors, read.Contributors);
        Assert.Equal(written.Refused.OrderBy(pair => pair.Key), read.Refused);
        Assert.Equal(written.Sum.Values.ToArray(), read.Sum.Values.ToArray());
        Assert.Equal((written.Sum.Count, written.Sum.TotalWeight, written.Sum.Bound), (read.Sum.Count, read.Sum.TotalWeight, read.Sum.Bound));
    }

    [Fact]
    public void FromBytes_RestoredSum_GoesOnIndependently()
    {
        byte[] bytes = Document().ToBytes();
        PartialSumDocument read = PartialSumDocument.FromBytes(bytes);
        read.Sum.Fold([Update([1f, 1f, 1f], 1)]);
        Assert.Equal(bytes, Document().ToBytes());
        Assert.Equal(41, read.Sum.TotalWeight);
    }

    [Fact]
    public void ToSequence_AndWriteTo_GiveTheBytes()
    {
        ArrayBufferWriter<byte> buffer = new();
        Document().WriteTo(buffer);
        Assert.Equal(Document().ToBytes(), buffer.WrittenSpan.ToArray());
        Assert.Equal(Document().ToBytes(), Document().ToSequence().ToArray());
    }

    [Fact]
    public void FromBytes_EveryTruncation_IsRefused()
    {
        byte[] bytes = Document().ToBytes();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes.AsMemory(0, length)));
        }
    }

    [Fact]
    public void FromBytes_EveryFlippedBit_IsRefusedOrReads()
    {
        byte[] bytes = Document().ToBytes();
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                PartialSumDocument read = PartialSumDocument.FromBytes(damaged);
                Assert.Equal(read.Sum.Count, read.Contributors.Count);
            }
            catch (ProtocolViolationException)
            {
            }
        }
    }

    [Fact]
    public void FromBytes_OtherVersion_IsRefusedByName()
    {
        byte[] bytes = Document().ToBytes();
        bytes[1] = 2;
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes));
        Assert.Equal(Shared.Protocol.ErrorCode.UnsupportedVersion, e.Code);
    }

    [Fact]
    public void FromBytes_ValueBeyondTheBound_IsRefused()
    {
        byte[] bytes = Document().ToBytes();
        bytes[^1] = 0x40;
        Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes));
    }

    [Fact]
    public void ToBytes_ContributorsUnlikeTheSum_IsRefused()
    {
        PartialSumDocument document = Document();
        Assert.Throws<InvalidOperationException>(() => (document with { Contributors = [Contribution("a", 40)] }).ToBytes());
        Assert.Throws<InvalidOperationException>(() => (document with { Contributors = [Contribution("a", 30), Contribution("b", 11)] }).ToBytes());
        Assert.Throws<InvalidOperationException>(() => (document with { Contributors = [Contribution("a", 30), Contribution("a", 10)] }).ToBytes());
    }

    [Fact]
    public void Totals_AnyOrder_AreTheSame()
    {
        ContributionTotals totals = Document().Totals;
        Assert.Equal(["a", "b"], totals.DeviceIds);
        Assert.Equal((40, 1.25, 200, 400), (totals.Examples, totals.TrainLoss, totals.BytesUp, totals.BytesDown));
        Assert.Equal((0.5, 3.0, 1030), (totals.DownloadSeconds, totals.ComputeSeconds, totals.PeakMemoryBytes));
        Contribution[] many = [.. Enumerable.Range(1, 100).Select(i => Contribution($"device-{i}", i, Math.Sqrt(i)))];
        Assert.Equal(ContributionTotals.Of(many).TrainLoss, ContributionTotals.Of(many.Reverse()).TrainLoss);
    }

    [Fact]
    public void Contribution_ImpossibleCosts_AreBroughtToPossibleOnes()
    {
        Contribution claimed = Contribution("a", 1) with { BytesUp = -1, PeakMemoryBytes = long.MaxValue, ComputeSeconds = double.NaN, DownloadSeconds = double.PositiveInfinity };
        Assert.Equal((0L, 1L << 40, 0.0, 2592000.0), (claimed.BytesUp, claimed.PeakMemoryBytes, claimed.ComputeSeconds, claimed.DownloadSeconds));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Contribution_LossNotFinite_IsRefused(double loss) => Assert.Throws<ArgumentOutOfRangeException>(() => Contribution("a", 1, loss));
}
