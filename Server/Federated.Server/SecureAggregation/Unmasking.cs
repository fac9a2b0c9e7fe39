using System.Security.Cryptography;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Takes the masks off a sum: the own mask of every survivor, from its seed; and of every drop-out the masks that its surviving neighbours
/// laid towards it, from its mask key. Bonawitz et al. 2017, figure 4, round 4.
/// </summary>
internal static class Unmasking
{
    /// <summary>
    /// Unmasks <see cref="MaskedGroup.Sum"/> in place with at most <paramref name="threads"/> threads. Why it cannot, or null; and whose shares were
    /// seen to be wrong, or null.
    /// </summary>
    public static (string? Problem, string? Wrong) Remove(MaskedGroup group, CollectedShares shares, int threads)
    {
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = threads };
        SecretReconstruction reconstruction = new(group.Roll.Topology.Threshold);
        int[] sharing = [.. group.Sharing];
        List<MaskKey>?[] masks = new List<MaskKey>?[sharing.Length];
        try
        {
            Parallel.For(0, sharing.Length, parallel, i => masks[i] = group.Survivors.Contains(sharing[i])
                ? SelfMask(group, sharing[i], shares, reconstruction)
                : PairMasks(group, sharing[i], shares, reconstruction));
            int missing = Array.IndexOf(masks, null);
            if (missing >= 0)
            {
                int member = sharing[missing];
                return (Missing(group, member, shares.Of(member).Length, WrongShares(group.Roll, reconstruction)), null);
            }

            MaskLayer.Apply(group.Sum, [.. masks.SelectMany(own => own!)], threads);
            return (null, WrongShares(group.Roll, reconstruction));
        }
        finally
        {
            foreach (MaskKey mask in masks.SelectMany(own => own ?? []))
            {
                CryptographicOperations.ZeroMemory(mask.Key);
            }
        }
    }

    private static string Missing(MaskedGroup group, int member, int shares, string? wrong)
    {
        string secret = group.Survivors.Contains(member) ? "seed" : "mask key";
        string text = $"The {secret} of member {member} ({group.Roll.DeviceOf(member)}) cannot be reconstructed from {shares} shares; "
            + $"the threshold is {group.Roll.Topology.Threshold}, and it has to fit what the member committed to.";
        return shares < group.Roll.Topology.Threshold ? text : $"{text} Some were given wrong, or this member sealed them wrong. {wrong}".TrimEnd();
    }

    private static string? WrongShares(GroupRoll roll, SecretReconstruction reconstruction) => reconstruction.Wrong is { Count: > 0 } wrong
        ? $"Shares that do not fit were given by {string.Join(", ", wrong.Select(entry => $"member {entry.Giver} ({roll.DeviceOf(entry.Giver)}) of {entry.Secrets} secrets"))}."
        : null;

    private static List<MaskKey>? SelfMask(MaskedGroup group, int member, CollectedShares shares, SecretReconstruction reconstruction)
    {
        GroupRoll roll = group.Roll;
        byte[]? seed = reconstruction.Find(
            shares.Of(member),
            candidate => CryptographicOperations.FixedTimeEquals(SeedCommitment.Of(roll.Session, member, candidate), group.Commitments[member - 1]));
        if (seed is null)
        {
            return null;
        }

        byte[] key = new byte[KeySchedule.KeyBytes];
        KeySchedule.SelfMask(seed, roll.Session, member, key);
        CryptographicOperations.ZeroMemory(seed);
        return [new MaskKey(key, Subtract: true)];
    }

    private static List<MaskKey>? PairMasks(MaskedGroup group, int member, CollectedShares shares, SecretReconstruction reconstruction)
    {
        GroupRoll roll = group.Roll;
        AgreementKeyPair? pair = null;
        byte[]? scalar = reconstruction.Find(
            shares.Of(member),
            candidate =>
            {
                pair?.Dispose();
                return AgreementKeyPair.TryCreate(candidate, out pair) && pair.PublicKey.Bytes.SequenceEqual(roll.Members[member - 1].MaskKey.Span);
            });
        using AgreementKeyPair? key = pair;
        if (scalar is null || key is null)
        {
            return null;
        }

        CryptographicOperations.ZeroMemory(scalar);
        List<MaskKey> masks = [];
        Span<byte> agreed = stackalloc byte[AgreementKeyPair.SecretBytes];
        foreach (int neighbour in roll.Topology.NeighboursOf(member).Where(group.Survivors.Contains))
        {
            byte[] mask = new byte[KeySchedule.KeyBytes];
            key.Agree(roll.MaskKeyOf(neighbour), agreed);
            KeySchedule.PairMask(agreed, roll.Session, member, neighbour, roll.Header.Model, mask);

            // The neighbour subtracted it when the drop-out's number is the lower one.
            masks.Add(new MaskKey(mask, Subtract: neighbour < member));
        }

        CryptographicOperations.ZeroMemory(agreed);
        return masks;
    }
}
