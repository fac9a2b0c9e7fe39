using Federated.Server.Storage;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Server.Grpc;

/// <summary>Gives every failed call its status: violations of the protocol that of their code, failures of the server one that is retried.</summary>
internal sealed partial class ErrorInterceptor(CallRefusals refusals, MethodFailures failures, ILogger<ErrorInterceptor> logger) : Interceptor
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
            throw refusals.Of(context, e);
        }
        catch (InvalidProtocolBufferException)
        {
            throw refusals.Of(context, ErrorCode.MalformedDocument, "A message of the stream is not a protobuf message of its type.");
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted && e.Trailers.Get(ErrorCatalogue.TrailerName) is null)
        {
            throw refusals.Of(context, ErrorCode.LimitExceeded, $"A message of the stream is larger than {ProtocolLimits.MaxMessageBytes} bytes.");
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
            throw new RpcException(new Status(StatusCode.Unavailable, Told(e)), trailers);
        }
    }

    // Devices are told no names of blobs and accounts.
    private static string Told(Exception failure) => !StoreFailure.Is(failure) ? "The server could not serve the call; try again."
        : StoreFailure.OfTheSystem(failure) is { } said ? $"The server's store failed ({said}); try again."
        : "The server's store failed; try again.";

    [LoggerMessage(22, LogLevel.Debug, "{Method} from {Peer} broke off")]
    private partial void LogBroken(string method, string peer);

    [LoggerMessage(21, LogLevel.Error, "{Method} from {Peer} failed; until a call of it goes well, the same reason is not said again")]
    private partial void LogFailure(string method, string peer, Exception exception);

    [LoggerMessage(23, LogLevel.Debug, "{Method} from {Peer} failed again: {Reason}")]
    private partial void LogFailureAgain(string method, string peer, string reason);
}
