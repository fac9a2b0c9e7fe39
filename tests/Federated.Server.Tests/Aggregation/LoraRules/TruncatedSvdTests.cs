using CsCheck;
using Federated.Server.Aggregation.LoraRules;
using Federated.Shared.Randomness;

namespace Federated.Server.Tests.Aggregation.LoraRules;

public sealed class TruncatedSvdTests
{
    [Fact]
    public void Decompose_RandomMatrix_GivesOrthonormalRowsFallingValuesAndTheBestApproximation() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 12], Gen.Int[1, 9], Gen.ULong).Sample((rows, columns, rank, seed) =>
        {
            float[] matrix = Random(rows * columns, seed);
            (float[] left, float[] right) = Decompose(matrix, rows, columns, rank);

            int present = Math.Min(rank, columns);
            double[] lengths = [.. Enumerable.Range(0, rank).Select(k => Length(left, k, rank, rows))];
            double[] values = SlowSvd.Values(Matrix(matrix, rows, columns));
            for (int k = 0; k < rank; k++)
            {
                Assert.Equal(k < Math.Min(values.Length, columns) ? values[k] : 0, lengths[k], 1e-3);
                for (int j = 0; j < rank; j++)
                {
                    double inner = Enumerable.Range(0, columns).Sum(c => (double)right[(k * columns) + c] * right[(j * columns) + c]);
                    Assert.Equal(k == j && k < present ? 1 : 0, inner, 1e-4);
                }
            }

            double cutOff = Math.Sqrt(values.Skip(rank).Sum(value => value * value));
            Assert.Equal(cutOff, Missed(matrix, left, right, rows, columns, rank), 1e-3);
        }, iter: 200);

    [Fact]
    public void Decompose_LargeMatrixOfLowRank_IsExact()
    {
        const int Rows = 120;
        const int Columns = 200;
        float[] b = Random(Rows * 10, 1);
        float[] a = Random(10 * Columns, 2);
        float[] matrix = new float[Rows * Columns];
        for (int i = 0; i < matrix.Length; i++)
        {
            matrix[i] = (float)Enumerable.Range(0, 10).Sum(k => (double)b[(i / Columns * 10) + k] * a[(k * Columns) + (i % Columns)]);
        }

        (float[] left, float[] right) = Decompose(matrix, Rows, Columns, 10);

        Assert.Equal(0, Missed(matrix, left, right, Rows, Columns, 10) / Math.Sqrt(matrix.Sum(x => (double)x * x)), 1e-6);
    }

    [Fact]
    public void Decompose_ZeroMatrix_KeepsOrthonormalRowsSoThatTheyCanStillLearn()
    {
        (float[] left, float[] right) = Decompose(new float[6 * 5], 6, 5, 3);

        Assert.All(left, value => Assert.Equal(0, value));
        Assert.Equal(1, Length(right, 0, 1, 5), 1e-6);
        Assert.Equal(3, right.Sum(value => (double)value * value), 1e-5);
    }

    [Fact]
    public void Decompose_TwiceTheSame_GivesEqualBits()
    {
        float[] matrix = Random(8 * 30, 9);

        Assert.Equal(Decompose(matrix, 8, 30, 4).Right, Decompose(matrix, 8, 30, 4).Right);
    }

    private static (float[] Left, float[] Right) Decompose(float[] matrix, int rows, int columns, int rank)
    {
        float[] left = new float[rows * rank];
        float[] right = new float[rank * columns];
        TruncatedSvd.Decompose(matrix, rows, rank, 7, left, right);
        return (left, right);
    }

    private static float[] Random(int length, ulong seed)
    {
        SeededGenerator random = SeededGenerator.For(seed, "svd-test");
        return [.. Enumerable.Range(0, length).Select(_ => (float)random.NextGaussian())];
    }

    private static double[,] Matrix(float[] values, int rows, int columns)
    {
        double[,] matrix = new double[rows, columns];
        for (int i = 0; i < values.Length; i++)
        {
            matrix[i / columns, i % columns] = values[i];
        }

        return matrix;
    }

    private static double Length(float[] values, int first, int stride, int count) =>
        Math.Sqrt(Enumerable.Range(0, count).Sum(i => (double)values[first + (i * stride)] * values[first + (i * stride)]));

    private static double Missed(float[] matrix, float[] left, float[] right, int rows, int columns, int rank)
    {
        double square = 0;
        for (int i = 0; i < rows * columns; i++)
        {
            double sum = Enumerable.Range(0, rank).Sum(k => (double)left[(i / columns * rank) + k] * right[(k * columns) + (i % columns)]);
            square += (matrix[i] - sum) * (matrix[i] - sum);
        }

        return Math.Sqrt(square);
    }
}
