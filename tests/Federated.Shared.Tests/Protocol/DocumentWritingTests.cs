using System.Buffers;
using Federated.Shared.Protocol;
using MessagePack;

namespace Federated.Shared.Tests.Protocol;

/// <summary>Headers of large values.</summary>
public sealed class DocumentWritingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public void WriteBinaryHeader_AnyLength_WritesWhatMessagePackWrites(int length) =>
        Assert.Equal(
            Written((ref MessagePackWriter writer) => writer.WriteBinHeader(length)).WrittenSpan,
            Written((ref MessagePackWriter writer) => writer.WriteBinaryHeader(length)).WrittenSpan);

    [Fact]
    public void WriteBinaryHeader_OfManyBytes_AsksForNoRoomForThem() =>
        Assert.InRange(Written((ref MessagePackWriter writer) => writer.WriteBinaryHeader(100_000_000)).Capacity, 0, 100_000);

    private static ArrayBufferWriter<byte> Written(Write write)
    {
        ArrayBufferWriter<byte> buffer = new();
        MessagePackWriter writer = new(buffer);
        write(ref writer);
        writer.Flush();
        return buffer;
    }

    private delegate void Write(ref MessagePackWriter writer);
}
