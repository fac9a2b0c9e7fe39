using Federated.Server.Identity;
using Federated.Shared.Protos;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Server.Grpc;

/// <summary>Lets a call pass when it comes from an enrolled device, and notes which. Enrollment itself is open to everyone.</summary>
internal sealed class CallerInterceptor(CallerCheck check, DeviceRegistry registry) : Interceptor
{
    private const string Key = "federated-caller";

    private static readonly string _authority = Full(nameof(EnrollmentService.EnrollmentServiceBase.Authority));
    private static readonly string _enroll = Full(nameof(EnrollmentService.EnrollmentServiceBase.Enroll));
    private static readonly string _renew = Full(nameof(EnrollmentService.EnrollmentServiceBase.Renew));

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
        if (context.Method == _authority || context.Method == _enroll)
        {
            return;
        }

        EnrolledDevice device = check.Demand(context.GetHttpContext().Connection.ClientCertificate, mayBeExpired: context.Method == _renew);
        if (!device.Confirmed)
        {
            // From now on its token gives nobody a certificate, not even who replays the request.
            device = await registry.ChangeAsync(device.DeviceId, found => found with { Confirmed = true }, context.CancellationToken);
        }

        context.UserState[Key] = device;
    }

    private static string Full(string method) => $"/{EnrollmentService.Descriptor.FullName}/{method}";
}
