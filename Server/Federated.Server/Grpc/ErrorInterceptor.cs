using Federated.Server.Identity;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Server.Grpc;

/// <summary>The one place where a protocol violation becomes a gRPC status; the code's number travels in a trailer.</summary>
internal sealed partial class ErrorInterceptor(RefusedCalls refused, DeviceRegistry registry, MethodFailures failures, ILogger<ErrorInterceptor> logger)
    : Interceptor
{
    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        MapAsync(() => continuation(request, context), context);

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        RequestStream<TRequest> requests = new(requestStream);
        return MapAsync(() => continuation(requests, context), context, () => requests.HasBroken);
    }

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        MapAsync(
            async () =>
            {
                await continuation(request, responseStream, context);
                return true;
            },
            context);

    private async Task<T> MapAsync<T>(Func<Task<T>> call, ServerCallContext context, Func<bool>? streamHasBroken = null)
    {
        try
        {
            T result = await call();
            failures.Over(context.Method);
            return result;
        }
        catch (ProtocolViolationException e)
        {
            Note(context, e);
            throw Violation(context, e.Code, e.Message);
        }
        catch (InvalidProtocolBufferException)
        {
            throw Violation(context, ErrorCode.MalformedDocument, "A message of the stream is not a protobuf message of its type.");
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted && e.Trailers.Get(ErrorCatalogue.TrailerName) is null)
        {
            throw Violation(context, ErrorCode.LimitExceeded, $"A message of the stream is larger than {ProtocolLimits.MaxMessageBytes} bytes.");
        }
        catch (Exception e) when (e is not RpcException
            && (context.CancellationToken.IsCancellationRequested || (e is IOException && streamHasBroken?.Invoke() == true)))
        {
            // Reading may fail a moment before the call is seen to be cancelled. Every other I/O failure is the store's.
            LogBroken(context.Method, context.Peer);
            throw new RpcException(new Status(StatusCode.Cancelled, "The caller went away."));
        }
        catch (Exception e) when (e is not RpcException)
        {
            if (failures.IsNews(context.Method, e))
            {
                LogFailure(context.Method, context.Peer, e);
            }
            else
            {
                LogFailureAgain(context.Method, context.Peer, e.Message);
            }

            Metadata trailers = new() { { ErrorCatalogue.TrailerName, ((int)ErrorCode.Internal).ToString() } };
            throw new RpcException(new Status(StatusCode.Unavailable, "The server could not serve the call; try again."), trailers);
        }
    }

    // What somebody tries who is not who he says, or not what this server speaks with. Conflicts on this port are names that are taken.
    private void Note(ServerCallContext context, ProtocolViolationException violation)
    {
        if (violation.Code is (>= ErrorCode.NotEnrolled and <= ErrorCode.BadSignature) or ErrorCode.UnsupportedVersion or ErrorCode.Conflict)
        {
            string? named = CallerInterceptor.Of(context)?.DeviceId ?? violation.DeviceId;
            refused.Note(
                named is not null && registry.Find(named) is not null ? named : null,
                violation.Code,
                violation.Message,
                context.GetHttpContext().Connection.RemoteIpAddress?.ToString() ?? "");
        }
    }

    private RpcException Violation(ServerCallContext context, ErrorCode code, string message)
    {
        LogViolation(context.Method, context.Peer, code, message);
        Metadata trailers = new() { { ErrorCatalogue.TrailerName, ((int)code).ToString() } };
        return new RpcException(new Status(ErrorCatalogue.For(code).Status, message), trailers);
    }

    [LoggerMessage(20, LogLevel.Warning, "{Method} from {Peer} refused: {Code} {Detail}")]
    private partial void LogViolation(string method, string peer, ErrorCode code, string detail);

    [LoggerMessage(22, LogLevel.Debug, "{Method} from {Peer} broke off")]
    private partial void LogBroken(string method, string peer);

    [LoggerMessage(21, LogLevel.Error, "{Method} from {Peer} failed; until a call of it goes well, the same reason is not said again")]
    private partial void LogFailure(string method, string peer, Exception exception);

    [LoggerMessage(23, LogLevel.Debug, "{Method} from {Peer} failed again: {Reason}")]
    private partial void LogFailureAgain(string method, string peer, string reason);
}
