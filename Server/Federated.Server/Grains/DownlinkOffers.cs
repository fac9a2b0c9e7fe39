using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Grains;

/// <summary>What a job's state says of the compact downlink: which changes and which rounded adapter are on offer.</summary>
internal static class DownlinkOffers
{
    /// <summary>Changes on offer: whoever was in one of the last rounds downloads what has changed since.</summary>
    private const int KeptChanges = 8;

    /// <summary>The same as plans carry it.</summary>
    public static AdapterOffers Of(JobGrainState job) => new()
    {
        Rounded = job.Changes.LastOrDefault()?.Rounded?.ToReference(),
        Changes = [.. job.Changes.TakeLast(KeptChanges).Select(change => new AdapterChange(change.Document.ToReference(), change.Seed, change.SetSize))],
    };

    /// <summary>Puts a commit's change on offer.</summary>
    public static void Add(JobGrainState job, ModelCommit commit)
    {
        if (commit.Change is { } change)
        {
            job.Changes.Add(new KeptChange(
                change.Version, StoredObject.Of(change.Document), change.Seed, change.SetSize, commit.Rounded is { } rounded ? StoredObject.Of(rounded) : null));
        }
    }

    /// <summary>What is no longer on offer: changes beyond those kept, and adapters rounded before the last.</summary>
    public static IEnumerable<ObjectReference> Outdated(JobGrainState job) =>
    [
        .. job.Changes.SkipLast(KeptChanges).Select(change => change.Document.ToReference()),
        .. job.Changes.SkipLast(1).Select(change => change.Rounded).OfType<StoredObject>().Select(rounded => rounded.ToReference()),
    ];

    /// <summary>Forgets what is no longer on offer, once it is deleted.</summary>
    public static void Trim(JobGrainState job) => job.Changes =
    [
        .. job.Changes.TakeLast(KeptChanges).SkipLast(1).Select(change => change with { Rounded = null }),
        .. job.Changes.TakeLast(1),
    ];
}
