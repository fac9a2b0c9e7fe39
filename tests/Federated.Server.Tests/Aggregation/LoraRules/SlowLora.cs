using Federated.Shared.Models;

namespace Federated.Server.Tests.Aggregation.LoraRules;

/// <summary>The rules' arithmetic once more, in float64 and plain loops over matrices.</summary>
internal static class SlowLora
{
    /// <summary>scale·B·A of one client: [m, n].</summary>
    public static double[,] Product(LoraPair pair, IReadOnlyList<float> adapter)
    {
        double[,] product = new double[pair.Outputs, pair.Inputs];
        for (int i = 0; i < pair.Outputs; i++)
        {
            for (int j = 0; j < pair.Inputs; j++)
            {
                for (int k = 0; k < pair.Rank; k++)
                {
                    product[i, j] += (double)pair.Scale * adapter[pair.B.Offset + (i * pair.Rank) + k] * adapter[pair.A.Offset + (k * pair.Inputs) + j];
                }
            }
        }

        return product;
    }

    /// <summary>Σp·scale·BᵢAᵢ with the weights given, which sum to 1.</summary>
    public static double[,] MeanProduct(LoraPair pair, IReadOnlyList<SceneClient> clients, IReadOnlyList<double> weights)
    {
        double[,] mean = new double[pair.Outputs, pair.Inputs];
        for (int c = 0; c < clients.Count; c++)
        {
            double[,] product = Product(pair, clients[c].Adapter);
            for (int i = 0; i < pair.Outputs; i++)
            {
                for (int j = 0; j < pair.Inputs; j++)
                {
                    mean[i, j] += weights[c] * product[i, j];
                }
            }
        }

        return mean;
    }

    /// <summary>scale·[B₁ … Bₙ]·[p₁A₁; …; pₙAₙ], the factors literally stacked.</summary>
    public static double[,] StackedProduct(LoraPair pair, IReadOnlyList<SceneClient> clients, IReadOnlyList<double> weights)
    {
        double[,] product = new double[pair.Outputs, pair.Inputs];
        List<(double[] Column, double[] Row)> stack = [];
        for (int c = 0; c < clients.Count; c++)
        {
            float[] own = clients[c].Adapter;
            for (int k = 0; k < clients[c].Rank; k++)
            {
                stack.Add((
                    [.. Enumerable.Range(0, pair.Outputs).Select(i => (double)own[pair.B.Offset + (i * pair.Rank) + k])],
                    [.. Enumerable.Range(0, pair.Inputs).Select(j => weights[c] * own[pair.A.Offset + (k * pair.Inputs) + j])]));
            }
        }

        for (int i = 0; i < pair.Outputs; i++)
        {
            for (int j = 0; j < pair.Inputs; j++)
            {
                product[i, j] = pair.Scale * stack.Sum(entry => entry.Column[i] * entry.Row[j]);
            }
        }

        return product;
    }

    /// <summary>Σp·w for every element of the adapter.</summary>
    public static double[] Mean(IReadOnlyList<SceneClient> clients, IReadOnlyList<double> weights)
    {
        double[] mean = new double[clients[0].Adapter.Length];
        for (int c = 0; c < clients.Count; c++)
        {
            for (int i = 0; i < mean.Length; i++)
            {
                mean[i] += weights[c] * clients[c].Adapter[i];
            }
        }

        return mean;
    }

    /// <summary>Shares of the examples.</summary>
    public static double[] ByExamples(IReadOnlyList<SceneClient> clients) =>
        [.. clients.Select(client => client.Examples / (double)clients.Sum(other => other.Examples))];

    /// <summary>Shares of the norms of one target's product.</summary>
    public static double[] ByNorm(LoraPair pair, IReadOnlyList<SceneClient> clients)
    {
        double[] norms = [.. clients.Select(client => Norm(Product(pair, client.Adapter)))];
        return [.. norms.Select(norm => norm / norms.Sum())];
    }

    public static double Norm(double[,] matrix) => Math.Sqrt(matrix.Cast<double>().Sum(x => x * x));

    public static double Distance(double[,] a, double[,] b) => Math.Sqrt(a.Cast<double>().Zip(b.Cast<double>(), (x, y) => (x - y) * (x - y)).Sum());

    /// <summary>The averaging bias from its definition.</summary>
    public static double Bias(LoraLayout layout, IReadOnlyList<SceneClient> clients, Func<LoraPair, double[]> weights)
    {
        double missed = 0;
        double whole = 0;
        foreach (LoraPair pair in layout.Pairs)
        {
            double[,] exact = MeanProduct(pair, clients, weights(pair));
            float[] averaged = [.. Mean(clients, weights(pair)).Select(x => (float)x)];
            missed += Math.Pow(Distance(exact, Product(pair, averaged)), 2);
            whole += Math.Pow(Norm(exact), 2);
        }

        return Math.Sqrt(missed / whole);
    }
}
