using Federated.Shared.Models;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;

namespace Federated.Server.Jobs;

/// <summary>
/// Finds the index set of each round of a job with the linear codec, and counts the votes for later ones. A round's set follows from what was committed before
/// it, so that the commit finds the set again that the devices were told. One caller at a time.
/// </summary>
/// <param name="scores">Scores of a voted set, one for each parameter that is sent; empty for the other kinds.</param>
internal sealed class JobIndexSets(float[] scores)
{
    /// <summary>Share of a momentum set that is taken for certain.</summary>
    private const double CertainShare = 0.5;

    private readonly ResidualVotes? _votes = scores.Length == 0 ? null : new ResidualVotes(scores);

    /// <summary>The scores as a checkpoint keeps them, followed by zeros: [P]; null for sets without votes.</summary>
    /// <param name="parameterCount">P.</param>
    public float[]? ToMemory(int parameterCount)
    {
        if (_votes is null)
        {
            return null;
        }

        float[] memory = new float[parameterCount];
        scores.CopyTo(memory, 0);
        return memory;
    }

    /// <summary>The set of a round.</summary>
    /// <param name="round">Its fields.</param>
    /// <param name="momentum">The server's momentum of what the round sends: [P]; for a momentum set alone.</param>
    public SharedIndexSet SetOf(LinearRound round, ReadOnlySpan<float> momentum)
    {
        switch (round.IndexSet)
        {
            case IndexSetKind.Momentum when round.SetSize > 1:
                int certain = (int)(CertainShare * round.SetSize);
                return SharedIndexSet.Momentum(round.Seed, momentum, certain, round.SetSize - certain);
            case IndexSetKind.Voted when _votes is not null:
                return _votes.Elect(round.Seed, round.SetSize);
            case IndexSetKind.Random:
                return SharedIndexSet.Random(round.Seed, round.ParameterCount, round.SetSize);
            default:
                throw new ArgumentException($"A {round.IndexSet} set of {round.SetSize} cannot be had here.", nameof(round));
        }
    }

    /// <summary>Counts the votes of a round's sum that was decoded.</summary>
    public void Count(LinearRound round, LinearDecoder decoder)
    {
        if (round.Votes > 0)
        {
            _votes?.Count(round.Seed, decoder.Votes);
        }
    }

    /// <summary>The momentum of what a round sends.</summary>
    /// <param name="momentum">The server's: [P].</param>
    /// <param name="sent">What is sent; null for everything.</param>
    public static float[] Sent(float[] momentum, ParameterSelection? sent)
    {
        if (sent is null)
        {
            return momentum;
        }

        float[] packed = new float[sent.Length];
        sent.Gather(momentum, packed);
        return packed;
    }
}
