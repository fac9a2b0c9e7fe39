using System.Buffers;
using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Federated.Server.Aggregation;
using Federated.Server.Jobs;
using Federated.Shared.Randomness;
using Federated.Shared.Updates;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;

namespace Federated.Simulator.Bench;

/// <summary>
/// Measures codecs on one synthetic update: normal values times log-normal magnitudes of 0.001, which resembles the deltas of a trained
/// network. On one thread, in this process.
/// </summary>
internal sealed class CodecBench
{
    private const int Repeats = 7;

    private readonly float[] _update;
    private readonly float[] _decoded;
    private readonly int _clients;
    private readonly ulong _seed;

    /// <summary>Makes the update.</summary>
    /// <param name="parameters">P.</param>
    /// <param name="clients">n of the private path.</param>
    /// <param name="seed">Seed of the update.</param>
    public CodecBench(int parameters, int clients, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "codec-bench");
        _update = new float[parameters];
        foreach (ref float value in _update.AsSpan())
        {
            value = (float)(random.NextGaussian() * 1e-3 * Math.Exp(random.NextGaussian()));
        }

        _decoded = new float[parameters];
        _clients = clients;
        _seed = seed;
    }

    /// <summary>A codec of the plain path. With a residual, the error is that of its first round.</summary>
    public CodecRow Plain(string name, PlainCodec codec)
    {
        PlainEncoder encoder = new(codec, _update.Length);
        ArrayBufferWriter<byte> document = new((int)codec.MaxLengthBytes(_update.Length));
        LaneGenerator dither = LaneGenerator.For(_seed, "dither");
        encoder.Encode(_update, 1, codec.KeepsResidual ? new Residual("codec", _update.Length) : null, dither).Write(document);
        byte[] payload = document.WrittenSpan.ToArray();
        double decode = Rate(() => EncodedVector.FromBytes(payload, _update.Length).CopyTo(_decoded));
        (double all, double sent) = Errors(_decoded);

        Residual? residual = codec.KeepsResidual ? new Residual("codec", _update.Length) : null;
        long round = 0;
        double encode = Rate(() =>
        {
            document.ResetWrittenCount();
            encoder.Encode(_update, ++round, residual, dither).Write(document);
        });
        return Row(name, payload.Length, all, sent, encode, decode);
    }

    /// <summary>The private path with a random set; decoded as the server does, unpacked, summed and decoded, of one client in a group of n.</summary>
    /// <param name="density">k/P.</param>
    /// <param name="widthBits">b.</param>
    public CodecRow Linear(double density, int widthBits)
    {
        int count = Math.Max(1, (int)(density * _update.Length));
        int block = HadamardRotation.BlockFor(count);
        SharedIndexSet set = SharedIndexSet.Random(_seed, _update.Length, count);
        float[] restricted = new float[count];
        set.Indices.Gather(_update, restricted);
        double clip = Math.Max(L2Clip.Norm(restricted) * 1.0001, 1e-12);
        LinearRound round = new()
        {
            Seed = _seed,
            ParameterCount = _update.Length,
            IndexSet = IndexSetKind.Random,
            SetSize = count,
            ClipNorm = clip,
            Step = RingWidth.FinestStep(widthBits, clip, HadamardRotation.PaddedLength(count, block), _clients),
            WidthBits = widthBits,
            RotationBlock = block,
            MinClients = 1,
            MaxClients = _clients,
            MaxExamples = 1,
        };

        LinearEncoder encoder = new(round, set);
        LaneGenerator dither = LaneGenerator.For(_seed, "dither");
        byte[] packed = new byte[round.PackedBytes];
        ArrayBufferWriter<byte> document = new(packed.Length + EncodedVector.OverheadBytes);
        double encode = Rate(() =>
        {
            SharedIndexSet.Random(_seed, _update.Length, count);
            encoder.Encode(_update, 1, 0, dither);
            encoder.Pack(packed);
            document.ResetWrittenCount();
            LinearPayload.Write(round, packed, document);
        });

        byte[] payload = document.WrittenSpan.ToArray();
        LinearDecoder decoder = new(round, set);
        byte[] values = new byte[round.FieldCount * sizeof(float)];
        RunningSum sum = new(round.FieldCount);
        double decode = Rate(() =>
        {
            sum.Clear();
            Span<float> fields = MemoryMarshal.Cast<byte, float>(values.AsSpan());
            LinearSettings.Unpack(round, LinearPayload.FromBytes(payload, round).Span, fields);
            sum.Fold([new PendingUpdate(values, 1, RunningSum.Check(fields, 1).MaxMagnitude)]);
            decoder.Decode(sum.WholeNumbers(), 1, _decoded);
        });
        (double all, _) = Errors(_decoded);

        // Without the scaling, what is left is the rounding.
        TensorPrimitives.Divide(_decoded, set.Scale, _decoded);
        return Row($"linear {density:0.###%}, {widthBits} bits, n = {_clients}", payload.Length, all, Errors(_decoded).Sent, encode, decode);
    }

    private CodecRow Row(string name, int bytes, double error, double errorSent, double encode, double decode) =>
        new(name, bytes, (double)_update.Length * sizeof(float) / bytes, error, errorSent, encode, decode);

    /// <summary>Relative error over all parameters and over those that are not zero in <paramref name="decoded"/>.</summary>
    private (double All, double Sent) Errors(float[] decoded)
    {
        double error = 0;
        double norm = 0;
        double errorSent = 0;
        double normSent = 0;
        for (int i = 0; i < decoded.Length; i++)
        {
            double square = (double)_update[i] * _update[i];
            double difference = Math.Pow((double)_update[i] - decoded[i], 2);
            error += difference;
            norm += square;
            if (decoded[i] != 0)
            {
                errorSent += difference;
                normSent += square;
            }
        }

        return (Math.Sqrt(error / norm), normSent == 0 ? 0 : Math.Sqrt(errorSent / normSent));
    }

    private double Rate(Action work)
    {
        work();
        double best = double.PositiveInfinity;
        for (int i = 0; i < Repeats; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return _update.Length * (double)sizeof(float) / best / 1e9;
    }
}
