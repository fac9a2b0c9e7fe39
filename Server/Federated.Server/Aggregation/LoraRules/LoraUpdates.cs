using System.Collections.Frozen;
using Federated.Shared.Models;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// A round's updates as the edge sees them: how many parameters a device's has, and what it becomes in the sum. Immutable; thread-safe.
/// </summary>
internal sealed class LoraUpdates
{
    private readonly ILoraRule _rule;
    private readonly long _round;
    private readonly FrozenDictionary<string, int> _ranks;
    private readonly FrozenDictionary<int, int> _sentCounts;
    private readonly ReadOnlyMemory<float> _start;

    /// <summary>The updates of a round.</summary>
    /// <param name="rule">The job's rule.</param>
    /// <param name="layout">The package's adapter.</param>
    /// <param name="round">From 1.</param>
    /// <param name="ranks">Rank by device; devices that are left out have 0, each target's own.</param>
    /// <param name="start">The round's adapter: [P]; may be empty for a rule that sums updates as sent.</param>
    public LoraUpdates(ILoraRule rule, LoraLayout layout, long round, IEnumerable<KeyValuePair<string, int>> ranks, ReadOnlyMemory<float> start)
    {
        _rule = rule;
        _round = round;
        _start = start;
        _ranks = ranks.ToFrozenDictionary(StringComparer.Ordinal);
        SumLength = rule.SumLength(round);
        _sentCounts = _ranks.Values.Append(0).Distinct().ToFrozenDictionary(
            rank => rank, rank => ParameterSelection.Of(layout, rule.Roles(round), ParameterRole.Sent, rank).Length);
    }

    /// <summary>S.</summary>
    public int SumLength { get; }

    /// <summary>Whether updates go into the sum as they are.</summary>
    public bool SumsUpdatesAsSent => _rule.SumsUpdatesAsSent;

    /// <summary>Parameters in a device's update.</summary>
    public int SentCount(string deviceId) => _sentCounts[Rank(deviceId)];

    /// <summary>Maps an update to what is summed.</summary>
    /// <param name="deviceId">Whose it is.</param>
    /// <param name="sent">[<see cref="SentCount"/>], finite.</param>
    /// <param name="examples">Its weight.</param>
    /// <param name="sum">[S], overwritten.</param>
    public void Expand(string deviceId, ReadOnlySpan<float> sent, int examples, Span<float> sum) =>
        _rule.Expand(new LoraUpdate(sent, _round, Rank(deviceId), examples), _start.Span, sum);

    private int Rank(string deviceId) => _ranks.GetValueOrDefault(deviceId);
}
