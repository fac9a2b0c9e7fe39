using System.Collections.Concurrent;

namespace Federated.Server.Grpc;

/// <summary>
/// The facts of the rounds that were asked for last. Of a job whose facts hold the round's adapter, those of earlier rounds leave with the next one: they are as large as the
/// model, and few will still ask for them. Thread-safe.
/// </summary>
internal sealed class RecentRounds
{
    /// <summary>Rounds kept at most, of all jobs.</summary>
    public const int MaxRounds = 64;

    private readonly ConcurrentDictionary<(string JobId, long Round), RoundFacts> _rounds = new();
    private readonly ConcurrentDictionary<(string JobId, long Round), Lazy<Task<RoundFacts?>>> _inTheMaking = new();
    private readonly List<(string JobId, long Round)> _order = [];
    private readonly Lock _lock = new();

    /// <summary>The round's facts; null when they are not kept.</summary>
    public RoundFacts? Find(string jobId, long round) => _rounds.GetValueOrDefault((jobId, round));

    /// <summary>
    /// The round's facts, made when they are not kept; null when there is no such round. Whoever asks while they are being made waits for the same ones: a cohort's first
    /// updates come at once, and the facts may be as large as the model. What fails fails for all who wait, and the next one tries again.
    /// </summary>
    public async ValueTask<RoundFacts?> FindOrMakeAsync(string jobId, long round, Func<Task<RoundFacts?>> make)
    {
        if (Find(jobId, round) is { } known)
        {
            return known;
        }

        (string, long) key = (jobId, round);
        Lazy<Task<RoundFacts?>> making = _inTheMaking.GetOrAdd(key, _ => new Lazy<Task<RoundFacts?>>(MakeAsync));
        try
        {
            return await making.Value;
        }
        finally
        {
            _inTheMaking.TryRemove(KeyValuePair.Create(key, making));
        }

        // Kept before they are no longer in the making, so that nobody finds neither.
        async Task<RoundFacts?> MakeAsync() => Find(jobId, round) ?? (await make() is { } made ? Keep(made) : null);
    }

    /// <summary>Keeps a round's facts.</summary>
    /// <returns>What is kept of the round: what was there before, if there was something.</returns>
    public RoundFacts Keep(RoundFacts facts)
    {
        (string JobId, long Round) added = (facts.Start.JobId, facts.Start.Round);
        lock (_lock)
        {
            if (_rounds.TryGetValue(added, out RoundFacts? known))
            {
                return known;
            }

            if (facts.ExpandedBytes > 0)
            {
                _order.RemoveAll(earlier => earlier.JobId == added.JobId && earlier.Round < added.Round && _rounds.TryRemove(earlier, out _));
            }

            if (_order.Count == MaxRounds)
            {
                _rounds.TryRemove(_order[0], out _);
                _order.RemoveAt(0);
            }

            _rounds[added] = facts;
            _order.Add(added);
            return facts;
        }
    }
}
