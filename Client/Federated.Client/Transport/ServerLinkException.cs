using Federated.Shared.Protocol;

namespace Federated.Client.Transport;

/// <summary>A call to the server failed.</summary>
public sealed class ServerLinkException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ServerLinkException(string message, bool retriable, ErrorCode? code = null, Exception? inner = null)
        : base(message, inner)
    {
        Retriable = retriable;
        Code = code;
    }

    /// <summary>Whether the same call may succeed later: the server is away, restarts or sheds load, or the stream broke.</summary>
    public bool Retriable { get; }

    /// <summary>What the server said was wrong; null when the transport failed.</summary>
    public ErrorCode? Code { get; }
}
