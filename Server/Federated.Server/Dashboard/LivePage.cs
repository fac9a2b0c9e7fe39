using Federated.Server.Events;
using Microsoft.AspNetCore.Components;

namespace Federated.Server.Dashboard;

/// <summary>What an event means for a page.</summary>
public enum Reaction
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The page has taken it in and is to be drawn again.</summary>
    Draw,

    /// <summary>The page is to read its figures again.</summary>
    Load,
}

/// <summary>
/// A page that follows the server's events. However many there are, it is drawn at most twice a second. Public like every component, which the framework wants.
/// </summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _gone = new();
    private readonly SemaphoreSlim _loading = new(1, 1);
    private Task _following = Task.CompletedTask;
    private Task _drawing = Task.CompletedTask;
    private Reaction _wanted;

    [Inject]
    private protected DashboardReader Reader { get; set; } = default!;

    [Inject]
    private protected DashboardCommands Commands { get; set; } = default!;

    [Inject]
    private protected NavigationManager Navigation { get; set; } = default!;

    [Inject]
    private protected TimeProvider Time { get; set; } = default!;

    [Inject]
    private EventFeed Feed { get; set; } = default!;

    /// <summary>Whether the figures have been read once.</summary>
    private protected bool IsLoaded { get; private set; }

    /// <summary>Whether the person may change something.</summary>
    private protected bool MayChange { get; private set; }

    /// <summary>Ends with the page.</summary>
    private protected CancellationToken Gone => _gone.Token;

    /// <summary>Reads the page's figures.</summary>
    private protected abstract Task LoadAsync(CancellationToken ct);

    /// <summary>Takes an event in. Nothing is loaded yet when the first come.</summary>
    private protected virtual Reaction React(ServerEvent happened) => Reaction.None;

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        // Subscribed before the figures are read, so that nothing between the two is missed.
        IAsyncEnumerable<ServerEvent> events = Feed.ReadAsync(after: null, _gone.Token);
        _following = FollowAsync(events);
        _drawing = DrawAsync();
    }

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        MayChange = await Commands.MayChangeAsync();
        await LoadInTurnAsync();
        IsLoaded = true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _drawing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
    }

    // One at a time: a change of address and an event may ask for it at once, and the older answer must not come last.
    private async Task LoadInTurnAsync()
    {
        await _loading.WaitAsync(_gone.Token);
        try
        {
            await LoadAsync(_gone.Token);
        }
        finally
        {
            _loading.Release();
        }
    }

    private async Task FollowAsync(IAsyncEnumerable<ServerEvent> events)
    {
        try
        {
            await foreach (ServerEvent happened in events)
            {
                Reaction wanted = happened is EventsMissed ? Reaction.Load : React(happened);
                _wanted = wanted > _wanted ? wanted : _wanted;
            }
        }
        catch (Exception e) when (!_gone.IsCancellationRequested)
        {
            await DispatchExceptionAsync(e);
        }
    }

    private async Task DrawAsync()
    {
        try
        {
            using PeriodicTimer timer = new(_period, Time);
            while (await timer.WaitForNextTickAsync(_gone.Token))
            {
                (Reaction wanted, _wanted) = (_wanted, Reaction.None);
                if (wanted == Reaction.Load)
                {
                    await LoadInTurnAsync();
                }

                if (wanted != Reaction.None)
                {
                    StateHasChanged();
                }
            }
        }
        catch (Exception e) when (!_gone.IsCancellationRequested)
        {
            await DispatchExceptionAsync(e);
        }
    }
}
