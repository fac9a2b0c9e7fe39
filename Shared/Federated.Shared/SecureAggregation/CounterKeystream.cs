using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation;

/// <summary>
/// AES-256 in counter mode (NIST SP 800-38A, section 6.5) as a stream of uniform bytes: the whole 256-bit key goes into the cipher. The
/// counters lie in <see cref="CounterBlocks"/>, which many streams share; here they are only encrypted. Nothing is allocated after
/// construction. Not thread-safe.
/// </summary>
internal sealed class CounterKeystream : IDisposable
{
    private readonly Aes _cipher;
    private readonly ICryptoTransform _encryption;

    /// <summary>The stream of a key of 32 bytes.</summary>
    public CounterKeystream(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySchedule.KeyBytes)
        {
            throw new ArgumentException($"A mask key has {KeySchedule.KeyBytes} bytes, this has {key.Length}.", nameof(key));
        }

        _cipher = Aes.Create();
        _cipher.SetKey(key);
#pragma warning disable CA5358 // Single encrypted blocks are what counter mode is made of; no message is encrypted this way.
        _cipher.Mode = CipherMode.ECB;
#pragma warning restore CA5358
        _cipher.Padding = PaddingMode.None;
        _encryption = _cipher.CreateEncryptor();
    }

    /// <summary>
    /// Writes the stream at the counters' position into <paramref name="destination"/>, as many bytes as there are counters.
    /// </summary>
    public void Generate(CounterBlocks counters, byte[] destination) =>
        _encryption.TransformBlock(counters.Buffer, 0, counters.LengthBytes, destination, 0);

    /// <summary>Releases the key.</summary>
    public void Dispose()
    {
        _encryption.Dispose();
        _cipher.Dispose();
    }
}
