using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace Federated.Client.Transport;

/// <summary>Why a server could not be reached, in words for a person: the innermost cause instead of what the layers above it say.</summary>
internal static class ConnectionFailure
{
    /// <summary>The reason; begins in small letters where it is one of those that have words of their own, and has no full stop.</summary>
    /// <param name="failure">What a call threw.</param>
    public static string ReasonOf(Exception failure)
    {
        Exception innermost = failure;
        for (Exception? e = failure; e is not null; e = InnerOf(e))
        {
            if (Known(e) is { } words)
            {
                return words;
            }

            innermost = e;
        }

        return innermost.Message.TrimEnd('.');
    }

    private static Exception? InnerOf(Exception exception) => exception is RpcException rpc ? rpc.Status.DebugException : exception.InnerException;

    private static string? Known(Exception exception) => exception switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "the connection was refused; nothing listens there, or a firewall is in the way",
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => "its name is not known",
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown or SocketError.HostDown } =>
            "there is no way to it from here",
        SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown } => "the connection was broken off",
        SocketException { SocketErrorCode: SocketError.TimedOut } or TimeoutException => "nothing answered in time",
        RpcException { StatusCode: StatusCode.DeadlineExceeded, Status.DebugException: null } => "nothing answered in time",
        AuthenticationException refused => $"the TLS handshake failed: {refused.GetBaseException().Message.TrimEnd('.')}",
        _ => null,
    };
}
