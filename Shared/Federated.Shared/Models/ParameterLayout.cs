using System.Collections.Immutable;

namespace Federated.Shared.Models;

/// <summary>One trainable tensor's place in the flat adapter.</summary>
/// <param name="Name">The graph input that takes the tensor.</param>
/// <param name="Shape">Dimensions, row-major; empty for a scalar.</param>
/// <param name="Offset">Index of its first element in the flat array.</param>
/// <param name="Length">Count of its elements: the product of the shape.</param>
public sealed record ParameterSpec(string Name, ImmutableArray<int> Shape, int Offset, int Length);

/// <summary>
/// Maps the named trainable tensors of a model onto one flat <c>float[P]</c>, P = <see cref="Length"/>: tensors follow each
/// other without gaps in the order of <see cref="Parameters"/>. Immutable.
/// </summary>
public sealed class ParameterLayout
{
    private ParameterLayout(ImmutableArray<ParameterSpec> parameters, int length)
    {
        Parameters = parameters;
        Length = length;
    }

    /// <summary>The tensors in order of their offsets.</summary>
    public ImmutableArray<ParameterSpec> Parameters { get; }

    /// <summary>P, the number of trainable parameters.</summary>
    public int Length { get; }

    /// <summary>Lays the tensors out in the order given.</summary>
    /// <exception cref="ArgumentException">A name is empty or occurs twice, or a dimension is not positive.</exception>
    /// <exception cref="OverflowException">There are more than 2^31−1 parameters.</exception>
    public static ParameterLayout Of(IEnumerable<(string Name, IReadOnlyList<int> Shape)> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ImmutableArray<ParameterSpec>.Builder builder = ImmutableArray.CreateBuilder<ParameterSpec>();
        HashSet<string> names = new(StringComparer.Ordinal);
        int offset = 0;
        foreach ((string name, IReadOnlyList<int> shape) in tensors)
        {
            if (string.IsNullOrEmpty(name) || !names.Add(name))
            {
                throw new ArgumentException($"Parameter name '{name}' is empty or occurs twice.", nameof(tensors));
            }

            int length = 1;
            foreach (int dimension in shape)
            {
                if (dimension <= 0)
                {
                    throw new ArgumentException($"Parameter '{name}' has dimension {dimension}; every dimension is at least 1.", nameof(tensors));
                }

                length = checked(length * dimension);
            }

            builder.Add(new ParameterSpec(name, [.. shape], offset, length));
            offset = checked(offset + length);
        }

        return new ParameterLayout(builder.ToImmutable(), offset);
    }
}
