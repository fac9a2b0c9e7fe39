using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Grains;

/// <summary>
/// Deletes what nothing of a job may ask for any more. Its state says how far that has come, so that what a crash or a failing store left behind goes with the next
/// round, or at the next start. Everything can be repeated.
/// </summary>
internal sealed class JobRetention(string jobId, JobModels models, IGrainFactory grains)
{
    /// <summary>Rounds whose contributions tell a replay from a wrong round.</summary>
    public const int KeptRounds = 4;

    // Model versions that late devices may still download.
    private const int KeptVersions = 4;

    /// <summary>Whether anything is to be deleted.</summary>
    public static bool Owes(JobGrainState job) =>
        job.ForgottenRound < job.LastRound - KeptRounds || job.Kept.Count > KeptVersions || DownlinkOffers.Outdated(job).Any();

    /// <summary>Deletes it, and notes in the state what is gone; the caller writes it.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> ApplyAsync(JobGrainState job)
    {
        if (!Owes(job))
        {
            return false;
        }

        while (job.ForgottenRound < job.LastRound - KeptRounds)
        {
            if (job.Gaps is [var gap, ..] && gap.First == job.ForgottenRound + 1)
            {
                job.ForgottenRound = gap.Last;
                job.Gaps.RemoveAt(0);
                continue;
            }

            await ForgetAsync(job.ForgottenRound + 1);
            job.ForgottenRound++;
        }

        foreach (ObjectReference outdated in DownlinkOffers.Outdated(job))
        {
            await models.ForgetDocumentAsync(jobId, JobRuntime.DownlinkHolder, outdated.Hash, CancellationToken.None);
        }

        DownlinkOffers.Trim(job);
        while (job.Kept.Count > KeptVersions)
        {
            KeptVersion oldest = job.Kept[0];
            CommittedModel model = new(oldest.Version, ContentHash.Parse(oldest.AdapterSha256), oldest.AdapterLengthBytes);
            await models.ForgetAsync(jobId, model, CancellationToken.None);
            job.Kept.RemoveAt(0);
        }

        return true;
    }

    private async Task ForgetAsync(long round)
    {
        IRoundGrain grain = grains.Of<IRoundGrain>(GrainKeys.Round(jobId, round));
        RoundStart? start = await grain.Facts();
        if (start is not null && PlanDocument.FromBytes(start.Plan).Linear?.Set is { } set)
        {
            await models.ForgetDocumentAsync(jobId, RoundPlanner.HolderOf(round), set.Hash, CancellationToken.None);
        }

        if (start is { Secure: { } secure })
        {
            for (int group = 0; group < secure.Groups; group++)
            {
                await grains.Of<IGroupGrain>(GrainKeys.Group(jobId, round, group)).Forget();
            }
        }
        else
        {
            await grains.Of<IAggregatorGrain>(GrainKeys.Aggregator(jobId, round)).Forget();
        }

        // Last: what it tells of the others is needed until they are gone.
        await grain.Forget();
    }
}
