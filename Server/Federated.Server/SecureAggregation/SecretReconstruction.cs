using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Puts secrets together from shares and believes none of them: a secret has to fit what its owner committed to. When the first t shares do
/// not, the last t are tried, then the first t + 1 without each of them in turn. So one wrong share, whoever gave it, does not spoil a group in
/// which more than t have answered, and several often do not. Thread-safe.
/// </summary>
internal sealed class SecretReconstruction(int threshold)
{
    // In a complete group the same members answer for everyone: one computation of the weights serves all secrets.
    private readonly ConcurrentDictionary<string, uint[]> _weights = new(StringComparer.Ordinal);

    // Secrets of which a giver's share was wrong, by giver.
    private readonly ConcurrentDictionary<int, int> _wrong = new();

    /// <summary>
    /// Members whose shares do not belong to a secret that was found, ascending, and of how many secrets at least. It is looked for when a secret does
    /// not come together at once. A share that is wrong of one secret alone may have been sealed wrong by the secret's owner.
    /// </summary>
    public IReadOnlyList<(int Giver, int Secrets)> Wrong => [.. _wrong.OrderBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value))];

    /// <summary>The secret that fits; null when there are fewer than t shares or none is found. The caller clears it.</summary>
    public byte[]? Find((int Giver, uint[] Share)[] shares, Func<byte[], bool> fits)
    {
        if (shares.Length < threshold)
        {
            return null;
        }

        // Who was wrong about another secret comes last, so that the search is paid for once.
        (int Giver, uint[] Share)[] ordered = _wrong.IsEmpty ? shares : [.. shares.OrderBy(share => _wrong.ContainsKey(share.Giver))];
        byte[] secret = new byte[ShamirLimbs.SecretBytes];
        bool searched = !_wrong.IsEmpty;
        foreach ((int Giver, uint[] Share)[] set in SetsOf(ordered))
        {
            if (!TryCombine(set, secret) || !fits(secret))
            {
                searched = true;
                continue;
            }

            if (searched)
            {
                NoteWrong(ordered, set, secret);
            }

            return secret;
        }

        CryptographicOperations.ZeroMemory(secret);
        return null;
    }

    private IEnumerable<(int Giver, uint[] Share)[]> SetsOf((int Giver, uint[] Share)[] shares)
    {
        yield return shares[..threshold];
        if (shares.Length > threshold)
        {
            yield return shares[^threshold..];
            for (int left = 0; left < threshold; left++)
            {
                yield return [.. shares[..left], .. shares[(left + 1)..(threshold + 1)]];
            }
        }
    }

    /// <summary>Tries each of the other shares in the place of one that is right: a wrong one then gives another secret.</summary>
    private void NoteWrong((int Giver, uint[] Share)[] shares, (int Giver, uint[] Share)[] right, byte[] secret)
    {
        byte[] other = new byte[ShamirLimbs.SecretBytes];
        foreach ((int Giver, uint[] Share) share in shares.ExceptBy(right.Select(one => one.Giver), one => one.Giver))
        {
            if (!TryCombine([share, .. right[1..]], other) || !CryptographicOperations.FixedTimeEquals(other, secret))
            {
                _wrong.AddOrUpdate(share.Giver, 1, (_, secrets) => secrets + 1);
            }
        }

        CryptographicOperations.ZeroMemory(other);
    }

    private bool TryCombine(ReadOnlySpan<(int Giver, uint[] Share)> shares, byte[] secret)
    {
        int[] givers = new int[shares.Length];
        uint[][] values = new uint[shares.Length][];
        for (int i = 0; i < shares.Length; i++)
        {
            (givers[i], values[i]) = shares[i];
        }

        uint[] weights = _weights.GetOrAdd(string.Join(',', givers), _ => ShamirSharing.WeightsAtZero(givers));
        Span<uint> limbs = stackalloc uint[ShamirLimbs.Count];
        ShamirSharing.Combine(weights, values, limbs);
        bool valid = ShamirLimbs.TryToSecret(limbs, secret);
        limbs.Clear();
        return valid;
    }
}
