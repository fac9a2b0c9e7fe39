using System.Runtime.ExceptionServices;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Client.Transport;

/// <summary>The link over gRPC (HTTP/2): <c>https://…</c>, or <c>http://…</c> in clear text with prior knowledge. Thread-safe.</summary>
public sealed class GrpcServerLink : IServerLink
{
    private static readonly TimeSpan _membersTimeout = TimeSpan.FromSeconds(30);

    private readonly Uri _server;
    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly DeviceService.DeviceServiceClient _devices;
    private readonly UpdateService.UpdateServiceClient _updates;
    private readonly GroupService.GroupServiceClient _groups;
    private readonly EnrollmentService.EnrollmentServiceClient _enrollment;
    private readonly TransferRate _rate;
    private readonly DirectStore _store;

    private GrpcServerLink(Uri server, GrpcChannel channel, TransferRate rate, DirectStore store)
    {
        _server = server;
        _rate = rate;
        _store = store;
        _channel = channel;
        _invoker = channel.CreateCallInvoker();
        _devices = new DeviceService.DeviceServiceClient(_invoker);
        _updates = new UpdateService.UpdateServiceClient(_invoker);
        _groups = new GroupService.GroupServiceClient(_invoker);
        _enrollment = new EnrollmentService.EnrollmentServiceClient(_invoker);
    }

    /// <summary>Prepares a link; the connection is made by the first call and again whenever it broke.</summary>
    /// <exception cref="ArgumentException">The address is not absolute, or neither http nor https.</exception>
    public static GrpcServerLink Connect(Uri server, GrpcLinkOptions options)
    {
        GrpcChannel channel = GrpcConnection.Open(server, options);
        TransferRate rate = new(options.MaxBytesPerSecond, options.Time);
        return new GrpcServerLink(server, channel, rate, new DirectStore(options, rate, options.Time));
    }

    /// <inheritdoc/>
    public Task<CheckInReply> CheckInAsync(
        CheckInRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        UnaryAsync(_devices.CheckInAsync, request, timeout, counter, cancellationToken);

    /// <inheritdoc/>
    public Task ReportAbortAsync(
        AbortReport report, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        UnaryAsync(_devices.ReportAbortAsync, report, timeout, counter, cancellationToken);

    /// <inheritdoc/>
    public Task<UploadStatusReply> UploadStatusAsync(
        UploadStatusRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        UnaryAsync(_updates.UploadStatusAsync, request, timeout, counter, cancellationToken);

    /// <inheritdoc/>
    public Task<GroupReply> ExchangeAsync(
        GroupRequest request, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken) =>
        UnaryAsync(_groups.ExchangeAsync, request, timeout, counter, cancellationToken);

    /// <summary>Certificates of other devices.</summary>
    /// <exception cref="ServerLinkException">The call failed.</exception>
    internal Task<MembersReply> MembersAsync(MembersRequest request, ByteCounter counter, CancellationToken cancellationToken) =>
        UnaryAsync(_enrollment.MembersAsync, request, _membersTimeout, counter, cancellationToken);

    /// <inheritdoc/>
    public async Task DownloadAsync(
        ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sink);
        ArgumentNullException.ThrowIfNull(counter);
        DownloadCall call = await StreamAsync(content, offset, sink, direct && _store.IsTrusted, timeout, counter, cancellationToken).ConfigureAwait(false);
        if (call.Address is null)
        {
            return;
        }

        long reached = await _store.ReadAsync(call.Address, offset, call.TotalLength, sink, timeout, counter, cancellationToken).ConfigureAwait(false);
        if (reached == offset)
        {
            // The store refuses, or there is no way to it from here.
            _ = await StreamAsync(content, offset, sink, direct: false, timeout, counter, cancellationToken).ConfigureAwait(false);
        }
        else if (reached < call.TotalLength)
        {
            throw new ServerLinkException($"The server's store broke off at byte {reached} of {call.TotalLength}.", retriable: true);
        }
    }

    /// <inheritdoc/>
    public async Task<SubmitReply> SubmitAsync(
        SubmitHeader header,
        ReadOnlyMemory<byte> payload,
        long offset,
        TimeSpan timeout,
        ByteCounter counter,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(counter);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, payload.Length);
        try
        {
            using AsyncClientStreamingCall<SubmitChunk, SubmitReply> call = _updates.Submit(CallDeadline.After(timeout, cancellationToken));
            Task writing = WriteChunksAsync(call.RequestStream, header, payload, (int)offset, counter, cancellationToken);

            // A write into a stream that the server has ended may never return; the response always comes, at the deadline at the latest.
            if (await Task.WhenAny(writing, call.ResponseAsync).ConfigureAwait(false) == writing)
            {
                await writing.ConfigureAwait(false);
            }

            SubmitReply reply = await call.ResponseAsync.ConfigureAwait(false);
            counter.Received(reply.CalculateSize());
            return reply;
        }
        catch (Exception e) when (RpcFailures.TryTranslate(e, _server, cancellationToken, out Exception translated))
        {
            throw translated;
        }
    }

    /// <summary>Closes the connections; calls under way fail.</summary>
    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        _store.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One stream; the call tells whether the server answered with an address in place of data.</summary>
    private async Task<DownloadCall> StreamAsync(
        ContentHash content, long offset, IDownloadSink sink, bool direct, TimeSpan timeout, ByteCounter counter, CancellationToken cancellationToken)
    {
        DownloadCall decoder = new(sink, counter);
        DownloadRequest request = new() { Sha256 = UnsafeByteOperations.UnsafeWrap(content.ToBytes()), Offset = checked((ulong)offset), Direct = direct };
        try
        {
            using AsyncServerStreamingCall<DownloadCall> call =
                _invoker.AsyncServerStreamingCall(decoder.Method, null, CallDeadline.After(timeout, cancellationToken), request);
            counter.Sent(request.CalculateSize());
            while (decoder.Failure is null && await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                await _rate.TakeAsync(decoder.MessageBytes, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (RpcFailures.TryTranslate(e, _server, cancellationToken, out Exception translated))
        {
            throw translated;
        }

        if (decoder.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return decoder;
    }

    private async Task WriteChunksAsync(
        IClientStreamWriter<SubmitChunk> requests,
        SubmitHeader header,
        ReadOnlyMemory<byte> payload,
        int offset,
        ByteCounter counter,
        CancellationToken cancellationToken)
    {
        try
        {
            // One message object serves all chunks: a message has been encoded when its write completes.
            SubmitChunk chunk = new() { Header = header };
            do
            {
                int length = Math.Min(ProtocolLimits.ChunkBytes, payload.Length - offset);
                chunk.Offset = (ulong)offset;
                chunk.Data = UnsafeByteOperations.UnsafeWrap(payload.Slice(offset, length));
                await requests.WriteAsync(chunk, CancellationToken.None).ConfigureAwait(false);
                counter.Sent(chunk.CalculateSize());
                await _rate.TakeAsync(length, cancellationToken).ConfigureAwait(false);
                chunk.Header = null;
                offset += length;
            }
            while (offset < payload.Length);

            await requests.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when ((e is InvalidOperationException || RpcFailures.IsFailedCall(e)) && !cancellationToken.IsCancellationRequested)
        {
            // The server has answered, or the stream broke, before everything was sent: the response tells which.
        }
    }

    private async Task<TReply> UnaryAsync<TRequest, TReply>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TReply>> method,
        TRequest request,
        TimeSpan timeout,
        ByteCounter counter,
        CancellationToken cancellationToken)
        where TRequest : IMessage
        where TReply : IMessage
    {
        ArgumentNullException.ThrowIfNull(counter);
        try
        {
            using AsyncUnaryCall<TReply> call = method(request, CallDeadline.After(timeout, cancellationToken));
            counter.Sent(request.CalculateSize());
            TReply reply = await call.ResponseAsync.ConfigureAwait(false);
            counter.Received(reply.CalculateSize());
            return reply;
        }
        catch (Exception e) when (RpcFailures.TryTranslate(e, _server, cancellationToken, out Exception translated))
        {
            throw translated;
        }
    }
}
