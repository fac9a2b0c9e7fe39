using System.Diagnostics;
using System.Security.Cryptography;
using Federated.Shared.SecureAggregation;

namespace Federated.Simulator.Bench.Groups;

/// <summary>What one core of the machine does of what the protocol consists of.</summary>
/// <param name="AesGigabytesPerSecond">AES-256 in counter mode through the framework, 64 KiB at a time, not added to anything.</param>
/// <param name="AddGigabytesPerSecond">16-bit lanes added, counted by the bytes of one operand, 16 KiB at a time.</param>
/// <param name="MaskGigabytesPerSecond">Masks expanded and added over 1 M lanes of 16 bits.</param>
/// <param name="AgreementsPerSecond">P-256: a peer's key read in and agreed with.</param>
/// <param name="VerificationsPerSecond">ECDSA P-256, the key being there.</param>
/// <param name="KeysPerSecond">P-256 key pairs drawn.</param>
internal sealed record MachineRates(
    double AesGigabytesPerSecond,
    double AddGigabytesPerSecond,
    double MaskGigabytesPerSecond,
    double AgreementsPerSecond,
    double VerificationsPerSecond,
    double KeysPerSecond)
{
    private const int Repeats = 7;
    private const int WarmUpMilliseconds = 300;

    /// <summary>Measures; takes about five seconds.</summary>
    public static MachineRates Measure()
    {
        const int Block = 64 * 1024;
        const int Blocks = 512;
        using Aes aes = Aes.Create();
        aes.Mode = CipherMode.ECB;
        aes.Padding = PaddingMode.None;
        using ICryptoTransform cipher = aes.CreateEncryptor();
        byte[] counters = new byte[Block];
        byte[] stream = new byte[Block];
        double aesRate = Best((double)Block * Blocks, () =>
        {
            for (int i = 0; i < Blocks; i++)
            {
                cipher.TransformBlock(counters, 0, Block, stream, 0);
            }
        });

        FieldVector small = new(8 * 1024, 16);
        FieldVector addend = new(8 * 1024, 16);
        double addRate = Best(16.0 * 1024 * Blocks, () =>
        {
            for (int i = 0; i < Blocks; i++)
            {
                small.Add(addend);
            }
        });

        FieldVector vector = new(1_000_000, 16);
        MaskKey[] masks = [.. Enumerable.Range(0, 50).Select(_ => new MaskKey(RandomNumberGenerator.GetBytes(32), false))];
        double maskRate = Best(50 * 2e6, () => MaskLayer.Apply(vector, masks, threads: 1));

        using AgreementKeyPair own = AgreementKeyPair.Create();
        using AgreementKeyPair peer = AgreementKeyPair.Create();
        byte[] secret = new byte[AgreementKeyPair.SecretBytes];
        double agreements = Best(500, () => Repeat(500, () => own.Agree(peer.PublicKey, secret)));
        using DeviceSigningKey signer = DeviceSigningKey.Create();
        using DeviceVerifyingKey verifier = signer.ToVerifyingKey();
        byte[] signature = signer.Sign(secret);
        double verifications = Best(1_000, () => Repeat(1_000, () => verifier.Verify(secret, signature)));
        double keys = Best(500, () => Repeat(500, () => AgreementKeyPair.Create().Dispose()));
        return new MachineRates(aesRate / 1e9, addRate / 1e9, maskRate / 1e9, agreements, verifications, keys);
    }

    private static void Repeat(int times, Action work)
    {
        for (int i = 0; i < times; i++)
        {
            work();
        }
    }

    private static double Best(double amount, Action work)
    {
        // Long enough for the just-in-time compiler to be done with it.
        long warmUp = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(warmUp).TotalMilliseconds < WarmUpMilliseconds)
        {
            work();
        }

        double best = 0;
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            best = Math.Max(best, amount / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
