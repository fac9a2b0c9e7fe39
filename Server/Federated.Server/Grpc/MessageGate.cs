using System.IO.Pipelines;
using Federated.Shared.Protocol;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>
/// Begins a call that has one message when that message is there, so that nobody holds memory by never ending it. What the call does then, and how long it is held or its
/// answer streams, has no limit here; neither have uploads, whose messages are many.
/// </summary>
internal sealed class MessageGate(RequestDelegate next, CallRefusals refusals, TimeProvider time)
{
    /// <summary>Most bytes of a message that needs no certificate, with its prefix. A request to enroll has less than 1 KiB.</summary>
    public const int MaxOpenBytes = 8 << 10;

    /// <summary>How long a message may take to arrive. 1 MiB, the longest, does so on a link of 18 KiB/s; most are a thousandth of it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Passes the request on or answers it.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        IMethod? method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
        if (method is { Type: MethodType.Unary or MethodType.ServerStreaming } && !await HasArrivedAsync(context, method))
        {
            return;
        }

        await next(context);
    }

    private async Task<bool> HasArrivedAsync(HttpContext context, IMethod method)
    {
        int limit = CallerGate.IsOpen(method.FullName) ? MaxOpenBytes : ProtocolLimits.MaxMessageBytes + ProtocolLimits.MessagePrefixBytes;
        using CancellationTokenSource patience = new(Patience, time);
        try
        {
            await ArriveAsync(context.Request.BodyReader, limit, patience.Token);
            return true;
        }
        catch (ProtocolViolationException e)
        {
            refusals.Answer(context, method, e);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            refusals.Answer(context, method, new ProtocolViolationException(
                ErrorCode.Overloaded, $"The message has not arrived within {Patience.TotalSeconds} s."));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The caller went away.
            context.Abort();
        }

        return false;
    }

    // Nothing is taken out: gRPC finds the message in the reader.
    private static async Task ArriveAsync(PipeReader body, int limitBytes, CancellationToken ct)
    {
        bool ended = false;
        while (!ended)
        {
            ReadResult read = await body.ReadAsync(ct);
            long length = read.Buffer.Length;
            ended = read.IsCompleted;
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (length > limitBytes)
            {
                throw new ProtocolViolationException(ErrorCode.LimitExceeded, $"The message has more than {limitBytes} bytes, the limit of this call.");
            }
        }
    }
}
