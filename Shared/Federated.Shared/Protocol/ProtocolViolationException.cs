namespace Federated.Shared.Protocol;

/// <summary>
/// Something from outside breaks the protocol. The message is safe to show to the sender: it names what was wrong, the value,
/// the limit and the way out, and never holds payload bytes.
/// </summary>
public sealed class ProtocolViolationException : Exception
{
    /// <summary>Creates the exception for a catalogue code.</summary>
    public ProtocolViolationException(ErrorCode code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>The catalogue code.</summary>
    public ErrorCode Code { get; }

    /// <summary>The device that the violation concerns, for those who look at that device; null when it concerns none that is known.</summary>
    public string? DeviceId { get; init; }
}
