using Federated.Shared.Models;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class ShareCipherTests
{
    private static readonly byte[] _key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] _plain = [.. Enumerable.Range(0, SharePair.LengthBytes).Select(i => (byte)i)];

    [Fact]
    public void TryOpen_SameContext_Opens()
    {
        byte[] opened = new byte[_plain.Length];
        Assert.True(ShareCipher.TryOpen(_key, Sample.Session(1), 1, 2, Sealed(), opened));
        Assert.Equal(_plain, opened);
    }

    [Fact]
    public void TryOpen_EveryFlippedBit_IsRefused()
    {
        byte[] message = Sealed();
        for (int bit = 0; bit < 8 * message.Length; bit++)
        {
            byte[] damaged = [.. message];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            byte[] opened = new byte[_plain.Length];
            Assert.False(ShareCipher.TryOpen(_key, Sample.Session(1), 1, 2, damaged, opened), $"bit {bit}");
            Assert.Equal(new byte[_plain.Length], opened);
        }
    }

    [Fact]
    public void TryOpen_OtherSessionSenderRecipientOrLength_IsRefused()
    {
        byte[] opened = new byte[_plain.Length];
        Assert.False(ShareCipher.TryOpen(_key, Sample.Session(2), 1, 2, Sealed(), opened));
        Assert.False(ShareCipher.TryOpen(_key, Sample.Session(1), 2, 1, Sealed(), opened));
        Assert.False(ShareCipher.TryOpen(_key, Sample.Session(1), 1, 3, Sealed(), opened));
        Assert.False(ShareCipher.TryOpen(_key, Sample.Session(1), 1, 2, Sealed().AsSpan(1), opened));
        Assert.False(ShareCipher.TryOpen(_key, Sample.Session(1), 1, 2, [], opened));
    }

    [Fact]
    public void KeySchedule_EveryInput_ChangesTheKey()
    {
        byte[] secret = new byte[32];
        ContentHash model = ContentHash.Of([1]);
        List<string> keys =
        [
            Key(key => KeySchedule.PairMask(secret, Sample.Session(1), 1, 2, model, key)),
            Key(key => KeySchedule.PairMask(secret, Sample.Session(2), 1, 2, model, key)),
            Key(key => KeySchedule.PairMask(secret, Sample.Session(1), 1, 3, model, key)),
            Key(key => KeySchedule.PairMask(secret, Sample.Session(1), 1, 2, ContentHash.Of([2]), key)),
            Key(key => KeySchedule.PairMask(_key, Sample.Session(1), 1, 2, model, key)),
            Key(key => KeySchedule.SelfMask(secret, Sample.Session(1), 1, key)),
            Key(key => KeySchedule.SelfMask(secret, Sample.Session(2), 1, key)),
            Key(key => KeySchedule.ShareChannel(secret, Sample.Session(1), 1, 2, key)),
            Key(key => KeySchedule.ShareChannel(secret, Sample.Session(1), 2, 1, key)),
        ];
        Assert.Equal(keys.Count, keys.Distinct().Count());
        Assert.Equal(keys[0], Key(key => KeySchedule.PairMask(secret, Sample.Session(1), 2, 1, model, key)));
    }

    private static string Key(Action<byte[]> derive)
    {
        byte[] key = new byte[KeySchedule.KeyBytes];
        derive(key);
        return Convert.ToHexString(key);
    }

    private static byte[] Sealed()
    {
        byte[] message = new byte[_plain.Length + ShareCipher.TagBytes];
        ShareCipher.Seal(_key, Sample.Session(1), 1, 2, _plain, message);
        return message;
    }
}
