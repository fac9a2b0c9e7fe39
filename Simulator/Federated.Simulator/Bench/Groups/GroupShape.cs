using Federated.Shared.Models;
using Federated.Shared.SecureAggregation;

namespace Federated.Simulator.Bench.Groups;

/// <summary>A group to measure.</summary>
/// <param name="Members">n.</param>
/// <param name="Fields">Length of the vector.</param>
/// <param name="WidthBits">Bits of a field.</param>
/// <param name="DropoutPercent">Members that vanish after having shared their secrets, before their masked input.</param>
/// <param name="GraphDropoutPermille">δ of the neighbour graph, in thousandths; 0 for a complete group.</param>
internal sealed record GroupShape(int Members, int Fields, int WidthBits, int DropoutPercent, int GraphDropoutPermille = 0)
{
    /// <summary>γ of neighbour graphs, in thousandths: a third.</summary>
    private const int AdversarialPermille = 330;

    /// <summary>Members that vanish.</summary>
    public int Dropped => (int)Math.Ceiling(Members * DropoutPercent / 100.0);

    /// <summary>The group's terms; a field may be as large as the sum of n of them allows.</summary>
    public GroupHeader Header => new()
    {
        JobId = "bench",
        Round = 1,
        Group = 0,
        Model = ContentHash.Of([1]),
        Plan = ContentHash.Of([2]),
        FieldCount = Fields,
        WidthBits = WidthBits,
        MinField = 0,
        MaxField = ((1L << WidthBits) - 1) / Members,
        MinMembers = 3,
        MaxMembers = Members,
        Topology = GraphDropoutPermille > 0 ? GroupTopologyKind.NeighbourGraph : GroupTopologyKind.Complete,
        AdversarialPermille = GraphDropoutPermille > 0 ? AdversarialPermille : 0,
        DropoutPermille = GraphDropoutPermille,
    };

    /// <summary>Whether member u, from 1, vanishes: spread evenly.</summary>
    public bool Drops(int member) => (long)member * Dropped / Members != (long)(member - 1) * Dropped / Members;
}
