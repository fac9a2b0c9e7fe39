using Federated.Server.Storage;

namespace Federated.Server.Grains;

/// <summary>
/// Hosts a <see cref="DeviceRecord"/>. Participation is written at most every <see cref="WriteInterval"/>: a count that is lost with the
/// process costs less than a write a device a round.
/// </summary>
internal sealed class DeviceGrain(
    [PersistentState("device", StorageNames.Grains)] IPersistentState<DeviceRecord> state, TimeProvider time) : Grain, IDeviceGrain
{
    private static readonly TimeSpan WriteInterval = TimeSpan.FromMinutes(1);

    private bool _changed;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(WriteIfChanged, new GrainTimerCreationOptions { DueTime = WriteInterval, Period = WriteInterval });
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => WriteIfChanged(cancellationToken);

    /// <inheritdoc/>
    public Task Seen(string population, CheckIn profile) => NoteAsync(population, profile, "", "");

    /// <inheritdoc/>
    public Task Withheld(string population, CheckIn profile, string reason, string detail) => NoteAsync(population, profile, reason, detail);

    /// <inheritdoc/>
    public Task Participated(DeviceRound round)
    {
        state.State = state.State.With(round);
        _changed = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CameLate(DeviceRound round)
    {
        state.State = state.State.WithLate(round);
        _changed = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<DeviceRecord?> Record() => Task.FromResult(state.RecordExists ? state.State : null);

    private async Task NoteAsync(string population, CheckIn profile, string withheld, string detail)
    {
        DateTimeOffset now = time.GetUtcNow();
        state.State = state.State with
        {
            DeviceId = profile.DeviceId,
            Population = population,
            Labels = profile.Labels,
            ClientVersion = profile.ClientVersion,
            Engine = profile.Engine,
            FirstSeen = state.RecordExists ? state.State.FirstSeen : now,
            LastSeen = now,
            Withheld = withheld,
            WithheldDetail = detail,
        };
        await state.WriteStateAsync();
        _changed = false;
    }

    private async Task WriteIfChanged(CancellationToken ct)
    {
        if (_changed && state.RecordExists)
        {
            _changed = false;
            await state.WriteStateAsync(ct);
        }
    }
}
