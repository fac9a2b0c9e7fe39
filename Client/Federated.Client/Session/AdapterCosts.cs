using System.Collections.Immutable;
using Federated.Shared.Protocol;

namespace Federated.Client.Session;

/// <summary>What each way to a plan's adapter costs a device, in encoded bytes.</summary>
/// <param name="Changes">The changes since the version that it holds; null when it cannot go on from that.</param>
/// <param name="Rounded">The adapter in 8 bits; null when there is none, or the round needs it exactly.</param>
/// <param name="Whole">The adapter as float32.</param>
public readonly record struct AdapterCosts(long? Changes, long? Rounded, long Whole)
{
    /// <summary>Whether the changes are the way to take.</summary>
    public bool TakesChanges => Changes <= Math.Min(Rounded ?? long.MaxValue, Whole);

    /// <summary>Whether the rounded adapter is.</summary>
    public bool TakesRounded => !TakesChanges && Rounded < Whole;

    /// <summary>Bytes of the way to take.</summary>
    public long Least => TakesChanges ? Changes!.Value : TakesRounded ? Rounded!.Value : Whole;

    /// <summary>The costs for a device.</summary>
    /// <param name="plan">Of the round.</param>
    /// <param name="held">What the device holds of its job; null for nothing.</param>
    public static AdapterCosts Of(PlanDocument plan, HeldAdapter? held)
    {
        ArgumentNullException.ThrowIfNull(plan);
        bool demandsExact = plan.Group is not null;
        return plan.Offers is not { } offers
            ? new AdapterCosts(null, null, plan.AdapterLengthBytes)
            : new AdapterCosts(
                held is not null && (held.IsExact || (!demandsExact && IsOfThisTime(held, offers, plan.ModelVersion))) ? offers.BytesFrom(held.Version, plan.ModelVersion) : null,
                demandsExact ? null : offers.Rounded?.LengthBytes,
                plan.AdapterLengthBytes);
    }

    /// <summary>Whether the change that led to what is held is still on offer, so that its version is the server's version of that number.</summary>
    private static bool IsOfThisTime(HeldAdapter held, AdapterOffers offers, long wanted)
    {
        ImmutableArray<AdapterChange> changes = offers.Changes;
        return held.Change is { } change && held.Version <= wanted && wanted - held.Version < changes.Length
            && changes[^(int)(wanted - held.Version + 1)].Document.Hash == change;
    }
}
