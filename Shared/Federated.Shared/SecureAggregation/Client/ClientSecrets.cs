using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Shared.SecureAggregation.Client;

/// <summary>
/// Everything a client has to forget: its mask key pair, its seed, the keys its neighbours' shares open with, and those shares. Owned by
/// one state at a time. Not thread-safe.
/// </summary>
internal sealed class ClientSecrets(AgreementKeyPair maskKey) : IDisposable
{
    private readonly byte[] _seed = RandomNumberGenerator.GetBytes(ShamirLimbs.SecretBytes);
    private readonly byte[] _ownSeedShare = new byte[ShamirLimbs.ShareBytes];
    private readonly Dictionary<int, byte[]> _incomingKeys = [];
    private readonly SortedDictionary<int, byte[]> _sharePairs = [];

    /// <summary>The seed of the self mask: [32].</summary>
    public ReadOnlySpan<byte> Seed => _seed;

    /// <summary>The key pair the pair masks are agreed with.</summary>
    public AgreementKeyPair MaskKey => maskKey;

    /// <summary>The share of the own seed that the client holds itself: [36].</summary>
    public ReadOnlySpan<byte> OwnSeedShare => _ownSeedShare;

    /// <summary>Neighbours whose shares are here, ascending: U2 without the client.</summary>
    public IReadOnlyCollection<int> Senders => _sharePairs.Keys;

    /// <summary>Shares of the seed: [holders.Length × 9].</summary>
    public uint[] SplitSeed(int threshold, ReadOnlySpan<int> holders) => Split(_seed, threshold, holders);

    /// <summary>Shares of the mask key's private scalar: [holders.Length × 9].</summary>
    public uint[] SplitMaskKey(int threshold, ReadOnlySpan<int> holders)
    {
        byte[] scalar = new byte[AgreementKeyPair.SecretBytes];
        maskKey.ExportPrivateKey(scalar);
        uint[] shares = Split(scalar, threshold, holders);
        CryptographicOperations.ZeroMemory(scalar);
        return shares;
    }

    /// <summary>Keeps the own share of the own seed.</summary>
    public void KeepOwnSeedShare(ReadOnlySpan<uint> share) => ShamirLimbs.WriteShare(share, _ownSeedShare);

    /// <summary>Keeps the key that a neighbour's shares will open with.</summary>
    public void KeepIncomingKey(int from, ReadOnlySpan<byte> key) => _incomingKeys.Add(from, key.ToArray());

    /// <summary>Opens a neighbour's shares and keeps them; false when they do not open or name others.</summary>
    public bool TryOpen(SessionId session, int from, int own, ReadOnlySpan<byte> ciphertext)
    {
        byte[] pair = new byte[SharePair.LengthBytes];
        if (_incomingKeys.TryGetValue(from, out byte[]? key)
            && ShareCipher.TryOpen(key, session, from, own, ciphertext, pair)
            && SharePair.IsFor(pair, from, own))
        {
            _sharePairs.Add(from, pair);
            return true;
        }

        return false;
    }

    /// <summary>Whether a neighbour's shares are here.</summary>
    public bool Holds(int from) => _sharePairs.ContainsKey(from);

    /// <summary>A neighbour's shares, as <see cref="SharePair"/> lays them out.</summary>
    public ReadOnlySpan<byte> SharesOf(int from) => _sharePairs[from];

    /// <summary>Forgets the mask key and the seed, which are of no use once the input is masked, and the spent channel keys.</summary>
    public void ForgetMasks()
    {
        maskKey.Dispose();
        CryptographicOperations.ZeroMemory(_seed);
        foreach (byte[] key in _incomingKeys.Values)
        {
            CryptographicOperations.ZeroMemory(key);
        }

        _incomingKeys.Clear();
    }

    /// <summary>Forgets everything.</summary>
    public void Dispose()
    {
        ForgetMasks();
        CryptographicOperations.ZeroMemory(_ownSeedShare);
        foreach (byte[] pair in _sharePairs.Values)
        {
            CryptographicOperations.ZeroMemory(pair);
        }

        _sharePairs.Clear();
    }

    private static uint[] Split(ReadOnlySpan<byte> secret, int threshold, ReadOnlySpan<int> holders)
    {
        Span<uint> limbs = stackalloc uint[ShamirLimbs.Count];
        ShamirLimbs.FromSecret(secret, limbs);
        uint[] shares = new uint[holders.Length * ShamirLimbs.Count];
        ShamirSharing.Split(limbs, threshold, holders, shares);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(limbs));
        return shares;
    }
}
