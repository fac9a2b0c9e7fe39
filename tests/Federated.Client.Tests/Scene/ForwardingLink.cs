using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Scene;

/// <summary>Passes every call on; a test overrides the one it watches.</summary>
internal abstract class ForwardingLink(IServerLink inner) : IServerLink
{
    public Task<CheckInReply> CheckInAsync(CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.CheckInAsync(request, timeout, counter, cancellationToken);

    public Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.ReportAbortAsync(report, timeout, counter, cancellationToken);

    public virtual Task DownloadAsync(
        ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.DownloadAsync(content, offset, sink, direct, timeout, counter, cancellationToken);

    public virtual Task<GroupReply> ExchangeAsync(GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.ExchangeAsync(request, timeout, counter, cancellationToken);

    public Task<UploadStatusReply> UploadStatusAsync(
        UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.UploadStatusAsync(request, timeout, counter, cancellationToken);

    public virtual Task<SubmitReply> SubmitAsync(
        SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        inner.SubmitAsync(header, payload, offset, timeout, counter, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
