using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Shared.Models;

namespace Federated.Training.Data;

/// <summary>Which of a source's examples are trained on and which are held out.</summary>
/// <param name="Training">Indices of the source, rising.</param>
/// <param name="HeldOut">Indices of the source, rising; none of them is in <paramref name="Training"/>, nor has the features of one that is.</param>
public sealed record ExampleSplit(int[] Training, int[] HeldOut)
{
    /// <summary>
    /// Splits by a number that each example gets from its features and the seed alone: u, uniform in [0, 1), the first 53 bits of SHA-256 over seed and
    /// features. Held out is what lies below the share, and of the others those with the smallest numbers are kept up to the limit. So the side of an example
    /// changes neither with its place nor with other examples, copies lie on one side, and under a limit a new example puts out one other at most.
    /// </summary>
    /// <param name="source">At least the examples; every one is copied out once.</param>
    /// <param name="holdOut">Expected share that is held out, in [0, 1).</param>
    /// <param name="limit">Most examples that are trained on, at least 1; no limit when null.</param>
    /// <param name="seed">Another seed, another choice.</param>
    /// <exception cref="ArgumentOutOfRangeException">Share or limit lies outside its range.</exception>
    public static ExampleSplit Of(IExampleSource source, double holdOut, int? limit, long seed)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (holdOut is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(holdOut), holdOut, "The share that is held out lies in [0, 1).");
        }

        if (limit < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(limit), limit, "A limit is at least 1 example.");
        }

        if (holdOut == 0 && (limit is null || limit >= source.Count))
        {
            return new ExampleSplit([.. Enumerable.Range(0, source.Count)], []);
        }

        double[] numbers = Numbers(source, seed);
        int[] heldOut = [.. Enumerable.Range(0, numbers.Length).Where(i => numbers[i] < holdOut)];
        int[] training = [.. Enumerable.Range(0, numbers.Length).Where(i => numbers[i] >= holdOut)];
        if (limit < training.Length)
        {
            // Sorting is stable, so equal numbers keep the order of the source.
            training = [.. training.OrderBy(i => numbers[i]).Take(limit.Value).Order()];
        }

        return new ExampleSplit(training, heldOut);
    }

    private static double[] Numbers(IExampleSource source, long seed)
    {
        ExampleFormat format = source.Format;
        float[] features = format.FeatureType == ElementType.Float32 ? new float[format.FeatureLength] : [];
        long[] tokens = features.Length == 0 ? new long[format.FeatureLength] : [];
        long[] labels = format.LabelType == ElementType.Int64 ? new long[format.LabelLength] : [];
        float[] targets = labels.Length == 0 ? new float[format.LabelLength] : [];
        Span<byte> seedBytes = stackalloc byte[sizeof(long)];
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteInt64LittleEndian(seedBytes, seed);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        double[] numbers = new double[source.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            source.CopyTo([i], new ExampleBatch(features, tokens, labels, targets));
            hash.AppendData(seedBytes);
            hash.AppendData(features.Length > 0 ? MemoryMarshal.AsBytes(features.AsSpan()) : MemoryMarshal.AsBytes(tokens.AsSpan()));
            _ = hash.GetHashAndReset(digest);
            numbers[i] = (BinaryPrimitives.ReadUInt64BigEndian(digest) >> 11) * (1.0 / (1UL << 53));
        }

        return numbers;
    }
}
