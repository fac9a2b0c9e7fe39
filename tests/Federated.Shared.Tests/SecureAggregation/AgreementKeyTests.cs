using System.Security.Cryptography;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

public sealed class AgreementKeyTests
{
    [Fact]
    public void TryRead_ManyKeys_FindsThePointTheFrameworkKnows()
    {
        for (int i = 0; i < 500; i++)
        {
            using ECDiffieHellman key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
            ECPoint point = key.ExportParameters(false).Q;
            AgreementPublicKey written = AgreementPublicKey.Of(key);
            Assert.True(AgreementPublicKey.TryRead(written.Bytes, out AgreementPublicKey? read));
            ECPoint found = read.ToParameters().Q;
            Assert.Equal(Convert.ToHexString(point.X!) + Convert.ToHexString(point.Y!), Convert.ToHexString(found.X!) + Convert.ToHexString(found.Y!));
        }
    }

    [Fact]
    public void TryRead_RandomAbscissae_AcceptsAboutHalfAndTheFrameworkAcceptsThoseToo()
    {
        int accepted = 0;
        for (int i = 0; i < 400; i++)
        {
            byte[] bytes = [(byte)(2 + (i % 2)), .. SHA256.HashData(BitConverter.GetBytes(i))];
            if (AgreementPublicKey.TryRead(bytes, out AgreementPublicKey? key))
            {
                accepted++;
                using ECDiffieHellman imported = ECDiffieHellman.Create(key.ToParameters());
                Assert.Equal(bytes, AgreementPublicKey.Of(imported).Bytes.ToArray());
            }
        }

        Assert.InRange(accepted, 150, 250);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02")]
    [InlineData("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")]
    [InlineData("02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")]
    [InlineData("02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("000000000000000000000000000000000000000000000000000000000000000000")]
    public void TryRead_NoPoint_IsRefused(string hex) => Assert.False(AgreementPublicKey.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void TryCreate_ExportedScalar_IsTheSamePair()
    {
        using AgreementKeyPair pair = AgreementKeyPair.Create();
        byte[] scalar = new byte[AgreementKeyPair.SecretBytes];
        pair.ExportPrivateKey(scalar);
        Assert.True(AgreementKeyPair.TryCreate(scalar, out AgreementKeyPair? again));
        using (again)
        {
            Assert.True(pair.PublicKey.Equals(again.PublicKey));
        }
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    public void TryCreate_NoScalarOfTheCurve_IsRefused(string hex) => Assert.False(AgreementKeyPair.TryCreate(Convert.FromHexString(hex), out _));

    [Fact]
    public void Agree_BothSides_GiveOneSecret()
    {
        using AgreementKeyPair a = AgreementKeyPair.Create();
        using AgreementKeyPair b = AgreementKeyPair.Create();
        byte[] first = new byte[32];
        byte[] second = new byte[32];
        a.Agree(b.PublicKey, first);
        b.Agree(a.PublicKey, second);
        Assert.Equal(first, second);
        Assert.NotEqual(new byte[32], first);
    }
}
