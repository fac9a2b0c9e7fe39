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
            Sum = sum,
        };
    }

    private static byte[] Bytes(PartialSumDocument document) => document.ToSequence().ToArray();

    private static PendingUpdate Update(float[] values, int weight) => new(MemoryMarshal.AsBytes<float>(values).ToArray(), weight, values.Max(Math.Abs));

    [Fact]
    public void FromBytes_WrittenDocument_IsTheSame()
    {
        PartialSumDocument written = Document();
        PartialSumDocument read = PartialSumDocument.FromBytes(Bytes(written));
        Assert.Equal((written.JobId, written.Round, written.Group), (read.JobId, read.Round, read.Group));
        Assert.Equal(written.Contributors, read.Contributors);
        Assert.Equal(written.Sum.Values.ToArray(), read.Sum.Values.ToArray());
        Assert.Equal((written.Sum.Count, written.Sum.TotalWeight, written.Sum.Bound), (read.Sum.Count, read.Sum.TotalWeight, read.Sum.Bound));
    }

    [Fact]
    public void FromBytes_RestoredSum_GoesOnIndependently()
    {
        byte[] bytes = Bytes(Document());
        PartialSumDocument read = PartialSumDocument.FromBytes(bytes);
        read.Sum.Fold([Update([1f, 1f, 1f], 1)]);
        Assert.Equal(bytes, Bytes(Document()));
        Assert.Equal(41, read.Sum.TotalWeight);
    }

    [Fact]
    public void FromBytes_MapThatIsNotEmpty_IsRefused()
    {
        byte[] bytes = Bytes(Document());

        // The map is before the values: three of 8 bytes, behind a header of 2.
        int map = bytes.Length - (3 * sizeof(long)) - 3;
        Assert.Equal(0x80, bytes[map]);
        byte[] filled = [.. bytes[..map], 0x81, 0xA4, .. "late"u8, 1, .. bytes[(map + 1)..]];
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(filled));
        Assert.Contains("its map has 1 entries", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromBytes_EveryTruncation_IsRefused()
    {
        byte[] bytes = Bytes(Document());
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes.AsMemory(0, length)));
        }
    }

    [Fact]
    public void FromBytes_EveryFlippedBit_IsRefusedOrReads()
    {
        byte[] bytes = Bytes(Document());
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
        byte[] bytes = Bytes(Document());
        bytes[1] = 2;
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes));
        Assert.Equal(Shared.Protocol.ErrorCode.UnsupportedVersion, e.Code);
    }

    [Fact]
    public void FromBytes_ValueBeyondTheBound_IsRefused()
    {
        byte[] bytes = Bytes(Document());
        bytes[^1] = 0x40;
        Assert.Throws<ProtocolViolationException>(() => PartialSumDocument.FromBytes(bytes));
    }

    [Fact]
    public void ToSequence_ContributorsUnlikeTheSum_IsRefused()
    {
        PartialSumDocument document = Document();
        Assert.Throws<InvalidOperationException>(() => Bytes(document with { Contributors = [Contribution("a", 40)] }));
        Assert.Throws<InvalidOperationException>(() => Bytes(document with { Contributors = [Contribution("a", 30), Contribution("b", 11)] }));
        Assert.Throws<InvalidOperationException>(() => Bytes(document with { Contributors = [Contribution("a", 30), Contribution("a", 10)] }));
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
