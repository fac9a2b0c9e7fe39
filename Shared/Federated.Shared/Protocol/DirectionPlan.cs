using Federated.Shared.Updates.Seeds;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// Training by forward passes alone: the client measures slopes along directions that it and the server draw from a seed, and sends K
/// amounts instead of a delta (seed-and-scalar mode; see <see cref="SeededDirections"/>). In a plan an array of 3: seed, K, distance.
/// </summary>
/// <param name="Seed">Of this round's directions.</param>
/// <param name="Count">K: the length of the update, 1 to <see cref="MaxCount"/>.</param>
/// <param name="Distance">ε, the distance between the adapter and either of the two points at which the loss is measured.</param>
public sealed record DirectionPlan(ulong Seed, int Count, double Distance)
{
    /// <summary>Most directions a round: 256 KB of amounts.</summary>
    public const int MaxCount = 65_536;

    /// <summary>Shortest distance: below it both losses are the same number.</summary>
    public const double MinDistance = 1e-6;

    /// <summary>Longest distance.</summary>
    public const double MaxDistance = 1;

    private const int Fields = 3;

    /// <summary>The directions of a vector of <paramref name="parameterCount"/> elements.</summary>
    public SeededDirections Of(int parameterCount) => new(Seed, Count, parameterCount);

    internal void WriteTo(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Fields);
        writer.Write(Seed);
        writer.Write(Count);
        writer.Write(Distance);
    }

    internal static DirectionPlan Parse(ref MessagePackReader reader, string kind)
    {
        int fields = reader.ReadArrayHeader();
        return fields != Fields
            ? throw DocumentReading.Malformed(kind, $"its directions have {fields} fields, there are {Fields}")
            : new DirectionPlan(
                reader.ReadUInt64(),
                reader.ReadInt32InRange(kind, "directions", 1, MaxCount),
                reader.ReadDoubleInRange(kind, "distance", MinDistance, MaxDistance));
    }
}
