using System.Buffers;
using System.Text;

namespace Federated.Server.Storage.Tests.Storage;

/// <summary>Makes contents of several segments, as encoders hand them to a store.</summary>
internal static class Sequences
{
    public static ReadOnlySequence<byte> Of(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <summary>The bytes in segments of at most <paramref name="segmentLength"/>.</summary>
    public static ReadOnlySequence<byte> Split(byte[] content, int segmentLength)
    {
        Segment first = new(ReadOnlyMemory<byte>.Empty, 0);
        Segment last = first;
        for (int start = 0; start < content.Length; start += segmentLength)
        {
            last = last.Append(content.AsMemory(start, Math.Min(segmentLength, content.Length - start)));
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            Segment next = new(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
