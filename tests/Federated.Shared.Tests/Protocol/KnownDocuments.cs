using System.Runtime.InteropServices;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Protocol;

/// <summary>The documents whose bytes <c>tests/Golden</c> holds, written down a second time as values.</summary>
internal static class KnownDocuments
{
    /// <summary>P of update, adapter and checkpoint.</summary>
    public const int ParameterCount = 3;

    public static ContentHash PackageHash { get; } = HashFrom(0);

    public static ContentHash AdapterHash { get; } = HashFrom(32);

    public static float[] AdapterValues { get; } = [1f, -2f, 0.15625f];

    public static PlanDocument Plan { get; } = new()
    {
        JobId = "mnist",
        Round = 7,
        ModelVersion = 6,
        Package = PackageHash,
        Adapter = AdapterHash,
        AdapterLengthBytes = 796_855,
        ParameterCount = 199_210,
        Seed = 0xFEDC_BA98_7654_3210,
        MaxUpdateBytes = 797_096,
        Deadline = TimeSpan.FromMinutes(10),
        CohortSize = 13,
        Goal = 10,
        Training = new LocalTrainingPlan
        {
            Epochs = 5,
            BatchSize = 10,
            MaxSteps = 0,
            Optimizer = LocalOptimizer.Momentum,
            LearningRate = 0.05,
            Momentum = 0.9,
            Beta2 = 0.999,
            Epsilon = 1e-8,
            WeightDecay = 0,
            ProximalMu = 0.01,
        },
    };

    public static PlanDocument PlanWithCodec { get; } = Plan with
    {
        Codec = new PlainCodec { Density = 0.01, Values = ValueEncoding.Block4, Momentum = 0.5f, StaleDecay = 0.75f },
    };

    public static PlanDocument PlanWithParameters { get; } = Plan with
    {
        Parameters = new ParameterPlan { Rank = 4, SentCount = 2_000, Roles = [ParameterRole.Frozen, ParameterRole.Sent, ParameterRole.Kept] },
    };

    public static PlanDocument PlanWithLinear { get; } = Plan with
    {
        Linear = Updates.KnownPayloads.Round,
        Parameters = PlanWithParameters.Parameters! with { SentCount = Updates.KnownPayloads.ParameterCount },
        Group = 5,
    };

    public static UpdateDocument EncodedUpdate { get; } = new()
    {
        JobId = "mnist",
        Round = 7,
        ModelVersion = 6,
        Encoding = UpdateEncoding.EncodedVector,
        ExampleCount = 600,
        StepCount = 60,
        MeanLoss = 0.25,
        ParameterCount = ParameterCount,
        Body = new byte[] { 1, 2, 3, 4, 5 },
    };

    public static PlanDocument PlanWithDirections { get; } = Plan with { Directions = new DirectionPlan(0x0123_4567_89AB_CDEF, 128, 0.001) };

    public static PlanDocument PlanWithOffers { get; } = Plan with
    {
        Offers = new AdapterOffers
        {
            Rounded = new ObjectReference(HashFrom(64), 204_811),
            Changes = [new AdapterChange(new ObjectReference(HashFrom(96), 7_969), 0x0123_4567_89AB_CDEF, 3_984), new AdapterChange(new ObjectReference(HashFrom(128), 100), null, 0)],
        },
    };

    public static UpdateDocument MaskedUpdate { get; } = EncodedUpdate with
    {
        Encoding = UpdateEncoding.MaskedFields, ExampleCount = 1, StepCount = 0, MeanLoss = 0,
    };

    public static UpdateDocument Update { get; } = new()
    {
        JobId = "mnist",
        Round = 7,
        ModelVersion = 6,
        Encoding = UpdateEncoding.DenseFloat32,
        ExampleCount = 600,
        StepCount = 60,
        MeanLoss = 0.25,
        ParameterCount = ParameterCount,
        Body = MemoryMarshal.AsBytes<float>(new float[] { 0.5f, -1.25f, 0f }).ToArray(),
    };

    public static CheckpointDocument Checkpoint { get; } = new()
    {
        JobId = "mnist",
        Round = 7,
        ModelVersion = 6,
        Optimizer = "fedAdam",
        ParameterCount = ParameterCount,
        Adapter = AdapterHash,
        OptimizerState = [[0.5f, -0.5f, 0.25f], [1e-6f, 0.0625f, 2f]],
    };

    public static PackageManifest Manifest { get; } = new()
    {
        Format = PackageManifest.CurrentFormat,
        Name = "tagger",
        Task = ModelTask.Classification,
        Inputs = [new PackageInput("pixels", ElementType.Float32, [1, 784])],
        Labels = new PackageLabels(ElementType.Int64, [], 10),
        Parameters =
        [
            new PackageParameter("dense1.lora_A.weight", [4, 784], new LoraFactor("dense1", LoraMatrix.A, 4, 2)),
            new PackageParameter("dense1.lora_B.weight", [10, 4], new LoraFactor("dense1", LoraMatrix.B, 4, 2)),
            new PackageParameter("dense1.bias", [10]),
        ],
        Lora = new PackageLora(4, 8, "dense.*", 7),
        FullModelParameters = 7_850,
        Gradient = new PackageFile(PackageHash.Hex, 2_048),
        Evaluation = new PackageFile(AdapterHash.Hex, 1_024),
        FrozenWeights = [new PackageFile(PackageHash.Hex, 31_360)],
        Provenance = new PackageProvenance("tagger.onnx", AdapterHash.Hex, "pytorch 2.4.0", 17),
    };

    /// <summary>32 bytes that count up.</summary>
    private static ContentHash HashFrom(int first) => ContentHash.FromBytes([.. Enumerable.Range(first, 32).Select(i => (byte)i)]);
}
