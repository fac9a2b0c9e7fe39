using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// The server's halves of the private path in reverse order: times the step, undo rotation and deal, divide by the summed
/// weights, scale by the inverse inclusion probability, spread over the parameters. One caller at a time.
/// </summary>
public sealed class LinearDecoder
{
    private readonly LinearRound _round;
    private readonly SharedIndexSet _set;
    private readonly float[] _coordinates;
    private readonly float[] _kept;

    /// <summary>A decoder of one round.</summary>
    /// <exception cref="ArgumentException">The settings contradict each other, or the set is not the round's.</exception>
    public LinearDecoder(LinearRound round, SharedIndexSet set)
    {
        Demand(round, set);
        _round = round;
        _set = set;
        _coordinates = new float[round.PaddedLength];
        _kept = new float[set.Indices.Count + round.Votes];
    }

    /// <summary>The devices' votes (<see cref="ResidualVotes"/>), summed, in the last sum that was decoded, up to a factor: [<see cref="LinearRound.Votes"/>].</summary>
    public ReadOnlySpan<float> Votes => _kept.AsSpan(_set.Indices.Count);

    /// <summary>Decodes the weighted mean of sums that are known as whole numbers, of one group or of several added up.</summary>
    /// <param name="totals">Coordinates centred, statistics as counts: [<see cref="LinearRound.FieldCount"/>].</param>
    /// <param name="clients">Clients in the sums; may exceed the most of one group.</param>
    /// <param name="mean">[P].</param>
    /// <returns>The summed statistics.</returns>
    /// <exception cref="ArgumentException">A length is another, or there are fewer clients than the round's least.</exception>
    /// <exception cref="ProtocolViolationException">
    /// The summed statistics are impossible: some client did not follow the round.
    /// </exception>
    public LinearStatistics Decode(ReadOnlySpan<long> totals, int clients, Span<float> mean)
    {
        if (totals.Length != _round.FieldCount || clients < _round.MinClients)
        {
            throw new ArgumentException(
                $"{totals.Length} fields of {clients} clients; the round has {_round.FieldCount} fields of at least {_round.MinClients} clients.", nameof(totals));
        }

        Span<float> coordinates = _coordinates;
        LinearStatistics statistics = LinearStatistics.ReadSums(_round, totals[coordinates.Length..], clients);
        double factor = _round.Step * _round.MaxExamples / statistics.Examples;
        for (int i = 0; i < coordinates.Length; i++)
        {
            coordinates[i] = (float)(totals[i] * factor);
        }

        HadamardRotation.Invert(coordinates, _round.RotationBlock, _round.Seed);
        BlockDeal.Collect(coordinates, _round.RotationBlock, _kept);
        Span<float> values = _kept.AsSpan(0, _set.Indices.Count);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] *= _set.ScaleOf(i);
        }

        _set.Indices.Scatter(values, mean);
        return statistics;
    }

    /// <summary>Demands that round and set are possible and belong together.</summary>
    internal static void Demand(LinearRound round, SharedIndexSet set)
    {
        ArgumentNullException.ThrowIfNull(round);
        ArgumentNullException.ThrowIfNull(set);
        if (round.Problem() is { } problem)
        {
            throw new ArgumentException(problem, nameof(round));
        }

        if (set.Kind != round.IndexSet || set.Indices.ParameterCount != round.ParameterCount || set.Indices.Count > round.SetSize)
        {
            throw new ArgumentException(
                $"A {set.Kind} set of {set.Indices.Count} of {set.Indices.ParameterCount} is not the round's: {round.IndexSet}, {round.SetSize} of {round.ParameterCount}.", nameof(set));
        }
    }
}
