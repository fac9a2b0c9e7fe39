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
        Rounded = job.Rounded?.ToReference(),
        Changes = [.. job.Changes.Select(change => new AdapterChange(change.Document.ToReference(), change.Seed, change.SetSize))],
    };

    /// <summary>Puts a new version's offers in the place of the oldest.</summary>
    /// <returns>What is no longer on offer, to be deleted once the state is written.</returns>
    public static ObjectReference[] Renew(JobGrainState job, ModelCommit commit)
    {
        List<ObjectReference> outdated = [];
        if (job.Rounded is { } rounded)
        {
            outdated.Add(rounded.ToReference());
        }

        job.Rounded = commit.Rounded is { } reference ? StoredObject.Of(reference) : null;
        if (commit.Change is { } change)
        {
            job.Changes.Add(new KeptChange(change.Version, StoredObject.Of(change.Document), change.Seed, change.SetSize));
        }

        while (job.Changes.Count > KeptChanges)
        {
            outdated.Add(job.Changes[0].Document.ToReference());
            job.Changes.RemoveAt(0);
        }

        return [.. outdated];
    }
}
