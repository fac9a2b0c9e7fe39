using System.Diagnostics.CodeAnalysis;

namespace Federated.Server.Rounds;

/// <summary>
/// What devices last told of themselves, by device, for those that were seen lately: one is forgotten when it was not seen for one to two lifetimes. There is nothing to go through for that:
/// whoever is seen moves to the younger of two tables, and once a lifetime the older one goes as a whole. Not thread-safe.
/// </summary>
/// <typeparam name="T">What they tell.</typeparam>
/// <param name="lifetime">For how long a device that is not seen is remembered at least; above 0.</param>
/// <param name="start">Now.</param>
internal sealed class SeenDevices<T>(TimeSpan lifetime, DateTimeOffset start)
    where T : class
{
    private Dictionary<string, T> _younger = new(StringComparer.Ordinal);
    private Dictionary<string, T> _older = new(StringComparer.Ordinal);
    private DateTimeOffset _since = start;

    /// <summary>Devices remembered.</summary>
    public int Count => _younger.Count + _older.Count;

    /// <summary>A device is seen now.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="told">What it tells.</param>
    /// <param name="now">Now.</param>
    /// <returns>What it told before; null when it is not remembered.</returns>
    public T? See(string deviceId, T told, DateTimeOffset now)
    {
        Turn(now);
        if (!_younger.TryGetValue(deviceId, out T? before))
        {
            _older.Remove(deviceId, out before);
        }

        _younger[deviceId] = told;
        return before;
    }

    /// <summary>What a device told last; false when it is not remembered.</summary>
    public bool TryGet(string deviceId, [NotNullWhen(true)] out T? told) => _younger.TryGetValue(deviceId, out told) || _older.TryGetValue(deviceId, out told);

    /// <summary>Forgets a device.</summary>
    public void Forget(string deviceId)
    {
        _younger.Remove(deviceId);
        _older.Remove(deviceId);
    }

    private void Turn(DateTimeOffset now)
    {
        TimeSpan passed = now - _since;
        if (passed < lifetime)
        {
            return;
        }

        // After two lifetimes without anybody both are old.
        (_older, _younger) = (passed < 2 * lifetime ? _younger : new Dictionary<string, T>(StringComparer.Ordinal), new Dictionary<string, T>(StringComparer.Ordinal));
        _since = now;
    }
}
