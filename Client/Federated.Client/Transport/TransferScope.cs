using Federated.Client.Session;

namespace Federated.Client.Transport;

/// <summary>What the transfers of one assigned round share.</summary>
/// <param name="link">The way to the server.</param>
/// <param name="deviceId">Who transfers.</param>
/// <param name="counter">Counts what passes.</param>
/// <param name="backoff">Paces attempts after a failure.</param>
/// <param name="deadline">When the round closes, as a timestamp of <paramref name="time"/>.</param>
/// <param name="time">The clock.</param>
public sealed class TransferScope(IServerLink link, string deviceId, ByteCounter counter, Backoff backoff, long deadline, TimeProvider time)
{
    /// <summary>The way to the server.</summary>
    public IServerLink Link { get; } = link;

    /// <summary>Who transfers.</summary>
    public string DeviceId { get; } = deviceId;

    /// <summary>Counts what passes.</summary>
    public ByteCounter Counter { get; } = counter;

    /// <summary>Paces attempts after a failure.</summary>
    public Backoff Backoff { get; } = backoff;

    /// <summary>Holds transfers up when the device has to do without them; nobody when null.</summary>
    internal IRoundPacing? Pacing { get; init; }

    /// <summary>Time left until the round closes; at least a millisecond, so that a call made too late fails in the server's words.</summary>
    public TimeSpan Remaining
    {
        get
        {
            TimeSpan left = time.GetElapsedTime(time.GetTimestamp(), deadline);
            return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
        }
    }
}
