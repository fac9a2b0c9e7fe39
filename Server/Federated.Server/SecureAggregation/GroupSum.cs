using Federated.Shared.SecureAggregation;

namespace Federated.Server.SecureAggregation;

/// <summary>What the server learns of a group: the sum, and whose inputs are in it.</summary>
/// <param name="Fields">Σ x_u modulo 2^b over the contributors.</param>
/// <param name="Contributors">Their devices, ascending.</param>
internal sealed record GroupSum(FieldVector Fields, IReadOnlyList<string> Contributors)
{
    /// <summary>Whose shares had to be left out because they were wrong, in words; null when none was seen.</summary>
    public string? WrongShares { get; init; }

    /// <summary>
    /// Adds the sum, as the integers it stands for, to the totals of a round: [fields]. Groups are added as integers and not modulo 2^b,
    /// because b is made for one group. Of c contributors a field's sum lies from c · least to c · greatest, where its value modulo 2^b
    /// occurs once.
    /// </summary>
    /// <exception cref="ArgumentException">The totals have another length.</exception>
    public void AddTo(GroupHeader header, Span<long> totals)
    {
        if (totals.Length != Fields.Length)
        {
            throw new ArgumentException($"There are {totals.Length} totals for {Fields.Length} fields.", nameof(totals));
        }

        int values = header.FieldCount - header.ScalarFieldCount;
        long low = Contributors.Count * header.MinField;
        long mask = (1L << header.WidthBits) - 1;
        for (int i = 0; i < values; i++)
        {
            totals[i] += low + ((Fields[i] - low) & mask);
        }

        for (int i = values; i < totals.Length; i++)
        {
            totals[i] += Fields[i];
        }
    }
}
