using System.Buffers;

namespace Federated.Server.Aggregation;

/// <summary>
/// A group's running sum together with the contributors it holds: the two only ever change, are written and are read together. Not
/// thread-safe.
/// </summary>
internal sealed class PartialSum
{
    private readonly string _jobId;
    private readonly long _round;
    private readonly int _group;
    private readonly List<Contribution> _contributions = [];

    /// <summary>Takes over an empty sum.</summary>
    public PartialSum(string jobId, long round, int group, RunningSum empty)
    {
        _jobId = jobId;
        _round = round;
        _group = group;
        Sum = empty;
    }

    private PartialSum(PartialSumDocument document)
    {
        _jobId = document.JobId;
        _round = document.Round;
        _group = document.Group;
        Sum = document.Sum;
        _contributions.AddRange(document.Contributors);
    }

    /// <summary>The sum.</summary>
    public RunningSum Sum { get; }

    /// <summary>Who is in it.</summary>
    public IReadOnlyList<Contribution> Contributions => _contributions;

    /// <summary>A sum that was computed elsewhere, as under secure aggregation.</summary>
    public static PartialSum Of(string jobId, long round, int group, RunningSum sum, IReadOnlyList<Contribution> contributions)
    {
        PartialSum partial = new(jobId, round, group, sum);
        partial._contributions.AddRange(contributions);
        return partial;
    }

    /// <summary>Adds another group's sum and its contributors.</summary>
    /// <exception cref="InvalidOperationException">The two do not fit together; nothing was added.</exception>
    public void Add(PartialSum other)
    {
        Sum.Add(other.Sum);
        _contributions.AddRange(other._contributions);
    }

    /// <summary>Reads a stored document.</summary>
    public static PartialSum FromBytes(ReadOnlyMemory<byte> document) => new(PartialSumDocument.FromBytes(document));

    /// <summary>The document to store; it borrows the sum's memory until the next fold.</summary>
    public ReadOnlySequence<byte> ToSequence() => new PartialSumDocument
    {
        JobId = _jobId,
        Round = _round,
        Group = _group,
        Contributors = _contributions,
        Sum = Sum,
    }.ToSequence();

    /// <summary>Folds checked updates.</summary>
    /// <exception cref="InvalidOperationException">They do not fit together; nothing was added.</exception>
    public void Fold(IReadOnlyList<(Contribution Contribution, PendingUpdate Update)> updates)
    {
        Sum.Fold(updates.Select(update => update.Update).ToArray());
        _contributions.AddRange(updates.Select(update => update.Contribution));
    }
}
