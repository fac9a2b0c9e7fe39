using System.Collections.Immutable;
using Federated.Shared.Models;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// Which tensors a client trains, sends and keeps, and to which rank it cuts LoRA factors: the part of a plan that a round, or a class of devices,
/// may have for itself. MessagePack array [rank, count of sent parameters, bin of one role a tensor]. Immutable.
/// </summary>
public sealed record ParameterPlan
{
    private const int Fields = 3;

    /// <summary>Most tensors a plan can speak of: it must fit into <see cref="ProtocolLimits.MaxPlanBytes"/>.</summary>
    public const int MaxTensors = 60_000;

    /// <summary>Largest rank.</summary>
    public const int MaxRank = 65_536;

    /// <summary>The rank the client trains and sends; 0 for each target's own.</summary>
    public int Rank { get; init; }

    /// <summary>Parameters in the update, at least 1. What follows from roles and rank, stated so that both ends notice when they disagree.</summary>
    public required int SentCount { get; init; }

    /// <summary>One role for each tensor of the package's layout.</summary>
    public required ImmutableArray<ParameterRole> Roles { get; init; }

    /// <inheritdoc/>
    public bool Equals(ParameterPlan? other) =>
        other is not null && Rank == other.Rank && SentCount == other.SentCount && Roles.SequenceEqual(other.Roles);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, SentCount, Roles.Length);

    internal void WriteTo(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Fields);
        writer.Write(Rank);
        writer.Write(SentCount);
        writer.Write(Roles.Select(role => (byte)role).ToArray());
    }

    internal static ParameterPlan? Parse(ref MessagePackReader reader, string kind)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        int count = reader.ReadArrayHeader();
        if (count != Fields)
        {
            throw DocumentReading.Malformed(kind, $"parameters have {count} fields, version 2 has {Fields}");
        }

        int rank = reader.ReadInt32InRange(kind, "rank", 0, MaxRank);
        int sent = reader.ReadInt32InRange(kind, "sent parameters", 1, ProtocolLimits.MaxParameters);
        ReadOnlySpan<byte> roles = reader.ReadBinaryUpTo(kind, "roles", MaxTensors).Span;
        return roles.ContainsAnyExceptInRange((byte)ParameterRole.Frozen, (byte)ParameterRole.Kept)
            ? throw DocumentReading.Malformed(kind, $"a role is beyond {(int)ParameterRole.Kept}")
            : new ParameterPlan { Rank = rank, SentCount = sent, Roles = [.. roles.ToArray().Select(role => (ParameterRole)role)] };
    }
}
