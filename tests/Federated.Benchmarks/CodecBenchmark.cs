using System.Buffers;
using BenchmarkDotNet.Attributes;
using Federated.Shared.Randomness;
using Federated.Shared.SecureAggregation;
using Federated.Shared.Updates;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Benchmarks;

/// <summary>
/// Encoding and decoding of one update on one thread. An operation takes a vector of P float32, so gigabytes of input a second are 4·P over
/// the time in nanoseconds.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class CodecBenchmark
{
    private const int Clients = 20;

    private readonly ArrayBufferWriter<byte> _document = new(8 << 20);
    private float[] _update = null!;
    private float[] _decoded = null!;
    private LinearRound _round = null!;
    private SharedIndexSet _set = null!;
    private LinearEncoder _linearEncoder = null!;
    private LinearDecoder _linearDecoder = null!;
    private FieldVector _sum = null!;
    private long[] _totals = null!;
    private LaneGenerator _dither = null!;
    private byte[] _packed = null!;
    private PlainEncoder _topK = null!;
    private PlainEncoder _dense8 = null!;
    private Residual _residual = null!;
    private byte[] _topKDocument = null!;
    private byte[] _dense8Document = null!;
    private long _roundNumber;

    /// <summary>P.</summary>
    [Params(1_000_000)]
    public int Parameters { get; set; }

    /// <summary>Makes an update and everything that a client or server keeps between rounds.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        SeededGenerator random = SeededGenerator.For(1, "benchmark");
        _update = new float[Parameters];
        for (int i = 0; i < _update.Length; i++)
        {
            _update[i] = (float)(random.NextGaussian() * 1e-3 * Math.Exp(random.NextGaussian()));
        }

        _decoded = new float[Parameters];
        _dither = LaneGenerator.For(1, "dither");
        SetUpLinear();
        _residual = new Residual("benchmark", Parameters);
        _topK = new PlainEncoder(new PlainCodec { Density = 0.01, Values = ValueEncoding.Block8 }, Parameters);
        _topKDocument = _topK.Encode(_update, ++_roundNumber, _residual, null).ToBytes();
        _dense8 = new PlainEncoder(new PlainCodec { Density = 1, Values = ValueEncoding.Block8, KeepsResidual = false }, Parameters);
        _dense8Document = _dense8.Encode(_update, 1, null, _dither).ToBytes();
    }

    /// <summary>Private path, 10 %, 12 bits: draw the set, restrict, clip, rotate, quantize, pack.</summary>
    [Benchmark]
    public LinearEncoding EncodeLinear()
    {
        LinearEncoder encoder = new(_round, SharedIndexSet.Random(_round.Seed, Parameters, _round.SetSize));
        LinearEncoding encoding = encoder.Encode(_update, 600, 0, _dither);
        encoder.Pack(_packed);
        return encoding;
    }

    /// <summary>The same with the set and the buffers at hand.</summary>
    [Benchmark]
    public LinearEncoding EncodeLinearAgain()
    {
        LinearEncoding encoding = _linearEncoder.Encode(_update, 600, 0, _dither);
        _linearEncoder.Pack(_packed);
        return encoding;
    }

    /// <summary>Adds one device's masked fields to its group's sum.</summary>
    [Benchmark]
    public void AddMasked() => _sum.AddPacked(_packed);

    /// <summary>Decodes a sum: once a round, however many clients.</summary>
    [Benchmark]
    public LinearStatistics DecodeLinear() => _linearDecoder.Decode(_totals, 1, _decoded);

    /// <summary>Sums up the votes that a voted set of 10 % asks for: a quarter of it.</summary>
    [Benchmark]
    public void CastVotes() => ResidualVotes.Cast(_round.Seed, _update, _decoded.AsSpan(0, _round.SetSize / 4));

    /// <summary>Draws the index set.</summary>
    [Benchmark]
    public SharedIndexSet DrawSet() => SharedIndexSet.Random(_round.Seed, Parameters, _round.SetSize);

    /// <summary>Plain path, top 1 %, 8 bits, Golomb: residual, selection, quantization, indices, document.</summary>
    [Benchmark]
    public int EncodeTopK()
    {
        _document.ResetWrittenCount();
        _topK.Encode(_update, ++_roundNumber, _residual, null).Write(_document);
        return _document.WrittenCount;
    }

    /// <summary>Reads and spreads it over P parameters.</summary>
    [Benchmark]
    public void DecodeTopK() => EncodedVector.FromBytes(_topKDocument, Parameters).CopyTo(_decoded);

    /// <summary>All parameters in 8-bit blocks, rounded at random.</summary>
    [Benchmark]
    public int EncodeDense8()
    {
        _document.ResetWrittenCount();
        _dense8.Encode(_update, 1, null, _dither).Write(_document);
        return _document.WrittenCount;
    }

    /// <summary>Reads it.</summary>
    [Benchmark]
    public void DecodeDense8() => EncodedVector.FromBytes(_dense8Document, Parameters).CopyTo(_decoded);

    private void SetUpLinear()
    {
        int count = Parameters / 10;
        int block = HadamardRotation.BlockFor(count);
        const double Clip = 10;
        _round = new LinearRound
        {
            Seed = 1,
            ParameterCount = Parameters,
            IndexSet = IndexSetKind.Random,
            SetSize = count,
            ClipNorm = Clip,
            Step = RingWidth.FinestStep(12, Clip, HadamardRotation.PaddedLength(count, block), Clients),
            WidthBits = 12,
            RotationBlock = block,
            MinClients = 1,
            MaxClients = Clients,
            MaxExamples = 600,
        };
        _set = SharedIndexSet.Random(_round.Seed, Parameters, count);
        _linearEncoder = new LinearEncoder(_round, _set);
        _linearDecoder = new LinearDecoder(_round, _set);
        _sum = new FieldVector(_round.FieldCount, _round.WidthBits);
        _packed = new byte[_round.PackedBytes];
        _linearEncoder.Encode(_update, 600, 0, _dither);
        _linearEncoder.Pack(_packed);

        // The upper bits of an encoder's coordinates are those of the signed number.
        _totals = new long[_round.FieldCount];
        for (int i = 0; i < _totals.Length; i++)
        {
            uint field = _linearEncoder.Fields[i];
            _totals[i] = i < _round.PaddedLength ? unchecked((int)field) : field;
        }
    }
}
