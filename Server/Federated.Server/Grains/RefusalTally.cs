using Federated.Server.Rounds;

namespace Federated.Server.Grains;

/// <summary>
/// Counts submissions that were not accepted, by round and outcome. Late devices are counted once each, however often they try. In memory:
/// what was refused in a round that a crash interrupts is not in that round's record.
/// </summary>
internal sealed class RefusalTally
{
    /// <summary>The outcome that a record shows as late.</summary>
    public const string Late = "late";

    /// <summary>The outcome of an update for a round that was abandoned.</summary>
    public const string RoundAbandoned = "round-abandoned";

    // Rounds after which a device that is late again counts again: nothing is remembered for ever.
    private const int RememberedRounds = 8;

    private readonly Dictionary<long, SortedDictionary<string, int>> _counts = [];
    private readonly HashSet<(long Round, string DeviceId)> _late = [];

    /// <summary>Counts one refusal; false when it was counted before.</summary>
    public bool Add(long round, string deviceId, string outcome)
    {
        if (outcome == Late && !_late.Add((round, deviceId)))
        {
            return false;
        }

        if (!_counts.TryGetValue(round, out SortedDictionary<string, int>? counts))
        {
            _counts[round] = counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        }

        counts[outcome] = counts.GetValueOrDefault(outcome) + 1;
        return true;
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

        _late.RemoveWhere(late => late.Round < record.Round - RememberedRounds);
        return result;
    }
}
