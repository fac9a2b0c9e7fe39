using CsCheck;
using Federated.Shared.Protocol;
using Federated.Training.Optimizers;

namespace Federated.Training.Tests.Optimizers;

public sealed class LocalOptimizersTests
{
    [Fact]
    public void Step_Sgd_FollowsHandComputedValues()
    {
        // w = 1; g = 0.5: w = 1 - 0.1 * 0.5 = 0.95; g = -1: w = 0.95 + 0.1 = 1.05.
        AssertSteps(new LocalTrainingPlan { LearningRate = 0.1 }, 1, [0.5, -1], [0.95, 1.05]);
    }

    [Fact]
    public void Step_SgdWithDecay_AddsItToTheGradient()
    {
        // w = 1: g = 0.5 + 0.2 * 1 = 0.7, w = 0.93; g = -1 + 0.2 * 0.93 = -0.814, w = 1.0114.
        AssertSteps(new LocalTrainingPlan { LearningRate = 0.1, WeightDecay = 0.2 }, 1, [0.5, -1], [0.93, 1.0114]);
    }

    [Fact]
    public void Step_Momentum_FollowsHandComputedValues()
    {
        // v = 0.5, w = 0.95; v = 0.45 - 1 = -0.55, w = 1.005; v = -0.495 + 2 = 1.505, w = 0.8545.
        AssertSteps(
            new LocalTrainingPlan { Optimizer = LocalOptimizer.Momentum, LearningRate = 0.1, Momentum = 0.9 }, 1, [0.5, -1, 2], [0.95, 1.005, 0.8545]);
    }

    [Fact]
    public void Step_MomentumWithDecay_FollowsHandComputedValues()
    {
        // g = 0.5 + 0.1 = 0.6, v = 0.6, w = 0.94; g = -1 + 0.094 = -0.906, v = 0.3 - 0.906 = -0.606, w = 1.0006.
        AssertSteps(
            new LocalTrainingPlan { Optimizer = LocalOptimizer.Momentum, LearningRate = 0.1, Momentum = 0.5, WeightDecay = 0.1 },
            1,
            [0.5, -1],
            [0.94, 1.0006]);
    }

    [Fact]
    public void Step_AdamW_FollowsHandComputedValues()
    {
        // beta1 = 0.9, beta2 = 0.99, eta = 0.1, lambda = 0.5, w = 1.
        // 1: w = 0.95; m = 0.05, v = 0.0025; mhat = 0.5, vhat = 0.25; w = 0.95 - 0.1 * 0.5 / 0.5 = 0.85.
        // 2: w = 0.8075; m = 0.045 - 0.1 = -0.055, v = 0.002475 + 0.01 = 0.012475; mhat = -0.055 / 0.19 = -0.28947368,
        //    vhat = 0.012475 / 0.0199 = 0.62688442, root 0.79175969; w = 0.8075 + 0.1 * 0.36560801 = 0.84406080.
        AssertSteps(
            new LocalTrainingPlan
            {
                Optimizer = LocalOptimizer.AdamW, LearningRate = 0.1, Momentum = 0.9, Beta2 = 0.99, Epsilon = 1e-12, WeightDecay = 0.5,
            },
            1,
            [0.5, -1],
            [0.85, 0.84406080]);
    }

    [Fact]
    public void Step_AdamWWithLargeEpsilon_AddsItOutsideTheRoot()
    {
        // mhat = 2, root of vhat = 2, epsilon = 1: w = 0 - 0.3 * 2 / 3 = -0.2.
        AssertSteps(new LocalTrainingPlan { Optimizer = LocalOptimizer.AdamW, LearningRate = 0.3, Epsilon = 1 }, 0, [2], [-0.2]);
    }

    [Fact]
    public void Step_AnyRule_AgreesWithItsScalarTwin()
    {
        Gen<float[]> values = Gen.Float[-2, 2].Array[1, 3000];
        Gen<LocalTrainingPlan> plans = Gen.Select(
            Gen.Enum<LocalOptimizer>(), Gen.Double[0.001, 0.5], Gen.Double[0, 0.95], Gen.Double[0.5, 0.999], Gen.OneOf(Gen.Const(0.0), Gen.Double[0.001, 0.1]),
            (optimizer, rate, momentum, beta2, decay) => new LocalTrainingPlan
            {
                Optimizer = optimizer, LearningRate = rate, Momentum = momentum, Beta2 = beta2, WeightDecay = decay, Epsilon = 1e-4,
            });
        Gen.Select(values, Gen.ULong, plans).Sample(
            (start, seed, plan) =>
            {
                Federated.Shared.Randomness.SeededGenerator random = Federated.Shared.Randomness.SeededGenerator.For(seed, "test");
                ILocalOptimizer rule = LocalOptimizers.For(plan);
                float[] fast = [.. start];
                double[] slow = [.. start.Select(v => (double)v)];
                float[] state = new float[rule.StateArrays * start.Length];
                double[] m = new double[start.Length];
                double[] v = new double[start.Length];
                for (int step = 1; step <= 3; step++)
                {
                    float[] gradient = [.. start.Select(_ => (float)((random.NextDouble() * 4) - 2))];
                    for (int i = 0; i < start.Length; i++)
                    {
                        slow[i] = ScalarTwin(plan, step, slow[i], gradient[i], ref m[i], ref v[i]);
                    }

                    rule.Step(step, fast, gradient, state);
                }

                for (int i = 0; i < start.Length; i++)
                {
                    Assert.Equal(slow[i], fast[i], 2e-4);
                }
            },
            iter: 40);
    }

    [Fact]
    public void Step_AnyRule_AllocatesNothing()
    {
        float[] adapter = new float[5000];
        float[] gradient = new float[5000];
        float[] state = new float[10_000];
        foreach (LocalOptimizer kind in Enum.GetValues<LocalOptimizer>())
        {
            ILocalOptimizer rule = LocalOptimizers.For(new LocalTrainingPlan { Optimizer = kind, WeightDecay = 0.1 });
            rule.Step(1, adapter, gradient, state);
            long before = GC.GetAllocatedBytesForCurrentThread();
            rule.Step(2, adapter, gradient, state);
            Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
    }

    public static TheoryData<LocalTrainingPlan, string> ImpossiblePlans => new()
    {
        { new LocalTrainingPlan { Epochs = 0 }, "epochs is 0" },
        { new LocalTrainingPlan { Epochs = 1001 }, "epochs is 1001" },
        { new LocalTrainingPlan { BatchSize = -1 }, "batch size is -1" },
        { new LocalTrainingPlan { MaxSteps = -1 }, "most steps is -1" },
        { new LocalTrainingPlan { LearningRate = 0 }, "learning rate is 0" },
        { new LocalTrainingPlan { LearningRate = double.NaN }, "learning rate is NaN" },
        { new LocalTrainingPlan { LearningRate = double.PositiveInfinity }, "learning rate is Infinity" },
        { new LocalTrainingPlan { Momentum = 1 }, "momentum is 1" },
        { new LocalTrainingPlan { Beta2 = -0.1 }, "beta2 is -0.1" },
        { new LocalTrainingPlan { Epsilon = 0 }, "epsilon is 0" },
        { new LocalTrainingPlan { WeightDecay = -1 }, "weight decay is -1" },
        { new LocalTrainingPlan { ProximalMu = double.NaN }, "proximal mu is NaN" },
        { new LocalTrainingPlan { Optimizer = (LocalOptimizer)9 }, "optimizer is 9" },
    };

    [Theory]
    [MemberData(nameof(ImpossiblePlans))]
    public void For_ValueOutOfRange_NamesItAndTheRange(LocalTrainingPlan plan, string expected)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => LocalOptimizers.For(plan));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("allowed: ", refusal.Message, StringComparison.Ordinal);
    }

    private static void AssertSteps(LocalTrainingPlan plan, float start, double[] gradients, double[] expected)
    {
        // A length that fills neither whole vectors nor whole blocks: every element must take the same path.
        const int Length = 1027;
        ILocalOptimizer rule = LocalOptimizers.For(plan);
        float[] adapter = new float[Length];
        adapter.AsSpan().Fill(start);
        float[] gradient = new float[Length];
        float[] state = new float[rule.StateArrays * Length];
        for (int step = 0; step < gradients.Length; step++)
        {
            gradient.AsSpan().Fill((float)gradients[step]);
            rule.Step(step + 1, adapter, gradient, state);
            Assert.All(adapter, w => Assert.Equal(expected[step], w, 2e-6));
        }
    }

    /// <summary>Each rule as its formula is printed, one parameter at a time, in double precision.</summary>
    private static double ScalarTwin(LocalTrainingPlan plan, int step, double w, double g, ref double m, ref double v)
    {
        double rate = plan.LearningRate;
        switch (plan.Optimizer)
        {
            case LocalOptimizer.Sgd:
                return w - (rate * (g + (plan.WeightDecay * w)));
            case LocalOptimizer.Momentum:
                m = (plan.Momentum * m) + g + (plan.WeightDecay * w);
                return w - (rate * m);
            default:
                w -= rate * plan.WeightDecay * w;
                m = (plan.Momentum * m) + ((1 - plan.Momentum) * g);
                v = (plan.Beta2 * v) + ((1 - plan.Beta2) * g * g);
                double meanHat = m / (1 - Math.Pow(plan.Momentum, step));
                double squareHat = v / (1 - Math.Pow(plan.Beta2, step));
                return w - (rate * meanHat / (Math.Sqrt(squareHat) + plan.Epsilon));
        }
    }
}
