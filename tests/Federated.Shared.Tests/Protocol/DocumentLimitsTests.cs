using Federated.Shared.Protocol;
using Federated.Shared.Updates.Values;

namespace Federated.Shared.Tests.Protocol;

/// <summary>Each value a document may not hold, and that the message names it.</summary>
public sealed class DocumentLimitsTests
{
    public static TheoryData<string, PlanDocument> WrongPlans => new()
    {
        { "job has 129 bytes, the limit is 128", KnownDocuments.Plan with { JobId = new string('a', 129) } },
        { "round is 0", KnownDocuments.Plan with { Round = 0 } },
        { "model version is -1", KnownDocuments.Plan with { ModelVersion = -1 } },
        { "adapter length is 0", KnownDocuments.Plan with { AdapterLengthBytes = 0 } },
        { "parameter count is 500000001", KnownDocuments.Plan with { ParameterCount = 500_000_001 } },
        { "density is 0.3", KnownDocuments.Plan with { Codec = KnownDocuments.PlanWithCodec.Codec! with { Density = 0.3 } } },
        { "value encoding is 6", KnownDocuments.Plan with { Codec = KnownDocuments.PlanWithCodec.Codec! with { Values = (ValueEncoding)6 } } },
        { "Momentum 1", KnownDocuments.Plan with { Codec = KnownDocuments.PlanWithCodec.Codec! with { Momentum = 1 } } },
        { "deadline is 0", KnownDocuments.Plan with { Deadline = TimeSpan.Zero } },
        { "deadline is 2592000001", KnownDocuments.Plan with { Deadline = TimeSpan.FromDays(30) + TimeSpan.FromMilliseconds(1) } },
        { "cohort size is 0", KnownDocuments.Plan with { CohortSize = 0 } },
        { "goal is 0", KnownDocuments.Plan with { Goal = 0 } },
        { "epochs is 1001", Training(new LocalTrainingPlan { Epochs = 1_001 }) },
        { "batch size is -1", Training(new LocalTrainingPlan { BatchSize = -1 }) },
        { "optimizer is 3", Training(new LocalTrainingPlan { Optimizer = (LocalOptimizer)3 }) },
        { "learning rate is NaN", Training(new LocalTrainingPlan { LearningRate = double.NaN }) },
        { "learning rate is 0", Training(new LocalTrainingPlan { LearningRate = 0 }) },
        { "learning rate is Infinity", Training(new LocalTrainingPlan { LearningRate = double.PositiveInfinity }) },
        { "momentum is 1", Training(new LocalTrainingPlan { Momentum = 1 }) },
        { "beta2 is 1", Training(new LocalTrainingPlan { Beta2 = 1 }) },
        { "epsilon is 0", Training(new LocalTrainingPlan { Epsilon = 0 }) },
        { "weight decay is -1", Training(new LocalTrainingPlan { WeightDecay = -1 }) },
        { "proximal mu is NaN", Training(new LocalTrainingPlan { ProximalMu = double.NaN }) },
    };

    [Theory]
    [MemberData(nameof(WrongPlans), DisableDiscoveryEnumeration = true)]
    public void Plan_ImpossibleValue_IsNamed(string what, PlanDocument plan)
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PlanDocument.FromBytes(plan.ToBytes()));
        Assert.Equal(ErrorCode.MalformedDocument, e.Code);
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_LongerThanItsLimit_IsNotEvenRead()
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => PlanDocument.FromBytes(new byte[ProtocolLimits.MaxPlanBytes + 1]));
        Assert.Equal(ErrorCode.LimitExceeded, e.Code);
    }

    [Fact]
    public void Update_OfAnotherModel_IsMalformed()
    {
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => UpdateDocument.FromBytes(KnownDocuments.Update.ToBytes(), 4));
        Assert.Contains("parameter count is 3, allowed is 4 to 4", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Update_BodyOfAnotherLength_IsMalformed()
    {
        byte[] bytes = (KnownDocuments.Update with { Body = new byte[8] }).ToBytes();
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => UpdateDocument.FromBytes(bytes, 3));
        Assert.Contains("body has 8 bytes, expected are 12", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Update_NoExamples_IsMalformed()
    {
        byte[] bytes = (KnownDocuments.Update with { ExampleCount = 0 }).ToBytes();
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => UpdateDocument.FromBytes(bytes, 3));
        Assert.Contains("example count is 0", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkpoint_FiveOptimizerStates_IsMalformed()
    {
        CheckpointDocument checkpoint = KnownDocuments.Checkpoint with { OptimizerState = [.. Enumerable.Repeat(new float[3], 5)] };
        ProtocolViolationException e = Assert.Throws<ProtocolViolationException>(() => CheckpointDocument.FromBytes(checkpoint.ToBytes()));
        Assert.Contains("5 optimizer states, the limit is 4", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("Device_7.local-2", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(".hidden", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    [InlineData("a b", false)]
    public void IsIdentifier_Text_IsJudged(string? text, bool expected) => Assert.Equal(expected, ProtocolLimits.IsIdentifier(text));

    [Fact]
    public void IsIdentifier_TooLong_IsNone()
    {
        Assert.True(ProtocolLimits.IsIdentifier(new string('a', ProtocolLimits.MaxIdentifierLength)));
        Assert.False(ProtocolLimits.IsIdentifier(new string('a', ProtocolLimits.MaxIdentifierLength + 1)));
    }

    private static PlanDocument Training(LocalTrainingPlan training) => KnownDocuments.Plan with { Training = training };
}
