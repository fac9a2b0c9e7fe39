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
    /// <param name="exception">What the call threw.</param>
    /// <param name="server">Whom it was to reach.</param>
    /// <param name="cancellationToken">Whose cancellation is none of the server's doing.</param>
    /// <param name="translated">The exception to throw.</param>
    /// <returns>False when the exception is a defect and must stay what it is.</returns>
    public static bool TryTranslate(Exception exception, Uri server, CancellationToken cancellationToken, out Exception translated)
    {
        translated = exception;
        if (!IsFailedCall(exception))
        {
            return false;
        }

        translated = cancellationToken.IsCancellationRequested
            ? new OperationCanceledException("The call was cancelled.", exception, cancellationToken)
            : exception is RpcException rpc
                ? Translate(rpc, AddressOf(server))
                : new ServerLinkException($"The call to {AddressOf(server)} broke off: {ConnectionFailure.ReasonOf(exception)}.", retriable: true, inner: exception);
        return true;
    }

    private static string AddressOf(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private static ServerLinkException Translate(RpcException rpc, string server)
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
                $"The TLS handshake with {server} failed and nothing was sent: the port speaks no TLS, or the server's certificate is not from this device's authority, or it is out of its time by this device's clock.",
                retriable: true,
                ErrorCode.ForeignServer,
                rpc);
        }

        bool retriable = code is { } known ? ErrorCatalogue.For(known).Retriable : IsTransport(rpc.StatusCode);

        // What gRPC says itself of a call that got nowhere names neither the server nor the cause.
        string message = code is null && (rpc.Status.DebugException is not null || rpc.StatusCode == StatusCode.DeadlineExceeded)
            ? $"The call to {server} failed: {ConnectionFailure.ReasonOf(rpc)}."
            : $"The call to {server} failed ({rpc.StatusCode}): {rpc.Status.Detail}";
        return new ServerLinkException(message, retriable, code, rpc);
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
