namespace Federated.Client.Transport;

/// <summary>Takes a download's bytes as they arrive, in order, from one thread at a time.</summary>
public interface IDownloadSink
{
    /// <summary>
    /// Takes the next bytes. They are lent for the duration of the call: this is the one copy between the network and their place.
    /// </summary>
    /// <param name="offset">Position of the first byte in the object.</param>
    /// <param name="totalLength">Length of the whole object, in bytes.</param>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="Federated.Shared.Protocol.ProtocolViolationException">They do not belong here; the download ends.</exception>
    void Accept(long offset, long totalLength, ReadOnlySpan<byte> bytes);
}
