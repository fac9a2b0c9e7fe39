namespace Federated.Simulator.Faults;

/// <summary>
/// Who of one round's cohort may submit now, decided by modelled completion times alone. Once the whole cohort was assigned and every device
/// that drops out has said so, the survivors are ranked by modelled time; the first <c>goal</c> of them are admitted together (the server's
/// sum does not depend on their order), and the others only when those have all been acknowledged, so that they are late because the model
/// says so. A survivor that fails after all leaves its place to the next. Pure; not thread-safe.
/// </summary>
/// <param name="cohortSize">Devices selected for the round.</param>
/// <param name="goal">Updates the round wants.</param>
internal sealed class RoundGate(int cohortSize, int goal)
{
    private readonly HashSet<string> _assigned = new(StringComparer.Ordinal);
    private readonly SortedSet<(TimeSpan Time, string Device)> _survivors = new(ByTimeThenName.Instance);
    private readonly Dictionary<string, TimeSpan> _times = new(StringComparer.Ordinal);
    private readonly HashSet<string> _acknowledged = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private readonly HashSet<string> _announcing = new(StringComparer.Ordinal);

    /// <summary>Whether every device of the cohort has been assigned and has ended.</summary>
    public bool IsOver => _assigned.Count >= cohortSize && _ended.Count >= _assigned.Count;

    /// <summary>The device was selected and will be done after <paramref name="completion"/>.</summary>
    public void Assign(string device, TimeSpan completion)
    {
        if (_assigned.Add(device))
        {
            _times[device] = completion;
            _survivors.Add((completion, device));
        }
    }

    /// <summary>The device was selected and drops out.</summary>
    /// <param name="device">The device.</param>
    /// <param name="announced">
    /// Whether it tells the server: then nobody is admitted before it has, or the round might close and its record not count the loss.
    /// </param>
    public void AssignLost(string device, bool announced)
    {
        if (_assigned.Add(device) && announced)
        {
            _announcing.Add(device);
        }
    }

    /// <summary>The device's session ended: its update was acknowledged, or it gave up or was refused.</summary>
    public void End(string device, bool acknowledged)
    {
        if (!_assigned.Contains(device) || !_ended.Add(device))
        {
            return;
        }

        _announcing.Remove(device);
        if (acknowledged)
        {
            _acknowledged.Add(device);
        }
        else if (_times.TryGetValue(device, out TimeSpan time))
        {
            _survivors.Remove((time, device));
        }
    }

    /// <summary>Whether the device may submit now.</summary>
    public bool Admits(string device)
    {
        if (cohortSize <= goal || _acknowledged.Count >= goal)
        {
            return true;
        }

        return _assigned.Count >= cohortSize && _announcing.Count == 0 && _survivors.Take(goal).Any(survivor => survivor.Device == device);
    }

    private sealed class ByTimeThenName : IComparer<(TimeSpan Time, string Device)>
    {
        public static readonly ByTimeThenName Instance = new();

        public int Compare((TimeSpan Time, string Device) x, (TimeSpan Time, string Device) y)
        {
            int byTime = x.Time.CompareTo(y.Time);
            return byTime != 0 ? byTime : string.CompareOrdinal(x.Device, y.Device);
        }
    }
}
