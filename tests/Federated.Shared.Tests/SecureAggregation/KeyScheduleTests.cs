using Federated.Shared.Models;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>All 256 bits of a secret count, and all 256 bits of a key come of it: nothing is folded on the way to the cipher.</summary>
public sealed class KeyScheduleTests
{
    private static readonly ContentHash _model = ContentHash.Of([1]);

    public static TheoryData<string> Purposes => ["pair mask", "self mask", "share channel"];

    [Theory]
    [MemberData(nameof(Purposes))]
    public void Keys_EverySingleBitOfTheSecret_ChangesTheKey(string purpose) =>
        Assert.Equal(256, Keys(purpose).Select(Convert.ToHexString).Distinct().Count());

    [Theory]
    [MemberData(nameof(Purposes))]
    public void Keys_EveryByte_IsDerived(string purpose)
    {
        List<byte[]> keys = [.. Keys(purpose)];
        for (int i = 0; i < KeySchedule.KeyBytes; i++)
        {
            // 256 uniform bytes take 162 values, give or take 6.
            Assert.InRange(keys.Select(key => key[i]).Distinct().Count(), 120, 256);
            Assert.All(Enumerable.Range(0, i), j => Assert.Contains(keys, key => key[i] != key[j]));
        }
    }

    // Keys of secrets with one bit each.
    private static IEnumerable<byte[]> Keys(string purpose)
    {
        for (int bit = 0; bit < 256; bit++)
        {
            byte[] secret = new byte[32];
            secret[bit / 8] = (byte)(1 << (bit % 8));
            byte[] key = new byte[KeySchedule.KeyBytes];
            switch (purpose)
            {
                case "pair mask":
                    KeySchedule.PairMask(secret, Sample.Session(1), 1, 2, _model, key);
                    break;
                case "self mask":
                    KeySchedule.SelfMask(secret, Sample.Session(1), 1, key);
                    break;
                default:
                    KeySchedule.ShareChannel(secret, Sample.Session(1), 1, 2, key);
                    break;
            }

            yield return key;
        }
    }
}
