using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>
/// Puts secrets together from shares and believes none of them: a secret has to fit what its owner committed to. When the first t shares do
/// not, the last t are tried, so that one wrong share need not spoil a group in which more than t have answered. Thread-safe.
/// </summary>
internal sealed class SecretReconstruction(int threshold)
{
    // In a complete group the same members answer for everyone: one computation of the weights serves all secrets.
    private readonly ConcurrentDictionary<string, uint[]> _weights = new(StringComparer.Ordinal);

    /// <summary>The secret that fits; null when there are fewer than t shares or none fits. The caller clears it.</summary>
    public byte[]? Find((int Giver, uint[] Share)[] shares, Func<byte[], bool> fits)
    {
        if (shares.Length < threshold)
        {
            return null;
        }

        foreach (int start in shares.Length == threshold ? [0] : new[] { 0, shares.Length - threshold })
        {
            byte[] secret = new byte[ShamirLimbs.SecretBytes];
            if (TryCombine(shares.AsSpan(start, threshold), secret) && fits(secret))
            {
                return secret;
            }

            CryptographicOperations.ZeroMemory(secret);
        }

        return null;
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
