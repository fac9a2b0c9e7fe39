using Federated.Server.Identity;
using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Server.Grpc;

/// <summary>Notes which device makes a call that <see cref="CallerGate"/> let in, and that it has its certificate. A call that came past the gate is refused.</summary>
internal sealed class CallerInterceptor(DeviceRegistry registry) : Interceptor
{
    private const string Key = "federated-caller";

    /// <summary>The device that calls; null when devices are who they say they are.</summary>
    public static EnrolledDevice? Of(ServerCallContext context) => context.UserState.TryGetValue(Key, out object? caller) ? (EnrolledDevice)caller : null;

    /// <inheritdoc/>
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await continuation(request, context);
    }

    /// <inheritdoc/>
    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await continuation(requestStream, context);
    }

    /// <inheritdoc/>
    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await continuation(request, responseStream, context);
    }

    /// <inheritdoc/>
    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await continuation(requestStream, responseStream, context);
    }

    private async Task AdmitAsync(ServerCallContext context)
    {
        if (CallerGate.IsOpen(context.Method))
        {
            return;
        }

        EnrolledDevice device = CallerGate.Of(context.GetHttpContext())
            ?? throw new ProtocolViolationException(ErrorCode.NotEnrolled, "Nobody has looked at the certificate of this call.");
        if (!device.Confirmed)
        {
            // From now on its token gives nobody a certificate, not even who replays the request.
            device = await registry.ChangeAsync(device.DeviceId, found => found with { Confirmed = true }, context.CancellationToken);
        }

        context.UserState[Key] = device;
    }
}
