using System.Globalization;
using System.Net.Sockets;
using Federated.Server.Identity;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Server.Grpc;

/// <summary>The one place where a protocol violation becomes a gRPC status; the code's number travels in a trailer. Each is a line of the log.</summary>
internal sealed partial class CallRefusals(RefusedCalls refused, DeviceRegistry registry, ILogger<CallRefusals> logger)
{
    /// <summary>The status of a violation that a call has run into.</summary>
    public RpcException Of(ServerCallContext context, ProtocolViolationException violation)
    {
        Note(violation, CallerInterceptor.Of(context)?.DeviceId, context.GetHttpContext().Connection);
        return Of(context, violation.Code, violation.Message);
    }

    /// <summary>The status of what is wrong with a call and says nothing of who made it.</summary>
    public RpcException Of(ServerCallContext context, ErrorCode code, string message)
    {
        LogViolation(context.Method, context.Peer, code, message);
        Metadata trailers = new() { { ErrorCatalogue.TrailerName, NumberOf(code) } };
        return new RpcException(new Status(ErrorCatalogue.For(code).Status, message), trailers);
    }

    /// <summary>Answers a request that has not become a call yet with the status of a violation. Trailers without a body are sent as headers.</summary>
    public void Answer(HttpContext context, IMethod method, ProtocolViolationException violation)
    {
        Note(violation, CallerGate.Of(context)?.DeviceId, context.Connection);
        LogViolation(method.FullName, PeerOf(context.Connection), violation.Code, violation.Message);
        HttpResponse response = context.Response;
        response.ContentType = "application/grpc";
        response.Headers.GrpcStatus = ((int)ErrorCatalogue.For(violation.Code).Status).ToString(CultureInfo.InvariantCulture);
        response.Headers.GrpcMessage = Uri.EscapeDataString(violation.Message);
        response.Headers[ErrorCatalogue.TrailerName] = NumberOf(violation.Code);
    }

    // What somebody tries who is not who he says, or not what this server speaks with. Conflicts on this port are names that are taken.
    private void Note(ProtocolViolationException violation, string? caller, ConnectionInfo connection)
    {
        if (violation.Code is (>= ErrorCode.NotEnrolled and <= ErrorCode.BadSignature) or ErrorCode.UnsupportedVersion or ErrorCode.Conflict)
        {
            string? named = caller ?? violation.DeviceId;
            refused.Note(
                named is not null && registry.Find(named) is not null ? named : null,
                violation.Code,
                violation.Message,
                connection.RemoteIpAddress?.ToString() ?? "");
        }
    }

    private static string NumberOf(ErrorCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);

    // As gRPC writes it.
    private static string PeerOf(ConnectionInfo connection) => connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6 } address => $"ipv6:[{address}]:{connection.RemotePort}",
        { } address => $"ipv4:{address}:{connection.RemotePort}",
    };

    [LoggerMessage(20, LogLevel.Warning, "{Method} from {Peer} refused: {Code} {Detail}")]
    private partial void LogViolation(string method, string peer, ErrorCode code, string detail);
}
