using CsCheck;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Aggregation.ServerOptimizers;

public sealed class ServerOptimizerTests
{
    private static ServerOptimizerSettings Settings(ServerOptimizerKind kind) => new()
    {
        Optimizer = kind,
        LearningRate = 0.5,
        Momentum = 0.5,
        Beta1 = 0.5,
        Beta2 = 0.75,
        Tau = 0.25,
    };

    // By hand, x = 1, Δ = 1 twice, η = β = β1 = 1/2, β2 = 3/4, τ = 1/4 (v0 = 1/16):
    // fedAvg 1.5, 2. fedAvgM m = 1, 1.5: 1.5, 2.25. All others m = 1/2, 3/4.
    // fedAdagrad v = 17/16, 33/16: x1 = 1 + .25/(√1.0625 + .25) = 1.1951941, x2 = x1 + .375/(√2.0625 + .25) = 1.4175955.
    // fedAdam v = 3/64 + 16/64 = .296875, then .47265625: x1 = 1 + .25/(.5448624 + .25) = 1.3145199, x2 = x1 + .375/(.6875 + .25) = 1.7145199.
    // fedYogi v < Δ² = 1, so v = 1/16 + 1/4 = .3125, then .5625: x1 = 1 + .25/(.5590170 + .25) = 1.3090170, x2 = x1 + .375/(.75 + .25) = 1.6840170.
    [Theory]
    [InlineData(ServerOptimizerKind.FedAvg, 1.5f, 2f)]
    [InlineData(ServerOptimizerKind.FedAvgM, 1.5f, 2.25f)]
    [InlineData(ServerOptimizerKind.FedAdagrad, 1.1951941f, 1.4175955f)]
    [InlineData(ServerOptimizerKind.FedAdam, 1.3145199f, 1.7145199f)]
    [InlineData(ServerOptimizerKind.FedYogi, 1.3090170f, 1.6840170f)]
    public void Apply_TwoRoundsOfOnes_GivesTheAnswerWorkedByHand(ServerOptimizerKind kind, float first, float second)
    {
        const int Length = 37;
        IServerOptimizer optimizer = ServerOptimizer.Create(Settings(kind));
        float[] adapter = [.. Enumerable.Repeat(1f, Length)];
        float[] update = [.. Enumerable.Repeat(1f, Length)];
        float[][] slots = optimizer.CreateSlots(Length);
        optimizer.Apply(adapter, update, slots);
        Assert.All(adapter, value => Assert.Equal(first, value, 1e-6f));
        optimizer.Apply(adapter, update, slots);
        Assert.All(adapter, value => Assert.Equal(second, value, 1e-6f));
    }

    // v above, equal to and below Δ² = 1/4 moves down, stays, moves up by (1−β2)Δ² = 1/16.
    [Theory]
    [InlineData(1f, 0.9375f)]
    [InlineData(0.25f, 0.25f)]
    [InlineData(0.125f, 0.1875f)]
    public void Apply_Yogi_FollowsTheSign(float before, float after)
    {
        IServerOptimizer optimizer = ServerOptimizer.Create(Settings(ServerOptimizerKind.FedYogi));
        float[][] slots = [[0f], [before]];
        optimizer.Apply(new float[1], [-0.5f], slots);
        Assert.Equal(after, slots[1][0]);
    }

    [Fact]
    public void Apply_AnyLength_EqualsTheScalarTwinBitForBit() =>
        Gen.Select(Gen.Enum<ServerOptimizerKind>(), Gen.Int[1, 100], Gen.ULong).Sample((kind, length, seed) =>
        {
            SeededGenerator generator = SeededGenerator.For(seed, "test");
            ServerOptimizerSettings settings = Settings(kind) with { LearningRate = 0.3, Beta1 = 0.9, Beta2 = 0.99, Momentum = 0.7, Tau = 1e-3 };
            IServerOptimizer optimizer = ServerOptimizer.Create(settings);
            float[] fast = [.. Enumerable.Range(0, length).Select(_ => (float)generator.NextGaussian())];
            float[] slow = [.. fast];
            float[][] fastSlots = optimizer.CreateSlots(length);
            float[][] slowSlots = optimizer.CreateSlots(length);
            for (int round = 0; round < 4; round++)
            {
                float[] update = [.. Enumerable.Range(0, length).Select(_ => (float)(generator.NextGaussian() * 0.01))];
                optimizer.Apply(fast, update, fastSlots);
                ScalarTwin(settings, slow, update, slowSlots);
            }

            return fast.SequenceEqual(slow) && fastSlots.Zip(slowSlots).All(pair => pair.First.SequenceEqual(pair.Second));
        });

    [Theory]
    [InlineData(ServerOptimizerKind.FedAvg, "fedAvg", 0)]
    [InlineData(ServerOptimizerKind.FedAvgM, "fedAvgM", 1)]
    [InlineData(ServerOptimizerKind.FedAdagrad, "fedAdagrad", 2)]
    [InlineData(ServerOptimizerKind.FedAdam, "fedAdam", 2)]
    [InlineData(ServerOptimizerKind.FedYogi, "fedYogi", 2)]
    public void Create_EachKind_HasItsNameAndSlots(ServerOptimizerKind kind, string name, int slots)
    {
        IServerOptimizer optimizer = ServerOptimizer.Create(Settings(kind));
        Assert.Equal((name, slots), (optimizer.Name, optimizer.SlotCount));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.InitialSlotValue(slots));
        Assert.Equal(slots == 2 ? 0.0625f : 0f, slots == 0 ? 0 : optimizer.InitialSlotValue(slots - 1));
    }

    [Fact]
    public void Apply_WrongShapes_AreRefused()
    {
        IServerOptimizer optimizer = ServerOptimizer.Create(Settings(ServerOptimizerKind.FedAdam));
        Assert.Throws<ArgumentException>(() => optimizer.Apply(new float[2], new float[3], optimizer.CreateSlots(2)));
        Assert.Throws<ArgumentException>(() => optimizer.Apply(new float[2], new float[2], optimizer.CreateSlots(3)));
        Assert.Throws<ArgumentException>(() => optimizer.Apply(new float[2], new float[2], []));
    }

    private static void ScalarTwin(ServerOptimizerSettings settings, float[] x, float[] update, float[][] slots)
    {
        float rate = (float)settings.LearningRate;
        float momentum = (float)settings.Momentum;
        float beta1 = (float)settings.Beta1;
        float beta2 = (float)settings.Beta2;
        float tau = (float)settings.Tau;
        for (int i = 0; i < x.Length; i++)
        {
            float d = update[i];
            if (settings.Optimizer == ServerOptimizerKind.FedAvg)
            {
                x[i] += rate * d;
                continue;
            }

            if (settings.Optimizer == ServerOptimizerKind.FedAvgM)
            {
                slots[0][i] = (momentum * slots[0][i]) + d;
                x[i] += rate * slots[0][i];
                continue;
            }

            float v = slots[1][i];
            slots[0][i] = (beta1 * slots[0][i]) + ((1 - beta1) * d);
            slots[1][i] = settings.Optimizer switch
            {
                ServerOptimizerKind.FedAdagrad => v + (d * d),
                ServerOptimizerKind.FedAdam => (beta2 * v) + ((1 - beta2) * (d * d)),
                _ => v - ((1 - beta2) * (d * d) * Math.Sign(v - (d * d))),
            };
            x[i] += rate * slots[0][i] / (MathF.Sqrt(slots[1][i]) + tau);
        }
    }
}
