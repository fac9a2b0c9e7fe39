using Federated.Server.Identity;
using Federated.Shared.Protocol;
using Federated.Shared.Protos;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>
/// Lets a call pass when it comes from an enrolled device, and notes which. It stands in front of gRPC, which reads the message of a call before it asks anybody: who is not
/// let in has nothing read, and nothing kept. Enrollment itself is open to everyone.
/// </summary>
internal sealed class CallerGate(RequestDelegate next, CallerCheck check, CallRefusals refusals)
{
    private static readonly string _authority = Full(nameof(EnrollmentService.EnrollmentServiceBase.Authority));
    private static readonly string _enroll = Full(nameof(EnrollmentService.EnrollmentServiceBase.Enroll));
    private static readonly string _renew = Full(nameof(EnrollmentService.EnrollmentServiceBase.Renew));

    /// <summary>The device that makes a request; null when the call is open to everyone, or devices are who they say they are.</summary>
    public static EnrolledDevice? Of(HttpContext context) => context.Features.Get<EnrolledDevice>();

    /// <summary>Whether a call needs no certificate.</summary>
    /// <param name="method">Its full name, with the service.</param>
    public static bool IsOpen(string method) => method == _authority || method == _enroll;

    /// <summary>Passes the request on or answers it.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        IMethod? method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
        if (method is null || IsOpen(method.FullName))
        {
            return next(context);
        }

        try
        {
            context.Features.Set(check.Demand(context.Connection.ClientCertificate, mayBeExpired: method.FullName == _renew));
        }
        catch (ProtocolViolationException e)
        {
            refusals.Answer(context, method, e);
            return Task.CompletedTask;
        }

        return next(context);
    }

    private static string Full(string method) => $"/{EnrollmentService.Descriptor.FullName}/{method}";
}
