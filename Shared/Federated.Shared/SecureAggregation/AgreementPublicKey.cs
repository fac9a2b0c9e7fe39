using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>A P-256 public key for key agreement. A value of this type is a point of the curve. Immutable and thread-safe.</summary>
public sealed class AgreementPublicKey : IEquatable<AgreementPublicKey>
{
    /// <summary>Length on the wire: a compressed point of SEC 1 version 2, section 2.3.3.</summary>
    public const int LengthBytes = P256Point.CompressedBytes;

    private readonly byte[] _compressed;
    private readonly ECPoint _point;

    private AgreementPublicKey(byte[] compressed, ECPoint point)
    {
        _compressed = compressed;
        _point = point;
    }

    /// <summary>The compressed point: [33].</summary>
    public ReadOnlySpan<byte> Bytes => _compressed;

    /// <summary>Reads a compressed point; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> compressed, [NotNullWhen(true)] out AgreementPublicKey? key)
    {
        ECPoint point = new() { X = new byte[P256Point.CoordinateBytes], Y = new byte[P256Point.CoordinateBytes] };
        key = P256Point.TryDecompress(compressed, point.X, point.Y) ? new AgreementPublicKey(compressed.ToArray(), point) : null;
        return key is not null;
    }

    /// <summary>Whether both are the same point.</summary>
    public bool Equals(AgreementPublicKey? other) => other is not null && _compressed.AsSpan().SequenceEqual(other._compressed);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AgreementPublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_compressed, 1);

    internal static AgreementPublicKey Of(ECDiffieHellman key)
    {
        ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
        byte[] compressed = new byte[LengthBytes];
        P256Point.Compress(point.X, point.Y, compressed);
        return new AgreementPublicKey(compressed, point);
    }

    internal ECParameters ToParameters() => new() { Curve = ECCurve.NamedCurves.nistP256, Q = _point };
}
