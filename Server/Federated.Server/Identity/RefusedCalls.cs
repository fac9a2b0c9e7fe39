namespace Federated.Server.Identity;

/// <summary>Calls that were refused for the identity of who made them, alike in code and detail.</summary>
/// <param name="Code">The catalogue code's name.</param>
/// <param name="Detail">What was wrong.</param>
/// <param name="At">When the last of them came.</param>
/// <param name="Peer">The address that the last of them came from; empty when it is not known.</param>
/// <param name="Times">How many there were.</param>
public sealed record RefusedCall(string Code, string Detail, DateTimeOffset At, string Peer = "", long Times = 1);

/// <summary>Refused calls that no enrolled device can be named for.</summary>
/// <param name="Total">How many there were since the server started.</param>
/// <param name="Calls">The latest, newest first.</param>
public sealed record StrangerCalls(long Total, IReadOnlyList<RefusedCall> Calls);

/// <summary>
/// The latest refused calls, by the enrolled device that they concern, and those of strangers, since this process started. Calls that are alike are one entry with a count, and there are
/// few entries of each: who calls a million times fills nothing. Thread-safe.
/// </summary>
internal sealed class RefusedCalls(TimeProvider time)
{
    /// <summary>Entries kept of a device.</summary>
    public const int KeptOfDevice = 8;

    /// <summary>Entries kept of strangers.</summary>
    public const int KeptOfStrangers = 20;

    /// <summary>How long a refused call is shown with the list of devices; a device's history has it for longer.</summary>
    public static readonly TimeSpan Recent = TimeSpan.FromDays(1);

    private const int MaxDetailLength = 300;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<RefusedCall>> _devices = new(StringComparer.Ordinal);
    private readonly List<RefusedCall> _strangers = [];
    private long _ofStrangers;
    private long _total;

    /// <summary>How many there were since this process started.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Notes a refused call.</summary>
    /// <param name="deviceId">The enrolled device that it concerns; null for a stranger's.</param>
    /// <param name="code">Why it was refused.</param>
    /// <param name="detail">What was wrong.</param>
    /// <param name="peer">Where it came from.</param>
    public void Note(string? deviceId, ErrorCode code, string detail, string peer)
    {
        string text = detail.Length <= MaxDetailLength ? detail : string.Concat(detail.AsSpan(0, MaxDetailLength - 1), "…");
        Note(deviceId, code.ToString(), text, peer);
    }

    /// <summary>Notes a connection that ended before there was a call.</summary>
    public void NoteNoHandshake(string peer) => Note(null, "NoHandshake", "The connection brought no TLS 1.3 handshake.", peer);

    /// <summary>The latest of a device, newest first.</summary>
    public IReadOnlyList<RefusedCall> Of(string deviceId)
    {
        lock (_gate)
        {
            return _devices.TryGetValue(deviceId, out List<RefusedCall>? calls) ? [.. calls.AsEnumerable().Reverse()] : [];
        }
    }

    /// <summary>The latest of a device; null when there was none within <see cref="Recent"/>.</summary>
    public RefusedCall? Last(string deviceId)
    {
        DateTimeOffset since = time.GetUtcNow() - Recent;
        lock (_gate)
        {
            return _devices.TryGetValue(deviceId, out List<RefusedCall>? calls) && calls[^1].At >= since ? calls[^1] : null;
        }
    }

    /// <summary>Those of strangers.</summary>
    public StrangerCalls OfStrangers()
    {
        lock (_gate)
        {
            return new StrangerCalls(_ofStrangers, [.. _strangers.AsEnumerable().Reverse()]);
        }
    }

    private void Note(string? deviceId, string code, string detail, string peer)
    {
        lock (_gate)
        {
            List<RefusedCall>? calls = _strangers;
            if (deviceId is null)
            {
                _ofStrangers++;
            }
            else if (!_devices.TryGetValue(deviceId, out calls))
            {
                _devices[deviceId] = calls = [];
            }

            // The newest stands last.
            int index = calls.FindIndex(call => call.Code == code && call.Detail == detail);
            long times = 1;
            if (index >= 0)
            {
                times += calls[index].Times;
                calls.RemoveAt(index);
            }
            else if (calls.Count == (deviceId is null ? KeptOfStrangers : KeptOfDevice))
            {
                calls.RemoveAt(0);
            }

            calls.Add(new RefusedCall(code, detail, time.GetUtcNow(), peer, times));
        }

        Interlocked.Increment(ref _total);
    }
}
