using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Cases;

/// <summary>Draws shapes, axes and values.</summary>
internal static class RandomOperands
{
    private const double Reach = 4;

    public static int Between(this SeededGenerator random, int least, int most) => least + random.NextInt(most - least + 1);

    /// <summary>A shape of 0 to 3 dimensions of 1 to 4.</summary>
    public static int[] Shape(this SeededGenerator random, int leastRank = 0, int mostRank = 3) =>
        [.. Enumerable.Range(0, random.Between(leastRank, mostRank)).Select(_ => random.Between(1, 4))];

    /// <summary>Shapes that broadcast: each leaves out some leading dimensions of a common one, and has size 1 in others.</summary>
    public static int[][] BroadcastShapes(this SeededGenerator random, int count)
    {
        int[] common = random.Shape();
        return [.. Enumerable.Range(0, count).Select(_ => random.BroadcastTo(common))];
    }

    /// <summary>A shape that broadcasts to another one.</summary>
    public static int[] BroadcastTo(this SeededGenerator random, int[] shape) =>
        [.. shape.Skip(random.NextInt(shape.Length + 1)).Select(d => random.NextInt(4) == 0 ? 1 : d)];

    /// <summary>An axis of a rank, counted from the front or from the end.</summary>
    public static int Axis(this SeededGenerator random, int rank) => random.NextInt(rank) - (random.NextInt(2) * rank);

    /// <summary>At least one axis of a rank, in any order, each counted from the front or from the end.</summary>
    public static long[] Axes(this SeededGenerator random, int rank)
    {
        int[] all = [.. Enumerable.Range(0, rank)];
        random.Shuffle<int>(all);
        return [.. all.Take(random.Between(1, rank)).Select(a => (long)(a - (random.NextInt(2) * rank)))];
    }

    /// <summary>Standard normal.</summary>
    public static Operand Normal(this SeededGenerator random, params int[] shape) => random.Fill(shape, random.NextGaussian);

    /// <summary>Between 0.5 and 2.5, away from where quotients, roots and logarithms are steep.</summary>
    public static Operand Positive(this SeededGenerator random, params int[] shape) => random.Fill(shape, () => 0.5 + (2 * random.NextDouble()));

    /// <summary>
    /// Between −4 and 4, evenly spread in random order, and no multiple of an eighth of the spacing: apart from each other and from kinks at 0 and ±3 by far
    /// more than a step of a difference.
    /// </summary>
    public static Operand Apart(this SeededGenerator random, params int[] shape)
    {
        int count = Count(shape);
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle<int>(order);
        double offset = 0.26 + (0.1 * random.NextDouble());
        return new Operand([.. order.Select(i => (i - ((count - 1) / 2.0) + offset) * 2 * Reach / (count + 1))], shape);
    }

    /// <summary>Some elements 0, at random.</summary>
    public static Operand WithZeros(this SeededGenerator random, Operand operand) =>
        operand with { Values = [.. operand.Values.Select(v => random.NextInt(4) == 0 ? 0 : v)] };

    /// <summary>The operand as a constant of the inputs' type.</summary>
    public static GraphValue Frozen(this GraphBuilder graph, Operand operand) => graph.Constant(TensorContent.Floating(
        graph.Inputs[0].ElementType, operand.Values, [.. operand.Shape.Select(d => (long)d)]));

    private static Operand Fill(this SeededGenerator random, int[] shape, Func<double> value) =>
        new([.. Enumerable.Range(0, Count(shape)).Select(_ => value())], shape);

    private static int Count(int[] shape) => shape.Aggregate(1, (product, d) => product * d);
}
