using System.Text.RegularExpressions;

namespace Federated.Modeling;

/// <summary>The expression by which a person names the weights that are trained as a whole.</summary>
internal static class WeightNames
{
    /// <summary>What a person writes for every weight.</summary>
    public const string All = "all";

    /// <summary>Reads it; names are searched for it.</summary>
    /// <exception cref="ArgumentException">It is no expression.</exception>
    public static Regex Expression(string trainable)
    {
        try
        {
            return new Regex(trainable == All ? "" : trainable, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new ArgumentException($"trainable is '{trainable}', which is no regular expression: {e.Message}", nameof(trainable), e);
        }
    }

    /// <summary>What to say of one that finds no name.</summary>
    public static ArgumentException FindsNothing(string trainable, IEnumerable<string> names) =>
        new($"trainable is '{trainable}', which matches no weight. Weights are {string.Join(", ", names.Take(40))}.", nameof(trainable));
}
