namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>Singular values as the roots of the eigenvalues of MMᵀ, by the classical Jacobi method on the full matrix.</summary>
internal static class SlowSvd
{
    public static double[] Values(double[,] matrix)
    {
        int n = matrix.GetLength(0);
        double[,] gram = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int k = 0; k < matrix.GetLength(1); k++)
                {
                    gram[i, j] += matrix[i, k] * matrix[j, k];
                }
            }
        }

        for (int step = 0; step < 200 * n; step++)
        {
            (int p, int q) = Largest(gram);
            if (n == 1 || Math.Abs(gram[p, q]) < 1e-15)
            {
                break;
            }

            double angle = 0.5 * Math.Atan2(2 * gram[p, q], gram[q, q] - gram[p, p]);
            Turn(gram, p, q, Math.Cos(angle), Math.Sin(angle));
        }

        return [.. Enumerable.Range(0, n).Select(i => Math.Sqrt(Math.Max(0, gram[i, i]))).OrderDescending()];
    }

    private static (int P, int Q) Largest(double[,] gram)
    {
        (int P, int Q) best = (0, Math.Min(1, gram.GetLength(0) - 1));
        for (int i = 0; i < gram.GetLength(0); i++)
        {
            for (int j = i + 1; j < gram.GetLength(0); j++)
            {
                best = Math.Abs(gram[i, j]) > Math.Abs(gram[best.P, best.Q]) ? (i, j) : best;
            }
        }

        return best;
    }

    private static void Turn(double[,] gram, int p, int q, double cosine, double sine)
    {
        for (int k = 0; k < gram.GetLength(0); k++)
        {
            (gram[p, k], gram[q, k]) = ((cosine * gram[p, k]) - (sine * gram[q, k]), (sine * gram[p, k]) + (cosine * gram[q, k]));
        }

        for (int k = 0; k < gram.GetLength(0); k++)
        {
            (gram[k, p], gram[k, q]) = ((cosine * gram[k, p]) - (sine * gram[k, q]), (sine * gram[k, p]) + (cosine * gram[k, q]));
        }
    }
}
