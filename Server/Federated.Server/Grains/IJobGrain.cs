using Federated.Server.Jobs;
using Federated.Server.Rounds;

namespace Federated.Server.Grains;

/// <summary>The coordinator of one job: owns its spec, its model version and its round loop. Key: the job's identifier.</summary>
[Alias("federated.job")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Creates the job from the text of a valid spec and starts its rounds. Idempotent.</summary>
    [Alias("submit")]
    Task<JobStatus> Submit(string specJson);

    /// <summary>Where the job stands; null when there is no such job.</summary>
    [Alias("status")]
    [AlwaysInterleave]
    Task<JobStatus?> Status();

    /// <summary>The spec as it was submitted; null when there is no such job.</summary>
    [Alias("spec")]
    [AlwaysInterleave]
    Task<string?> Spec();

    /// <summary>Goes on with the round loop after a start of the server.</summary>
    [Alias("recover")]
    Task Recover();

    /// <summary>No new round begins; the running one ends as it would. A job that has ended stays as it is.</summary>
    [Alias("pause")]
    Task<JobStatus?> Pause();

    /// <summary>Goes on after a pause. A job that has ended stays as it is.</summary>
    [Alias("resume")]
    Task<JobStatus?> Resume();

    /// <summary>Ends the job; the running round is abandoned. A job that has ended otherwise stays as it is.</summary>
    [Alias("cancel")]
    Task<JobStatus?> Cancel();

    /// <summary>Records of the rounds after <paramref name="after"/>; waits up to <paramref name="hold"/> for the first one or the job's end.</summary>
    [Alias("rounds")]
    [AlwaysInterleave]
    Task<IReadOnlyList<RoundRecord>> Rounds(long after, TimeSpan hold);

    /// <summary>The model versions whose adapters are in the store: hash by version, the committed one included.</summary>
    [Alias("kept")]
    [AlwaysInterleave]
    Task<Dictionary<long, string>> KeptVersions();

    /// <summary>
    /// Counts a submission that was not accepted in the statistics of its round. A round that is closed counts only what its own devices send, each outcome of
    /// a device once, until the job has ended four more rounds: nobody else rewrites its record.
    /// </summary>
    /// <param name="round">The round that the submission names; the one under way is counted in when there is none of this number.</param>
    /// <param name="deviceId">Who sent it.</param>
    /// <param name="selected">Whether the device is known to be of the round's cohort.</param>
    /// <param name="outcome">Why it was not accepted, as statistics write it.</param>
    [Alias("refused")]
    [AlwaysInterleave]
    Task NoteRefusal(long round, string deviceId, bool selected, string outcome);
}

/// <summary>The list of all jobs. Key: 0.</summary>
[Alias("federated.jobs")]
public interface IJobDirectoryGrain : IGrainWithIntegerKey
{
    /// <summary>Reserves a free identifier made of the name and a number.</summary>
    [Alias("reserve")]
    Task<string> Reserve(string name);

    /// <summary>All identifiers in the order of their submission.</summary>
    [Alias("list")]
    Task<IReadOnlyList<string>> List();

    /// <summary>Whether there may be a job of this identifier: it has been reserved.</summary>
    [Alias("holds")]
    [AlwaysInterleave]
    Task<bool> Holds(string jobId);
}
