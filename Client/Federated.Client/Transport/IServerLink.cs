using Federated.Shared.Models;
using Federated.Shared.Protos;

namespace Federated.Client.Transport;

/// <summary>
/// The calls a device makes. Each has a deadline and counts the messages that really passed. Thread-safe: sessions may share a link.
/// </summary>
/// <remarks>
/// Every call throws <see cref="ServerLinkException"/> when it fails and <see cref="OperationCanceledException"/> when its token is
/// cancelled. Nothing is tried again in here: whether to resume, and where, is known one level up.
/// </remarks>
public interface IServerLink : IAsyncDisposable
{
    /// <summary>Offers the device for a round.</summary>
    Task<CheckInReply> CheckInAsync(CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken);

    /// <summary>Says that an assigned device will not submit.</summary>
    Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken);

    /// <summary>Streams an object from <paramref name="offset"/> into <paramref name="sink"/> until the server ends the stream.</summary>
    /// <param name="content">The object.</param>
    /// <param name="offset">First byte wanted.</param>
    /// <param name="sink">Takes the bytes.</param>
    /// <param name="direct">Whether they may come straight from the server's store, if the server offers that.</param>
    /// <param name="timeout">Longest that it may take.</param>
    /// <param name="counter">Counts what passes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Federated.Shared.Protocol.ProtocolViolationException">The sink refused what came.</exception>
    Task DownloadAsync(
        ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken);

    /// <summary>Asks how many bytes of an upload the server holds.</summary>
    Task<UploadStatusReply> UploadStatusAsync(
        UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken);

    /// <summary>Gives an aggregation group an answer and waits for its next message.</summary>
    Task<GroupReply> ExchangeAsync(GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken);

    /// <summary>
    /// Sends the payload from <paramref name="offset"/> on and waits for the outcome. The payload is lent until the task ends and not copied
    /// beyond the encoding of one chunk.
    /// </summary>
    Task<SubmitReply> SubmitAsync(
        SubmitHeader header,
        ReadOnlyMemory<byte> payload,
        long offset,
        TimeSpan timeout,
        ByteCounter counter,
        CancellationToken cancellationToken);
}
