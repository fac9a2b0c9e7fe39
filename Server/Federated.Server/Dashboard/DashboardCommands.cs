using System.Security.Claims;
using Federated.Server.Access;
using Federated.Server.Api;
using Federated.Server.Jobs;
using Microsoft.AspNetCore.Components.Authorization;

namespace Federated.Server.Dashboard;

/// <summary>What the pages may change. Each call asks again whether the person may: a page can be open for longer than its login stands.</summary>
internal sealed class DashboardCommands(AuthenticationStateProvider people, AccessTokens tokens, TimeProvider time, IGrainFactory grains, JobModels models)
{
    /// <summary>Whether the person may look.</summary>
    public async Task<bool> MayLookAsync() =>
        await PersonAsync() is { } person && (person.IsInRole(AccessPolicies.Viewer) || person.IsInRole(AccessPolicies.Operator));

    /// <summary>Whether the person may change something.</summary>
    public async Task<bool> MayChangeAsync() => (await PersonAsync())?.IsInRole(AccessPolicies.Operator) == true;

    /// <summary>No new round begins.</summary>
    public Task<JobStatus> PauseAsync(string jobId) => AllowedAsync(() => FederatedApi.PauseAsync(grains, jobId));

    /// <summary>Goes on after a pause.</summary>
    public Task<JobStatus> ResumeAsync(string jobId) => AllowedAsync(() => FederatedApi.ResumeAsync(grains, jobId));

    /// <summary>Ends the job.</summary>
    public Task<JobStatus> CancelAsync(string jobId) => AllowedAsync(() => FederatedApi.CancelAsync(grains, jobId));

    /// <summary>Submits a job from the text of its spec.</summary>
    /// <exception cref="InvalidSettingsException">The spec is wrong.</exception>
    public Task<JobStatus> SubmitAsync(string spec, CancellationToken ct) => AllowedAsync(() => FederatedApi.SubmitSpecAsync(spec, grains, models, ct));

    private async Task<T> AllowedAsync<T>(Func<Task<T>> change) => await MayChangeAsync()
        ? await change()
        : throw new UnauthorizedAccessException("This needs the role operator. Ask an operator for a token, and sign in again.");

    private async Task<ClaimsPrincipal?> PersonAsync()
    {
        ClaimsPrincipal person = (await people.GetAuthenticationStateAsync()).User;
        return AccessIdentity.Stands(person, tokens, time) ? person : null;
    }
}
