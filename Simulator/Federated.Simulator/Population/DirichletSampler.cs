using Federated.Shared.Randomness;

namespace Federated.Simulator.Population;

/// <summary>Draws from a Dirichlet distribution as normalised gamma variates, in logarithms so that small concentrations do not underflow.</summary>
internal static class DirichletSampler
{
    /// <summary>A point of the simplex: [K], not negative, sum 1. A concentration of 0 gives 0.</summary>
    /// <param name="concentration">[K], 0 or above, at least one above 0.</param>
    /// <param name="generator">Advanced by the call.</param>
    public static double[] Sample(ReadOnlySpan<double> concentration, SeededGenerator generator)
    {
        double[] logs = new double[concentration.Length];
        double largest = double.NegativeInfinity;
        for (int i = 0; i < logs.Length; i++)
        {
            logs[i] = concentration[i] > 0 ? LogGamma(concentration[i], generator) : double.NegativeInfinity;
            largest = Math.Max(largest, logs[i]);
        }

        double sum = 0;
        for (int i = 0; i < logs.Length; i++)
        {
            logs[i] = Math.Exp(logs[i] - largest);
            sum += logs[i];
        }

        for (int i = 0; i < logs.Length; i++)
        {
            logs[i] /= sum;
        }

        return logs;
    }

    /// <summary>
    /// Logarithm of a gamma variate of the given shape and scale 1 (Marsaglia and Tsang, "A simple method for generating gamma variables",
    /// ACM TOMS 26(3), 2000; shapes below 1 by their boost, a variate of shape + 1 times u^(1/shape)).
    /// </summary>
    private static double LogGamma(double shape, SeededGenerator generator)
    {
        if (shape < 1)
        {
            double boost = Math.Log(1 - generator.NextDouble()) / shape;
            return LogGamma(shape + 1, generator) + boost;
        }

        double d = shape - (1.0 / 3.0);
        double c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = generator.NextGaussian();
            double v = Math.Pow(1 + (c * x), 3);
            double u = 1 - generator.NextDouble();
            if (v > 0 && Math.Log(u) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return Math.Log(d) + Math.Log(v);
            }
        }
    }
}
