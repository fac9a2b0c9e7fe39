using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;

namespace Federated.Shared.Updates.Linear;

/// <summary>
/// The server's halves of the private path in reverse order: centre the sums, times the step, undo the rotation, divide by the summed
/// weights, scale by the inverse inclusion probability, spread over the parameters. One caller at a time.
/// </summary>
public sealed class LinearDecoder
{
    private readonly LinearRound _round;
    private readonly SharedIndexSet _set;
    private readonly float[] _coordinates;

    /// <summary>A decoder of one round.</summary>
    /// <exception cref="ArgumentException">The settings contradict each other, or the set is not the round's.</exception>
    public LinearDecoder(LinearRound round, SharedIndexSet set)
    {
        Demand(round, set);
        _round = round;
        _set = set;
        _coordinates = new float[round.PaddedLength];
    }

    /// <summary>Decodes the weighted mean of the summed updates.</summary>
    /// <param name="sums">Sums of the clients' fields modulo 2^b: [<see cref="LinearRound.FieldCount"/>].</param>
    /// <param name="clients">Clients in the sum.</param>
    /// <param name="mean">[P].</param>
    /// <returns>Summed example counts, each at most <see cref="LinearRound.MaxExamples"/>.</returns>
    /// <exception cref="ArgumentException">A length is another, or the count not between the round's least and most.</exception>
    /// <exception cref="ProtocolViolationException">
    /// The summed example counts are impossible: some client did not follow the round.
    /// </exception>
    public long Decode(ReadOnlySpan<uint> sums, int clients, Span<float> mean)
    {
        if (sums.Length != _round.FieldCount || clients < _round.MinClients || clients > _round.MaxClients)
        {
            throw new ArgumentException(
                $"{sums.Length} fields of {clients} clients; the round has {_round.FieldCount} fields of {_round.MinClients} to {_round.MaxClients} clients.", nameof(sums));
        }

        long weight = RingScalar.ReadSum(sums[_coordinates.Length..], _round.WidthBits, _round.MaxClients);
        if (weight < clients || weight > (long)clients * _round.MaxExamples)
        {
            throw new ProtocolViolationException(
                ErrorCode.MalformedDocument, $"{clients} clients sum up to {weight} examples; each has 1 to {_round.MaxExamples}.");
        }

        Span<float> coordinates = _coordinates;
        StochasticQuantizer.Dequantize(sums[..coordinates.Length], _round.WidthBits, (float)(_round.Step * _round.MaxExamples / weight), coordinates);
        HadamardRotation.Invert(coordinates, _round.RotationBlock, _round.Seed);
        Span<float> kept = coordinates[.._set.Indices.Count];
        for (int i = 0; i < kept.Length; i++)
        {
            kept[i] *= _set.ScaleOf(i);
        }

        _set.Indices.Scatter(kept, mean);
        return weight;
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
