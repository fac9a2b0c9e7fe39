using System.Collections.Immutable;
using Federated.Shared.Models;
using Federated.Shared.Updates.Downlink;
using MessagePack;

namespace Federated.Shared.Protocol;

/// <summary>
/// Shorter ways to a round's adapter than downloading it whole as float32, of which a client takes what it can use and what costs it least: MessagePack array
/// [rounded, changes], the first [hash, length] or nil, the second an array of [hash, length, seed, k], with nil and 0 for changes that need no set. Immutable.
/// </summary>
public sealed record AdapterOffers
{
    private const int Fields = 2;
    private const int ReferenceFields = 2;
    private const int ChangeFields = 4;

    /// <summary>Most changes on offer.</summary>
    public const int MaxChanges = 16;

    /// <summary>All parameters in 8-bit blocks (<see cref="DownlinkForm.Adapter8"/>): close to the adapter, for whom that will do; null for none.</summary>
    public ObjectReference? Rounded { get; init; }

    /// <summary>
    /// What turns each version into the next, oldest first; the last leads to the plan's. Whoever holds one of them exactly gets the plan's adapter exactly.
    /// </summary>
    public required ImmutableArray<AdapterChange> Changes { get; init; }

    /// <summary>Bytes of the changes from a version on; null when the chain does not reach back to it.</summary>
    /// <param name="held">The version that a client holds.</param>
    /// <param name="wanted">The plan's version.</param>
    public long? BytesFrom(long held, long wanted) =>
        held <= wanted && wanted - held <= Changes.Length ? Since(held, wanted).Sum(change => change.Document.LengthBytes) : null;

    /// <summary>The changes from a version on, which the chain must reach back to.</summary>
    public IEnumerable<AdapterChange> Since(long held, long wanted) => Changes.Skip(Changes.Length - (int)(wanted - held));

    /// <inheritdoc/>
    public bool Equals(AdapterOffers? other) => other is not null && Rounded == other.Rounded && Changes.SequenceEqual(other.Changes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rounded, Changes.Length);

    internal void WriteTo(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Fields);
        if (Rounded is { } rounded)
        {
            writer.WriteArrayHeader(ReferenceFields);
            Write(ref writer, rounded);
        }
        else
        {
            writer.WriteNil();
        }

        writer.WriteArrayHeader(Changes.Length);
        foreach (AdapterChange change in Changes)
        {
            writer.WriteArrayHeader(ChangeFields);
            Write(ref writer, change.Document);
            if (change.Seed is { } seed)
            {
                writer.Write(seed);
            }
            else
            {
                writer.WriteNil();
            }

            writer.Write(change.SetSize);
        }
    }

    internal static AdapterOffers? Parse(ref MessagePackReader reader, string kind, int parameterCount)
    {
        if (reader.TryReadNil())
        {
            return null;
        }

        Demand(kind, "offers", reader.ReadArrayHeader(), Fields);
        ObjectReference? rounded = null;
        if (!reader.TryReadNil())
        {
            Demand(kind, "the rounded adapter", reader.ReadArrayHeader(), ReferenceFields);
            rounded = ReadReference(ref reader, kind);
        }

        int count = reader.ReadArrayHeader();
        if (count > MaxChanges)
        {
            throw DocumentReading.Malformed(kind, $"it offers {count} changes, the limit is {MaxChanges}");
        }

        ImmutableArray<AdapterChange>.Builder changes = ImmutableArray.CreateBuilder<AdapterChange>(count);
        for (int i = 0; i < count; i++)
        {
            Demand(kind, "a change", reader.ReadArrayHeader(), ChangeFields);
            ObjectReference document = ReadReference(ref reader, kind);
            ulong? seed = reader.TryReadNil() ? null : reader.ReadUInt64();
            int size = reader.ReadInt32InRange(kind, "set size", seed is null ? 0 : 1, seed is null ? 0 : parameterCount);
            changes.Add(new AdapterChange(document, seed, size));
        }

        return new AdapterOffers { Rounded = rounded, Changes = changes.MoveToImmutable() };
    }

    private static void Write(ref MessagePackWriter writer, ObjectReference reference)
    {
        writer.Write(reference.Hash.ToBytes());
        writer.Write(reference.LengthBytes);
    }

    private static ObjectReference ReadReference(ref MessagePackReader reader, string kind) =>
        new(reader.ReadHash(kind, "hash"), reader.ReadInt64InRange(kind, "length", 1, ProtocolLimits.MaxDownloadBytes));

    private static void Demand(string kind, string part, int found, int wanted)
    {
        if (found != wanted)
        {
            throw DocumentReading.Malformed(kind, $"{part} has {found} fields, this version has {wanted}");
        }
    }
}

/// <summary>What turns one version of an adapter into the next.</summary>
/// <param name="Document">A <see cref="DownlinkDocument"/>.</param>
/// <param name="Seed">Seeds the index set of <see cref="DownlinkForm.SameSet"/>; null for the other forms.</param>
/// <param name="SetSize">k of that set; 0 without one.</param>
public sealed record AdapterChange(ObjectReference Document, ulong? Seed, int SetSize);
