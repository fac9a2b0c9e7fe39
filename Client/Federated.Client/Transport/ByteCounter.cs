using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>
/// Encoded gRPC message bytes that passed a link, the five bytes before each message included, and content that came straight from the server's store;
/// HTTP heads and framing and TCP's are not.
/// Thread-safe.
/// </summary>
public sealed class ByteCounter
{
    private long _up;
    private long _down;

    /// <summary>Bytes sent.</summary>
    public long Up => Interlocked.Read(ref _up);

    /// <summary>Bytes received.</summary>
    public long Down => Interlocked.Read(ref _down);

    /// <summary>Counts one sent message of so many bytes.</summary>
    public void Sent(int messageBytes) => Interlocked.Add(ref _up, messageBytes + ProtocolLimits.MessagePrefixBytes);

    /// <summary>Counts one received message of so many bytes.</summary>
    public void Received(int messageBytes) => Interlocked.Add(ref _down, messageBytes + ProtocolLimits.MessagePrefixBytes);

    /// <summary>Adds bytes that were counted elsewhere.</summary>
    public void Add(long up, long down)
    {
        Interlocked.Add(ref _up, up);
        Interlocked.Add(ref _down, down);
    }
}
