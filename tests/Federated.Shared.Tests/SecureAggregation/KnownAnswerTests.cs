using System.Security.Cryptography;
using System.Text.Json;
using Federated.Shared.SecureAggregation;

namespace Federated.Shared.Tests.SecureAggregation;

/// <summary>The primitives against published vectors. What is used of a primitive is what is tested of it.</summary>
public sealed class KnownAnswerTests
{
    // RFC 5869, appendix A.1 to A.3.
    [Theory]
    [InlineData(
        "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")]
    [InlineData(
        "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")]
    [InlineData(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
        "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")]
    public void Hkdf_Rfc5869_GivesTheOutput(string secret, string salt, string info, string expected)
    {
        byte[] output = new byte[expected.Length / 2];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromHexString(secret), output, Convert.FromHexString(salt), Convert.FromHexString(info));
        Assert.Equal(expected, Convert.ToHexStringLower(output));
    }

    [Fact]
    public void Hkdf_Wycheproof_GivesTheOutputs()
    {
        int tests = 0;
        foreach ((_, JsonElement test) in Wycheproof.Read("hkdf_sha256_test.json"))
        {
            int size = test.GetProperty("size").GetInt32();
            byte[] output = new byte[size];
            if (test.Text("result") == "invalid")
            {
                Assert.ThrowsAny<ArgumentException>(() =>
                    HKDF.DeriveKey(HashAlgorithmName.SHA256, test.Bytes("ikm"), output, test.Bytes("salt"), test.Bytes("info")));
                tests++;
                continue;
            }

            HKDF.DeriveKey(HashAlgorithmName.SHA256, test.Bytes("ikm"), output, test.Bytes("salt"), test.Bytes("info"));
            Assert.Equal(test.Bytes("okm"), output);
            tests++;
        }

        Assert.True(tests > 50);
    }

    // NIST SP 800-38A, F.5.5, CTR-AES256.
    [Fact]
    public void Generate_Nist38A_GivesTheKeystream()
    {
        byte[] key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
        byte[] plain = Convert.FromHexString(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        string expected =
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";
        CounterBlocks counters = new(4);
        counters.Set(UInt128.Parse("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", System.Globalization.NumberStyles.HexNumber), 4);
        byte[] stream = new byte[64];
        using CounterKeystream keystream = new(key);
        keystream.Generate(counters, stream);
        Assert.Equal(expected, Convert.ToHexStringLower([.. stream.Zip(plain, (a, b) => (byte)(a ^ b))]));
    }

    // NIST SP 800-38D is tested by the vectors for 256-bit keys, 96-bit nonces and 128-bit tags of McGrew and Viega's submission (cases 13 to 16).
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b")]
    [InlineData(
        "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "00000000000000000000000000000000", "",
        "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919")]
    [InlineData(
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b")]
    public void AesGcm_Nist38D_GivesCiphertextAndTag(string key, string nonce, string plain, string additional, string expected, string expectedTag)
    {
        using AesGcm cipher = new(Convert.FromHexString(key), ShareCipher.TagBytes);
        byte[] message = new byte[plain.Length / 2];
        byte[] tag = new byte[ShareCipher.TagBytes];
        cipher.Encrypt(Convert.FromHexString(nonce), Convert.FromHexString(plain), message, tag, Convert.FromHexString(additional));
        Assert.Equal((expected, expectedTag), (Convert.ToHexStringLower(message), Convert.ToHexStringLower(tag)));
    }

    [Fact]
    public void AesGcm_Wycheproof_OpensWhatIsValidAlone()
    {
        int valid = 0;
        int invalid = 0;
        foreach ((JsonElement group, JsonElement test) in Wycheproof.Read("aes_gcm_test.json"))
        {
            if (group.GetProperty("ivSize").GetInt32() != 96 || group.GetProperty("tagSize").GetInt32() != 128)
            {
                continue;
            }

            using AesGcm cipher = new(test.Bytes("key"), ShareCipher.TagBytes);
            byte[] plain = new byte[test.Bytes("ct").Length];
            if (test.Text("result") == "valid")
            {
                cipher.Decrypt(test.Bytes("iv"), test.Bytes("ct"), test.Bytes("tag"), plain, test.Bytes("aad"));
                Assert.Equal(test.Bytes("msg"), plain);
                valid++;
            }
            else
            {
                Assert.ThrowsAny<CryptographicException>(() =>
                    cipher.Decrypt(test.Bytes("iv"), test.Bytes("ct"), test.Bytes("tag"), plain, test.Bytes("aad")));
                invalid++;
            }
        }

        Assert.True(valid > 50 && invalid > 50, $"{valid} valid, {invalid} invalid");
    }

    [Theory]
    [InlineData("ecdh_secp256r1_ecpoint_test.json")]
    [InlineData("ecdh_secp256r1_test.json")]
    public void Agree_Wycheproof_GivesTheSecretsAndRefusesTheRest(string file)
    {
        int agreed = 0;
        int refused = 0;
        foreach ((_, JsonElement test) in Wycheproof.Read(file))
        {
            byte[]? secret = Agree(test);
            if (secret is null)
            {
                Assert.True(test.Text("result") != "valid", $"{file} {test.GetProperty("tcId")} {test.Text("comment")} is valid and was refused");
                refused++;
            }
            else
            {
                Assert.True(test.Text("result") != "invalid", $"{file} {test.GetProperty("tcId")} {test.Text("comment")} is invalid and was accepted");
                Assert.Equal(test.Bytes("shared"), secret);
                agreed++;
            }
        }

        Assert.True(agreed > 150 && refused > 0, $"{agreed} agreed, {refused} refused");
    }

    // A public key of the vectors in the form that this software takes: a compressed point. The DER forms are taken when they are the one prefix of
    // the named curve.
    private static byte[]? Agree(JsonElement test)
    {
        const string NamedCurve = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        const string NamedCurveCompressed = "3039301306072a8648ce3d020106082a8648ce3d030107032200";
        string hex = test.Text("public");
        string point = hex.Replace(NamedCurve, "", StringComparison.Ordinal).Replace(NamedCurveCompressed, "", StringComparison.Ordinal);
        byte[] bytes = Convert.FromHexString(point);
        byte[] compressed;
        if (bytes.Length == 65 && bytes[0] == 4)
        {
            compressed = [(byte)(2 | (bytes[^1] & 1)), .. bytes.AsSpan(1, 32)];
        }
        else if (bytes.Length == 33)
        {
            compressed = bytes;
        }
        else
        {
            return null;
        }

        byte[] scalar = test.Bytes("private");
        scalar = scalar.Length < 32 ? [.. new byte[32 - scalar.Length], .. scalar] : scalar[^32..];
        if (!AgreementPublicKey.TryRead(compressed, out AgreementPublicKey? key) || !AgreementKeyPair.TryCreate(scalar, out AgreementKeyPair? pair))
        {
            return null;
        }

        using (pair)
        {
            // An uncompressed point whose y is not the one that its sign says is no point of the curve.
            if (bytes.Length == 65 && !key.ToParameters().Q.Y!.AsSpan().SequenceEqual(bytes.AsSpan(33)))
            {
                return null;
            }

            byte[] secret = new byte[AgreementKeyPair.SecretBytes];
            pair.Agree(key, secret);
            return secret;
        }
    }
}
