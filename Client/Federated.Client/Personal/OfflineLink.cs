using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protos;

namespace Federated.Client.Personal;

/// <summary>No way to the server: what is not on the device is not there.</summary>
internal sealed class OfflineLink : IServerLink
{
    /// <summary>A scope of transfers that all fail.</summary>
    public static TransferScope Scope(TimeProvider time) => new(
        new OfflineLink(), "offline", new ByteCounter(), new Backoff(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1), time, "offline"), time.GetTimestamp(), time);

    /// <inheritdoc/>
    public Task<CheckInReply> CheckInAsync(CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<CheckInReply>();

    /// <inheritdoc/>
    public Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<bool>();

    /// <inheritdoc/>
    public Task DownloadAsync(ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<bool>();

    /// <inheritdoc/>
    public Task<UploadStatusReply> UploadStatusAsync(UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<UploadStatusReply>();

    /// <inheritdoc/>
    public Task<GroupReply> ExchangeAsync(GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<GroupReply>();

    /// <inheritdoc/>
    public Task<SubmitReply> SubmitAsync(
        SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) => Fail<SubmitReply>();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<T> Fail<T>() => Task.FromException<T>(new ServerLinkException("It is not on this device, and nothing is fetched for a prediction.", retriable: false));
}
