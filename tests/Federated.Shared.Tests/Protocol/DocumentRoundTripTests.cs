using System.Runtime.InteropServices;
using CsCheck;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Protocol;

public sealed class DocumentRoundTripTests
{
    private static readonly Gen<string> _name = Gen.Char["ABCXYZabcxyz0189._-äµ日"].Array[1, 40].Select(characters => new string(characters));
    private static readonly Gen<ContentHash> _hash = Gen.Byte.Array[32].Select(bytes => ContentHash.FromBytes(bytes));
    private static readonly Gen<double> _share = Gen.Double.Unit;

    private static readonly PlainCodec[] _codecs =
    [
        new() { Density = 0.001, Values = ValueEncoding.Sign, StaleDecay = 0.9f },
        new() { Density = 0.25, Values = ValueEncoding.Block2, Momentum = 0.7f },
        new() { Density = 1, Values = ValueEncoding.Block8, KeepsResidual = false },
    ];

    private static readonly Gen<LocalTrainingPlan> _training = Gen.Select(
        Gen.Int[1, 1_000],
        Gen.Int[0, ProtocolLimits.MaxExamples],
        Gen.Int[0, int.MaxValue],
        Gen.Enum<LocalOptimizer>(),
        Gen.Double[1e-12, 1e6],
        Gen.Select(_share, _share, Gen.Double[1e-300, 1], Gen.Double[0, 1e6], Gen.Double[0, 1e6]),
        (epochs, batch, steps, optimizer, rate, rest) => new LocalTrainingPlan
        {
            Epochs = epochs,
            BatchSize = batch,
            MaxSteps = steps,
            Optimizer = optimizer,
            LearningRate = rate,
            Momentum = rest.Item1,
            Beta2 = rest.Item2,
            Epsilon = rest.Item3,
            WeightDecay = rest.Item4,
            ProximalMu = rest.Item5,
        });

    private static readonly Gen<PlanDocument> _plan = Gen.Select(
        Gen.Select(_name, Gen.Long[1, long.MaxValue], Gen.Long[0, long.MaxValue], _hash, _hash),
        Gen.Select(Gen.Long[1, ProtocolLimits.MaxDownloadBytes], Gen.Int[1, ProtocolLimits.MaxParameters], Gen.ULong),
        Gen.Select(Gen.Long[1, ProtocolLimits.MaxDownloadBytes], Gen.Int[1, 2_000_000_000], Gen.Int[1, 10_000_000], Gen.Int[1, 10_000_000]),
        _training,
        (names, sizes, limits, training) => new PlanDocument
        {
            JobId = names.Item1,
            Round = names.Item2,
            ModelVersion = names.Item3,
            Package = names.Item4,
            Adapter = names.Item5,
            AdapterLengthBytes = sizes.Item1,
            ParameterCount = sizes.Item2,
            Seed = sizes.Item3,
            Codec = limits.Item2 % 2 == 0 ? null : _codecs[limits.Item2 / 2 % _codecs.Length],
            MaxUpdateBytes = limits.Item1,
            Deadline = TimeSpan.FromMilliseconds(limits.Item2),
            CohortSize = limits.Item3,
            Goal = limits.Item4,
            Training = training,
        });

    [Fact]
    public void Plan_Any_ReadsBackTheSame() => _plan.Sample(plan => PlanDocument.FromBytes(plan.ToBytes()) == plan);

    [Fact]
    public void Update_Any_ReadsBackTheSame() => Gen.Select(
        _name, Gen.Long[1, long.MaxValue], Gen.Long[0, long.MaxValue], Gen.Int[1, ProtocolLimits.MaxExamples], Gen.Int[0, int.MaxValue], Gen.Double, Gen.Float.Array[1, 300])
        .Sample((job, round, version, examples, steps, loss, delta) =>
        {
            UpdateDocument update = new()
            {
                JobId = job,
                Round = round,
                ModelVersion = version,
                Encoding = UpdateEncoding.DenseFloat32,
                ExampleCount = examples,
                StepCount = steps,
                MeanLoss = loss,
                ParameterCount = delta.Length,
                Body = MemoryMarshal.AsBytes<float>(delta).ToArray(),
            };
            byte[] bytes = update.ToBytes();
            UpdateDocument read = UpdateDocument.FromBytes(bytes, delta.Length);
            return bytes.Length <= (delta.Length * sizeof(float)) + UpdateDocument.OverheadBytes
                && (read with { Body = default }) == (update with { Body = default })
                && read.Body.Span.SequenceEqual(update.Body.Span);
        });

    [Fact]
    public void Update_LongestHeader_StaysWithinTheOverhead()
    {
        UpdateDocument update = KnownDocuments.Update with
        {
            JobId = new string('a', ProtocolLimits.MaxIdentifierLength),
            Round = long.MaxValue,
            ModelVersion = long.MaxValue,
            ExampleCount = ProtocolLimits.MaxExamples,
            StepCount = int.MaxValue,
            ParameterCount = 70_000,
            Body = new byte[280_000],
        };

        Assert.InRange(update.ToBytes().Length - update.Body.Length, 1, UpdateDocument.OverheadBytes);
    }

    [Fact]
    public void Adapter_Any_ReadsBackTheSameBits() => Gen.Select(Gen.Long[0, long.MaxValue], Gen.Float.Array[1, 300]).Sample((version, values) =>
    {
        AdapterDocument read = AdapterDocument.FromBytes(AdapterDocument.ToBytes(version, values), values.Length);
        return read.ModelVersion == version && read.ParameterCount == values.Length
            && read.Values.Span.SequenceEqual(MemoryMarshal.AsBytes<float>(values));
    });

    [Fact]
    public void Checkpoint_Any_ReadsBackTheSameBits() => Gen.Select(
        _name, Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue], _name, _hash, Gen.Int[1, 60].SelectMany(count => Gen.Select(Gen.Const(count), Gen.Float.Array[count].Array[0, 4])))
        .Sample((job, round, version, optimizer, adapter, state) =>
        {
            CheckpointDocument checkpoint = new()
            {
                JobId = job,
                Round = round,
                ModelVersion = version,
                Optimizer = optimizer,
                ParameterCount = state.Item1,
                Adapter = adapter,
                OptimizerState = [.. state.Item2],
            };
            CheckpointDocument read = CheckpointDocument.FromBytes(checkpoint.ToBytes());
            return (read with { OptimizerState = default }) == (checkpoint with { OptimizerState = default })
                && read.OptimizerState.Length == state.Item2.Length
                && read.OptimizerState.Zip(state.Item2).All(pair =>
                    MemoryMarshal.AsBytes<float>(pair.First).SequenceEqual(MemoryMarshal.AsBytes<float>(pair.Second)));
        });
}
