using Federated.Client.Session;
using Federated.Client.Tests.Scene;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Indices;
using Federated.Shared.Updates.Linear;
using Federated.Training;

namespace Federated.Client.Tests.Session;

public sealed class LinearUpdateTests
{
    [Fact]
    public async Task Encode_RoundWithNoise_AddsSecretNoiseThatNoSeedRepeats()
    {
        await using RoundScene scene = await RoundScene.OpenAsync();
        LinearRound round = new()
        {
            Seed = 1,
            ParameterCount = RoundScene.Parameters,
            IndexSet = IndexSetKind.Random,
            SetSize = RoundScene.Parameters,
            ClipNorm = 1,
            Step = 1e-2,
            WidthBits = 18,
            RotationBlock = 8,
            MinClients = 1,
            MaxClients = 4,
            MaxExamples = 1,
        };
        float[] delta = new float[RoundScene.Parameters];
        PlanDocument quiet = scene.Plan with { Linear = round };
        PlanDocument noisy = scene.Plan with { Linear = round with { Noise = new LinearNoise(10_000, 100) } };
        LocalTrainingResult training = new(3, 5, 0.5);
        MemoryResiduals residuals = new();

        Assert.Equal(LinearUpdate.Encode(quiet, null, "device", delta, training, residuals).Pack(), LinearUpdate.Encode(quiet, null, "device", delta, training, residuals).Pack());
        byte[] first = LinearUpdate.Encode(noisy, null, "device", delta, training, residuals).Pack();
        Assert.NotEqual(first, LinearUpdate.Encode(noisy, null, "device", delta, training, residuals).Pack());
    }
}
