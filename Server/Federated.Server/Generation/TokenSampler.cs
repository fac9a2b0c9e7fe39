using Federated.Shared.Randomness;

namespace Federated.Server.Generation;

/// <summary>How the next token is chosen.</summary>
/// <param name="Temperature">Scores are divided by it before the softmax; 0 takes the largest score.</param>
/// <param name="TopK">Only so many of the largest scores are drawn from; null for all.</param>
/// <param name="Seed">Equal seeds give equal texts.</param>
internal sealed record SamplingOptions(double Temperature = 0.8, int? TopK = null, ulong Seed = 1);

/// <summary>
/// Draws tokens from scores: softmax(scores / temperature) over the k largest (Fan et al. 2018, arXiv 1805.04833, section 5.1). Of equal scores the lower
/// token comes first.
/// </summary>
internal sealed class TokenSampler(SamplingOptions options)
{
    private readonly SeededGenerator _random = SeededGenerator.For(options.Seed, "generate");

    /// <summary>The next token, 0 to <paramref name="scores"/>.Length − 1.</summary>
    /// <exception cref="InvalidDataException">A score is not finite: the weights are not those of a trained model.</exception>
    public int Next(ReadOnlySpan<float> scores)
    {
        float[] values = scores.ToArray();
        int[] tokens = new int[values.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = float.IsFinite(values[i]) ? i : throw new InvalidDataException($"The score of token {i} is {values[i]}: the model's weights are broken.");
        }

        Array.Sort(tokens, (a, b) => values[a] != values[b] ? values[b].CompareTo(values[a]) : a.CompareTo(b));
        if (options.Temperature == 0)
        {
            return tokens[0];
        }

        int count = Math.Min(options.TopK ?? tokens.Length, tokens.Length);
        double[] weights = new double[count];
        for (int i = 0; i < count; i++)
        {
            weights[i] = Math.Exp((values[tokens[i]] - values[tokens[0]]) / options.Temperature);
        }

        double left = _random.NextDouble() * weights.Sum();
        int chosen = 0;
        while (chosen < count - 1 && left >= weights[chosen])
        {
            left -= weights[chosen++];
        }

        return tokens[chosen];
    }
}
