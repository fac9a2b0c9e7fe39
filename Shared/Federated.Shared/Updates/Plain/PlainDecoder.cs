using Federated.Shared.Protocol;

namespace Federated.Shared.Updates.Plain;

/// <summary>
/// The server's halves of the plain path in reverse order: read the encoded vector, hold it against the codec, spread it over the
/// parameters.
/// </summary>
public static class PlainDecoder
{
    /// <summary>Decodes an update. Allocates nothing that depends on what the bytes claim.</summary>
    /// <param name="body">An encoded vector.</param>
    /// <param name="codec">What the clients were told.</param>
    /// <param name="delta">[P]; zero where nothing was sent. Its content is undefined after an exception.</param>
    /// <exception cref="ProtocolViolationException">The bytes are not an update of this codec.</exception>
    public static void Decode(ReadOnlyMemory<byte> body, PlainCodec codec, Span<float> delta)
    {
        ArgumentNullException.ThrowIfNull(codec);
        EncodedVector vector = EncodedVector.FromBytes(body, delta.Length);
        int most = codec.CountOf(delta.Length);
        IndexCoding coding = most == delta.Length ? IndexCoding.All : IndexCoding.Golomb;
        if (vector.ValueEncoding != codec.Values || vector.IndexCoding != coding || vector.Count > most)
        {
            throw DocumentReading.Malformed(
                "encoded vector",
                $"it has {vector.Count} values as {vector.ValueEncoding} with indices as {vector.IndexCoding}; the plan wants at most {most} as {codec.Values} with {coding}");
        }

        vector.CopyTo(delta);
    }
}
