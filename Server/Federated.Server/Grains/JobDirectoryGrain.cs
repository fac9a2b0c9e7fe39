using Federated.Server.Storage;

namespace Federated.Server.Grains;

/// <summary>Identifiers of all jobs in the order of their submission.</summary>
public sealed class JobDirectoryState
{
    /// <summary>The identifiers.</summary>
    public List<string> JobIds { get; set; } = [];
}

/// <summary>Hosts the list of jobs.</summary>
internal sealed class JobDirectoryGrain(
    [PersistentState("jobs", StorageNames.Grains)] IPersistentState<JobDirectoryState> state) : Grain, IJobDirectoryGrain
{
    /// <inheritdoc/>
    public async Task<string> Reserve(string name)
    {
        HashSet<string> taken = new(state.State.JobIds, StringComparer.Ordinal);
        int number = 1;
        while (taken.Contains($"{name}-{number}"))
        {
            number++;
        }

        string id = $"{name}-{number}";
        state.State.JobIds.Add(id);
        await state.WriteStateAsync();
        return id;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> List() => Task.FromResult<IReadOnlyList<string>>([.. state.State.JobIds]);

    /// <inheritdoc/>
    public Task<bool> Holds(string jobId) => Task.FromResult(state.State.JobIds.Contains(jobId, StringComparer.Ordinal));
}
