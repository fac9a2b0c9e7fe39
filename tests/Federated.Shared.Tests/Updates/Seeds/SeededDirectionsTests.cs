using Federated.Shared.Protocol;
using Federated.Shared.Updates.Seeds;

namespace Federated.Shared.Tests.Updates.Seeds;

public sealed class SeededDirectionsTests
{
    [Fact]
    public void Step_Direction_IsSignsAndDiffersFromOthers()
    {
        SeededDirections directions = new(1, 4, 1_003);
        float[][] drawn = [.. Enumerable.Range(0, 4).Select(j => Draw(directions, j))];
        Assert.All(drawn, direction => Assert.All(direction, value => Assert.Equal(1, MathF.Abs(value))));

        // The inner product of independent signs has a standard deviation of √P = 32.
        Assert.InRange(Math.Abs(drawn[0].Zip(drawn[1], (a, b) => a * b).Sum()), 0, 160);
        Assert.Equal(drawn[2], Draw(new SeededDirections(1, 4, 1_003), 2));
    }

    [Fact]
    public void Replay_SummedAmounts_IsTheClientsSteps()
    {
        SeededDirections directions = new(3, 5, 100);
        float[] amounts = [0.5f, 0, -2, 0.25f, 1];
        float[] stepped = new float[100];
        for (int j = 0; j < 5; j++)
        {
            directions.Step(j, amounts[j] * -0.5f, stepped);
        }

        float[] replayed = new float[100];
        directions.Replay(amounts, -0.5f, replayed);
        Assert.Equal(stepped, replayed);
    }

    /// <summary>
    /// The mean of slope·z over directions is the gradient: for a linear loss, exactly so in expectation. Five standard errors.
    /// </summary>
    [Fact]
    public void Slope_ManyDirections_EstimateTheGradientWithoutBias()
    {
        const int Directions = 20_000;
        float[] gradient = Vectors.Normal(16, 2);
        SeededDirections directions = new(9, Directions, 16);
        float[] estimate = new float[16];
        for (int j = 0; j < Directions; j++)
        {
            float[] z = Draw(directions, j);
            double ahead = z.Zip(gradient, (a, b) => (double)a * b * 0.01).Sum();
            directions.Step(j, SeededDirections.Slope(ahead, -ahead, 0.01) / Directions, estimate);
        }

        double norm = Math.Sqrt(gradient.Sum(value => (double)value * value));
        Assert.All(estimate.Zip(gradient), pair => Assert.Equal(pair.Second, pair.First, 5 * norm / Math.Sqrt(Directions)));
    }

    [Fact]
    public void Scalars_Document_ReadsBackTheSameAndStaysUnderAKilobyte()
    {
        float[] amounts = Vectors.Normal(250, 1);
        byte[] document = SeedScalars.ToBytes(amounts);
        float[] read = new float[250];
        SeedScalars.CopyTo(document, read);
        Assert.Equal(amounts, read);
        Assert.InRange(document.Length, 1, 1_023);
        Assert.Throws<ProtocolViolationException>(() => SeedScalars.CopyTo(document, new float[249]));
    }

    [Fact]
    public void Scalars_NotFinite_AreRefused() =>
        Assert.Throws<ProtocolViolationException>(() => SeedScalars.CopyTo(SeedScalars.ToBytes([1f, float.NaN]), new float[2]));

    [Fact]
    public void Step_NoSuchDirection_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new SeededDirections(1, 4, 8).Step(4, 1, new float[8]));

    private static float[] Draw(SeededDirections directions, int direction)
    {
        float[] z = new float[directions.ParameterCount];
        directions.Step(direction, 1, z);
        return z;
    }
}
