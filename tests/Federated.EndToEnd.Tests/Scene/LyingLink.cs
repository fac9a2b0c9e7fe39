using System.Security.Cryptography;
using Federated.Client.Transport;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates.Linear;
using Google.Protobuf;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>The link of a device that claims more examples in its masked input than a member that follows the round can have. The link behind stays the caller's.</summary>
/// <param name="link">The way to the server.</param>
/// <param name="round">The fields of the round, known by the time of the upload.</param>
internal sealed class LyingLink(IServerLink link, Func<LinearRound> round) : IServerLink
{
    private const uint Excess = 100;

    public Task<CheckInReply> CheckInAsync(CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        link.CheckInAsync(request, timeout, counter, cancellationToken);

    public Task ReportAbortAsync(AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        link.ReportAbortAsync(report, timeout, counter, cancellationToken);

    public Task DownloadAsync(
        ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        link.DownloadAsync(content, offset, sink, direct, timeout, counter, cancellationToken);

    public Task<UploadStatusReply> UploadStatusAsync(UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        link.UploadStatusAsync(request, timeout, counter, cancellationToken);

    public Task<GroupReply> ExchangeAsync(GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        link.ExchangeAsync(request, timeout, counter, cancellationToken);

    public Task<SubmitReply> SubmitAsync(
        SubmitHeader header, ReadOnlyMemory<byte> payload, long offset, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
    {
        LinearRound linear = round();
        UpdateDocument update = UpdateDocument.FromBytes(payload, linear.ParameterCount);
        GroupClientMessage message = GroupClientMessage.Parser.ParseFrom(update.Body.Span);

        // Added to what is masked, it is added to the sum.
        FieldVector fields = FieldVector.Unpack(message.Input.Fields.Span, linear.FieldCount, linear.WidthBits);
        fields[linear.PaddedLength] = unchecked(fields[linear.PaddedLength] + Excess);
        byte[] packed = new byte[fields.PackedBytes];
        fields.Pack(packed);
        message.Input.Fields = ByteString.CopyFrom(packed);
        byte[] lie = (update with { Body = message.ToByteArray() }).ToBytes();
        SubmitHeader other = header.Clone();
        other.Sha256 = ByteString.CopyFrom(SHA256.HashData(lie));
        other.LengthBytes = (ulong)lie.Length;
        return link.SubmitAsync(other, lie, offset, timeout, counter, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
