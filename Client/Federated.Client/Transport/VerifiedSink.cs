using System.Security.Cryptography;
using Federated.Client.Session;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>
/// A sink that knows what it waits for: bytes must be contiguous, the length as announced, and the SHA-256, taken as they arrive, the
/// object's name. Not thread-safe.
/// </summary>
internal abstract class VerifiedSink(ContentHash content, string name) : IDownloadSink, IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>What is downloaded.</summary>
    public ContentHash Content { get; } = content;

    /// <summary>What it is, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Whom to ask before bytes are taken: a stream is broken off when the device has to do without it. Nobody when null.</summary>
    public IRoundPacing? Pacing { get; set; }

    /// <summary>Bytes held: where a broken download goes on.</summary>
    public long Position { get; private set; }

    /// <summary>Length of the object; −1 until the first chunk tells it.</summary>
    public long TotalLength { get; private set; } = -1;

    /// <summary>Whether every byte is there, right or wrong.</summary>
    public bool IsComplete => Position == TotalLength;

    /// <inheritdoc/>
    public void Accept(long offset, long totalLength, ReadOnlySpan<byte> bytes)
    {
        if (Pacing is { IsOpen: false })
        {
            throw new ServerLinkException($"The device's own policy holds the download of the {Name} up.", retriable: true);
        }

        if (TotalLength != totalLength)
        {
            if (TotalLength >= 0)
            {
                throw new ProtocolViolationException(
                    ErrorCode.MalformedDocument, $"The {Name} was announced with {TotalLength} bytes and now with {totalLength}.");
            }

            Begin(totalLength);
            TotalLength = totalLength;
        }

        if (offset != Position || bytes.Length > totalLength - offset)
        {
            throw new ProtocolViolationException(
                ErrorCode.WrongOffset,
                $"{bytes.Length} bytes of the {Name} came for offset {offset} of {totalLength}; expected was offset {Position}.");
        }

        Write(offset, bytes);
        _hash.AppendData(bytes);
        Position += bytes.Length;
    }

    /// <summary>Whether the complete object hashes to its name. Ends the hash: afterwards only <see cref="Restart"/> goes on.</summary>
    public bool Verify()
    {
        Span<byte> digest = stackalloc byte[ContentHash.LengthBytes];
        _hash.GetHashAndReset(digest);
        return ContentHash.FromBytes(digest) == Content;
    }

    /// <summary>Forgets everything received.</summary>
    public void Restart()
    {
        Span<byte> digest = stackalloc byte[ContentHash.LengthBytes];
        _hash.GetHashAndReset(digest);
        Position = 0;
        TotalLength = -1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the sink holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }
    }

    /// <summary>Takes over bytes of an earlier run, already in their place.</summary>
    protected void Resume(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Position += bytes.Length;
    }

    /// <summary>Makes room, or refuses the length, before the first byte is written.</summary>
    protected abstract void Begin(long totalLength);

    /// <summary>Puts bytes in their place.</summary>
    protected abstract void Write(long offset, ReadOnlySpan<byte> bytes);
}
