namespace Federated.Shared.SecureAggregation;

/// <summary>
/// Compressed points of P-256 (SEC 1 version 2, section 2.3): 33 bytes travel instead of 65. The framework reads no compressed points, so
/// the square root is taken here. Public keys only: the time taken depends on the point.
/// </summary>
internal static class P256Point
{
    /// <summary>A sign byte and the x coordinate.</summary>
    public const int CompressedBytes = 33;

    /// <summary>Length of a coordinate.</summary>
    public const int CoordinateBytes = 32;

    private static readonly P256FieldElement _b = P256FieldElement.FromBigEndian(
        Convert.FromHexString("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B"));

    /// <summary>Writes 2 or 3 for the sign of y, then x. Both coordinates are 32 bytes, big-endian.</summary>
    public static void Compress(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> compressed)
    {
        compressed[0] = (byte)(2 | (y[^1] & 1));
        x.CopyTo(compressed[1..]);
    }

    /// <summary>Finds y with y² = x³ − 3x + b. False when the bytes are no point of the curve.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> compressed, Span<byte> x, Span<byte> y)
    {
        if (compressed.Length != CompressedBytes || compressed[0] is not (2 or 3) || !P256FieldElement.IsReduced(compressed[1..]))
        {
            return false;
        }

        P256FieldElement abscissa = P256FieldElement.FromBigEndian(compressed[1..]);
        P256FieldElement square = P256FieldElement.Multiply(abscissa, P256FieldElement.Multiply(abscissa, abscissa));
        for (int i = 0; i < 3; i++)
        {
            square = P256FieldElement.Subtract(square, abscissa);
        }

        square = P256FieldElement.Add(square, _b);
        P256FieldElement root = square.SquareRootCandidate();
        if (P256FieldElement.Multiply(root, root) != square)
        {
            return false;
        }

        compressed[1..].CopyTo(x);
        root.ToBigEndian(y);
        if ((y[^1] & 1) != (compressed[0] & 1))
        {
            // Zero is its own negative and has no odd form: P-256 has no point with y = 0, its order being prime.
            P256FieldElement.Subtract(default, root).ToBigEndian(y);
        }

        return true;
    }
}
