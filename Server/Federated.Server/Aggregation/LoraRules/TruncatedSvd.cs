using Federated.Shared.Randomness;

namespace Federated.Server.Aggregation.LoraRules;

/// <summary>
/// The leading singular triplets of a matrix, M ≈ L·Vᵀ with L = U·Σ: subspace iteration from a seeded random start (Halko, Martinsson and
/// Tropp 2011, arXiv 0909.4061, algorithm 4.4, here on the right side), then one-sided Jacobi rotations (Hestenes 1958) on the small remainder. In
/// float64 and, because every step is an element-wise multiplication and addition in a fixed order, with the same bits on every processor.
/// <para>
/// V has orthonormal columns whatever the rank of M; where M has no more directions, L's columns are zero. Of a matrix whose rank is at most
/// rank + <see cref="Oversampling"/> the result is exact but for rounding; of any other the error is within a few per cent of the best possible.
/// </para>
/// </summary>
internal static class TruncatedSvd
{
    /// <summary>Directions followed beyond those wanted.</summary>
    public const int Oversampling = 8;

    private const int PowerIterations = 3;
    private const int MaxSweeps = 60;
    private const double Tolerance = 1e-14;

    /// <summary>Decomposes.</summary>
    /// <param name="matrix">M: [m, n], row-major.</param>
    /// <param name="rows">m.</param>
    /// <param name="rank">Triplets wanted, r.</param>
    /// <param name="seed">Seeds the random start.</param>
    /// <param name="left">L = U·Σ: [m, r], row-major, overwritten; columns in falling order of their length, the singular value.</param>
    /// <param name="right">Vᵀ: [r, n], row-major, overwritten. Rows beyond min(r, n) are zero.</param>
    public static void Decompose(ReadOnlySpan<float> matrix, int rows, int rank, ulong seed, Span<float> left, Span<float> right)
    {
        int columns = matrix.Length / rows;
        int width = Math.Min(rank + Oversampling, columns);
        SeededGenerator random = SeededGenerator.For(seed, "truncated-svd");
        double[][] v = Basis(columns, width, random);
        Orthonormalize(v, random);
        for (int i = 0; i < PowerIterations; i++)
        {
            double[][] image = Times(matrix, rows, v);
            Orthonormalize(image, random);
            v = TransposedTimes(matrix, columns, image);
            Orthonormalize(v, random);
        }

        double[][] t = Times(matrix, rows, v);
        Rotate(t, v);
        int[] order = [.. Enumerable.Range(0, width).OrderByDescending(i => Dot(t[i], t[i])).ThenBy(i => i)];
        left.Clear();
        right.Clear();
        for (int k = 0; k < Math.Min(rank, width); k++)
        {
            for (int row = 0; row < rows; row++)
            {
                left[(row * rank) + k] = (float)t[order[k]][row];
            }

            for (int column = 0; column < columns; column++)
            {
                right[(k * columns) + column] = (float)v[order[k]][column];
            }
        }
    }

    /// <summary>Rotates pairs of columns of T until all are orthogonal, and V along: T·Vᵀ stays the same.</summary>
    private static void Rotate(double[][] t, double[][] v)
    {
        for (int sweep = 0; sweep < MaxSweeps; sweep++)
        {
            bool rotated = false;
            for (int p = 0; p < t.Length - 1; p++)
            {
                for (int q = p + 1; q < t.Length; q++)
                {
                    double alpha = Dot(t[p], t[p]);
                    double beta = Dot(t[q], t[q]);
                    double gamma = Dot(t[p], t[q]);
                    if (Math.Abs(gamma) <= Tolerance * Math.Sqrt(alpha * beta) || gamma == 0)
                    {
                        continue;
                    }

                    rotated = true;
                    double zeta = (beta - alpha) / (2 * gamma);
                    double tangent = Math.CopySign(1, zeta) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                    double cosine = 1 / Math.Sqrt(1 + (tangent * tangent));
                    Turn(t[p], t[q], cosine, cosine * tangent);
                    Turn(v[p], v[q], cosine, cosine * tangent);
                }
            }

            if (!rotated)
            {
                return;
            }
        }
    }

    private static void Turn(double[] p, double[] q, double cosine, double sine)
    {
        for (int i = 0; i < p.Length; i++)
        {
            (p[i], q[i]) = ((cosine * p[i]) - (sine * q[i]), (sine * p[i]) + (cosine * q[i]));
        }
    }

    /// <summary>Gram–Schmidt, twice, column by column. A column without anything of its own left is drawn anew.</summary>
    private static void Orthonormalize(double[][] basis, SeededGenerator random)
    {
        for (int i = 0; i < basis.Length; i++)
        {
            double before = Math.Sqrt(Dot(basis[i], basis[i]));
            double after = i < basis[i].Length ? Reduce(basis, i) : 0;
            while (i < basis[i].Length && (after <= 1e-10 * before || after == 0))
            {
                Fill(basis[i], random);
                before = Math.Sqrt(Dot(basis[i], basis[i]));
                after = Reduce(basis, i);
            }

            double scale = i < basis[i].Length ? 1 / after : 0;
            for (int row = 0; row < basis[i].Length; row++)
            {
                basis[i][row] *= scale;
            }
        }
    }

    /// <summary>Takes the earlier columns out of this one; gives the length of what is left.</summary>
    private static double Reduce(double[][] basis, int column)
    {
        double[] target = basis[column];
        for (int pass = 0; pass < 2; pass++)
        {
            for (int j = 0; j < column; j++)
            {
                double share = Dot(basis[j], target);
                for (int row = 0; row < target.Length; row++)
                {
                    target[row] -= share * basis[j][row];
                }
            }
        }

        return Math.Sqrt(Dot(target, target));
    }

    /// <summary>M·V: one array of m a column.</summary>
    private static double[][] Times(ReadOnlySpan<float> matrix, int rows, double[][] v)
    {
        int columns = matrix.Length / rows;
        double[][] result = Empty(rows, v.Length);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> line = matrix.Slice(row * columns, columns);
            for (int k = 0; k < v.Length; k++)
            {
                double[] direction = v[k];
                double sum = 0;
                for (int column = 0; column < line.Length; column++)
                {
                    sum += line[column] * direction[column];
                }

                result[k][row] = sum;
            }
        }

        return result;
    }

    /// <summary>Mᵀ·U: one array of n a column.</summary>
    private static double[][] TransposedTimes(ReadOnlySpan<float> matrix, int columns, double[][] u)
    {
        int rows = matrix.Length / columns;
        double[][] result = Empty(columns, u.Length);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> line = matrix.Slice(row * columns, columns);
            for (int k = 0; k < u.Length; k++)
            {
                double factor = u[k][row];
                double[] sum = result[k];
                for (int column = 0; column < line.Length; column++)
                {
                    sum[column] += factor * line[column];
                }
            }
        }

        return result;
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static double[][] Basis(int length, int width, SeededGenerator random)
    {
        double[][] basis = Empty(length, width);
        foreach (double[] column in basis)
        {
            Fill(column, random);
        }

        return basis;
    }

    // Uniform rather than normal: the platform's logarithm has no part in the result.
    private static void Fill(double[] column, SeededGenerator random)
    {
        for (int i = 0; i < column.Length; i++)
        {
            column[i] = (2 * random.NextDouble()) - 1;
        }
    }

    private static double[][] Empty(int length, int width) => [.. Enumerable.Range(0, width).Select(_ => new double[length])];
}
