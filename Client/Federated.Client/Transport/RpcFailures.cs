using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Client.Transport;

/// <summary>Maps what gRPC throws, once, to what a session acts on.</summary>
internal static class RpcFailures
{
    /// <summary>Whether a call failed so: writes to a broken stream surface as what the HTTP stack throws, unwrapped.</summary>
    public static bool IsFailedCall(Exception exception) =>
        exception is RpcException or OperationCanceledException or IOException or HttpRequestException;

    /// <summary>
    /// Gives the exception to throw instead: cancellation when the token was cancelled, <see cref="ServerLinkException"/> for a failed call.
    /// </summary>
    /// <returns>False when the exception is a defect and must stay what it is.</returns>
    public static bool TryTranslate(Exception exception, CancellationToken cancellationToken, out Exception translated)
    {
        translated = exception;
        if (!IsFailedCall(exception))
        {
            return false;
        }

        translated = cancellationToken.IsCancellationRequested
            ? new OperationCanceledException("The call was cancelled.", exception, cancellationToken)
            : exception is RpcException rpc
                ? Translate(rpc)
                : new ServerLinkException($"The call broke off: {exception.Message}", retriable: true, inner: exception);
        return true;
    }

    private static ServerLinkException Translate(RpcException rpc)
    {
        ErrorCode? code = rpc.Trailers.Get(ErrorCatalogue.TrailerName) is { } trailer
            && int.TryParse(trailer.Value, out int number)
            && Enum.IsDefined((ErrorCode)number)
            ? (ErrorCode)number
            : null;
        if (code is null && IsForeignServer(rpc))
        {
            // Retriable, because a device in a network with a portal of its own must come back by itself when it leaves that network.
            return new ServerLinkException(
                "The TLS handshake failed and nothing was sent: the port speaks no TLS, or the server's certificate is not from this device's authority, or it is out of its time by this device's clock.",
                retriable: true,
                ErrorCode.ForeignServer,
                rpc);
        }

        bool retriable = code is { } known ? ErrorCatalogue.For(known).Retriable : IsTransport(rpc.StatusCode);
        return new ServerLinkException($"The server call failed ({rpc.StatusCode}): {rpc.Status.Detail}", retriable, code, rpc);
    }

    private static bool IsForeignServer(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e is RpcException rpc ? rpc.Status.DebugException : e.InnerException)
        {
            // A failed handshake of any other kind carries the library's own exception inside.
            if (e is System.Security.Authentication.AuthenticationException { InnerException: null })
            {
                return true;
            }
        }

        return false;
    }

    // Without a code of the catalogue the status comes from gRPC itself or a proxy: a broken connection shows as any of these.
    private static bool IsTransport(StatusCode status) => status is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Unknown
        or StatusCode.Cancelled or StatusCode.Aborted or StatusCode.DeadlineExceeded;
}
