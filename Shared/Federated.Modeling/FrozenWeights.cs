using System.Text.RegularExpressions;
using Federated.Shared.Models;

namespace Federated.Modeling;

/// <summary>The weights of a model that are not trained as a whole, and which of them are after all.</summary>
/// <param name="Values">All weights in the builder's order: [P].</param>
/// <param name="Trained">Finds the names of those that training changes beside the low-rank factors; null for none.</param>
internal sealed record FrozenWeights(ReadOnlyMemory<float> Values, Regex? Trained)
{
    /// <summary>Reads the expression that a person stated.</summary>
    /// <param name="values">All weights: [P].</param>
    /// <param name="trainable">An expression that names are searched for; null for none.</param>
    /// <param name="layout">Their names.</param>
    /// <exception cref="ArgumentException">The expression is not one, or finds no weight.</exception>
    public static FrozenWeights Of(ReadOnlyMemory<float> values, string? trainable, ParameterLayout layout)
    {
        if (trainable is null)
        {
            return new FrozenWeights(values, null);
        }

        Regex trained = WeightNames.Expression(trainable);
        return layout.Parameters.Any(p => trained.IsMatch(p.Name))
            ? new FrozenWeights(values, trained)
            : throw WeightNames.FindsNothing(trainable, layout.Parameters.Select(p => p.Name));
    }
}
