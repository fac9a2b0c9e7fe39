using Federated.Server.Rounds;

namespace Federated.Server.Grains;

/// <summary>
/// Counts submissions that were not accepted, by round and outcome. While a round is open every one counts, but a late device once, however often it
/// tries. Of a closed round a device and outcome count once, and only for a while: its record is rewritten for each. In memory: what was refused in a
/// round that a crash interrupts is not in that round's record, and what comes for a round that closed before the process began is not counted.
/// </summary>
internal sealed class RefusalTally
{
    /// <summary>The outcome that a record shows as late.</summary>
    public const string Late = "late";

    /// <summary>The outcome of an update for a round that was abandoned.</summary>
    public const string RoundAbandoned = "round-abandoned";

    private readonly Dictionary<long, SortedDictionary<string, int>> _counts = [];
    private readonly HashSet<long> _closed = [];
    private readonly HashSet<(long Round, string DeviceId, string Outcome)> _once = [];

    /// <summary>Counts a refusal in the round under way.</summary>
    public void Add(long round, string deviceId, string outcome)
    {
        if (outcome != Late || _once.Add((round, deviceId, outcome)))
        {
            Count(round, outcome);
        }
    }

    /// <summary>Counts a refusal in a closed round; false when it was counted before, or the round's record does not change any more.</summary>
    public bool AddToClosed(long round, string deviceId, string outcome)
    {
        if (!_closed.Contains(round) || !_once.Add((round, deviceId, outcome)))
        {
            return false;
        }

        Count(round, outcome);
        return true;
    }

    /// <summary>The job's last round has closed: it may be counted in for as long as it is kept, and what is older may not be any more.</summary>
    public void Close(long round)
    {
        _closed.Add(round);
        _closed.RemoveWhere(closed => closed <= round - JobRetention.KeptRounds);
        _once.RemoveWhere(counted => counted.Round <= round - JobRetention.KeptRounds);
    }

    private void Count(long round, string outcome)
    {
        if (!_counts.TryGetValue(round, out SortedDictionary<string, int>? counts))
        {
            _counts[round] = counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        }

        counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
    }

    private RoundRecord AddTo(RoundRecord record)
    {
        if (!_counts.TryGetValue(record.Round, out SortedDictionary<string, int>? counts))
        {
            return record;
        }

        SortedDictionary<string, int> refused = new(StringComparer.Ordinal);
        foreach ((string outcome, int count) in record.Refused.Concat(counts.Where(pair => pair.Key != Late)))
        {
            refused[outcome] = refused.GetValueOrDefault(outcome) + count;
        }

        return record with { Refused = refused, Late = record.Late + counts.GetValueOrDefault(Late) };
    }

    /// <summary>Adds the counts of the record's round to it and forgets them, and those of earlier rounds.</summary>
    public RoundRecord TakeInto(RoundRecord record)
    {
        RoundRecord result = AddTo(record);
        foreach (long round in _counts.Keys.Where(round => round <= record.Round).ToArray())
        {
            _counts.Remove(round);
        }

        return result;
    }
}
