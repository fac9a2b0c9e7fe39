using System.Collections.Immutable;
using Federated.Shared.Models;

namespace Federated.Training;

/// <summary>A run of neighbouring elements of the flat adapter that training changes.</summary>
/// <param name="Offset">Its first element.</param>
/// <param name="Length">How many.</param>
public readonly record struct TrainedRange(int Offset, int Length)
{
    /// <summary>The ranges of all tensors that are not frozen, in ascending order; neighbours are joined.</summary>
    /// <param name="layout">The adapter.</param>
    /// <param name="roles">One for each tensor.</param>
    /// <exception cref="ArgumentException">There is not one role a tensor.</exception>
    public static ImmutableArray<TrainedRange> Of(ParameterLayout layout, ImmutableArray<ParameterRole> roles)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (roles.Length != layout.Parameters.Length)
        {
            throw new ArgumentException($"{roles.Length} roles for {layout.Parameters.Length} tensors.", nameof(roles));
        }

        ImmutableArray<TrainedRange>.Builder ranges = ImmutableArray.CreateBuilder<TrainedRange>();
        for (int i = 0; i < roles.Length; i++)
        {
            ParameterSpec spec = layout.Parameters[i];
            if (roles[i] == ParameterRole.Frozen)
            {
                continue;
            }

            if (ranges.Count > 0 && ranges[^1].Offset + ranges[^1].Length == spec.Offset)
            {
                ranges[^1] = ranges[^1] with { Length = ranges[^1].Length + spec.Length };
            }
            else
            {
                ranges.Add(new TrainedRange(spec.Offset, spec.Length));
            }
        }

        return ranges.ToImmutable();
    }

    /// <summary>Elements in all ranges.</summary>
    public static int Total(ReadOnlySpan<TrainedRange> ranges)
    {
        int total = 0;
        foreach (TrainedRange range in ranges)
        {
            total = checked(total + range.Length);
        }

        return total;
    }
}
