using Federated.Shared.Protos;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Shares by member and giver. Of a survivor only seed shares are taken, of a drop-out only key shares, one from each giver: the server
/// refuses to hold both kinds of one member.
/// </summary>
internal sealed class CollectedShares(MaskedGroup group)
{
    // By member u at [u − 1]: the givers in order of arrival, and what each gave.
    private readonly List<(int Giver, uint[] Share)>[] _shares =
        [.. Enumerable.Range(0, group.Roll.Members.Length).Select(_ => new List<(int, uint[])>())];

    // Members of whom there are fewer than t shares.
    private int _short = group.Sharing.Count;

    /// <summary>Whether there are t shares of everyone.</summary>
    public bool IsSufficient => _short == 0;

    /// <summary>Takes what a giver sent, all of it or nothing. What is wrong with it, or null.</summary>
    public string? TryAdd(int giver, UnmaskingShares body)
    {
        HashSet<int> owed = [.. group.Roll.Topology.HoldersOf(giver).Where(group.Sharing.Contains)];
        List<(int Member, uint[] Share)> read = new(owed.Count);
        foreach (UnmaskingShare entry in body.Shares)
        {
            int member = entry.Member <= (uint)group.Roll.Members.Length ? (int)entry.Member : 0;
            if (!owed.Remove(member))
            {
                return $"it holds no share of member {entry.Member}, or gave it twice";
            }

            bool survives = group.Survivors.Contains(member);
            if (entry.ShareCase != (survives ? UnmaskingShare.ShareOneofCase.SeedShare : UnmaskingShare.ShareOneofCase.KeyShare))
            {
                return $"it gave {entry.ShareCase} of member {member}, which has {(survives ? "survived" : "dropped out")}";
            }

            uint[] share = new uint[ShamirLimbs.Count];
            if (!ShamirLimbs.TryReadShare(survives ? entry.SeedShare.Span : entry.KeyShare.Span, share))
            {
                return $"what it gave of member {member} is no share";
            }

            read.Add((member, share));
        }

        if (owed.Count > 0)
        {
            return $"it did not give its share of member {owed.Min()}";
        }

        foreach ((int member, uint[] share) in read)
        {
            _shares[member - 1].Add((giver, share));
            _short -= _shares[member - 1].Count == group.Roll.Topology.Threshold ? 1 : 0;
        }

        return null;
    }

    /// <summary>The shares of a member, by giver ascending.</summary>
    public (int Giver, uint[] Share)[] Of(int member) => [.. _shares[member - 1].OrderBy(share => share.Giver)];

    /// <summary>Clears all shares.</summary>
    public void Clear()
    {
        foreach (List<(int Giver, uint[] Share)> shares in _shares)
        {
            shares.ForEach(share => Array.Clear(share.Share));
            shares.Clear();
        }
    }
}
