using Federated.Server.Collection;
using Federated.Server.Identity;
using Federated.Server.Rounds;

namespace Federated.Server.Events;

/// <summary>Publishes what changes too often for an event each: counts of devices, progress of open rounds. Idle while nobody reads.</summary>
internal sealed class FleetPulse(EventFeed feed, FleetCensus census, TimelineRecorder timelines, RefusedCalls refused, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(string JobId, long Round), RoundProgress> _published = [];
    private FleetCounts? _fleet;
    private long _refused;

    /// <summary>Publishes what has changed since the last call.</summary>
    public void Publish()
    {
        FleetCounts fleet = census.Count();
        if (fleet != _fleet)
        {
            _fleet = fleet;
            feed.Publish(new FleetChanged(fleet));
        }

        if (refused.Total is long total && total != _refused)
        {
            _refused = total;
            feed.Publish(new CallsRefused(total));
        }

        IReadOnlyList<RoundProgress> open = timelines.OpenRounds();
        foreach (RoundProgress progress in open)
        {
            if (!_published.TryGetValue((progress.JobId, progress.Round), out RoundProgress? known) || known != progress)
            {
                _published[(progress.JobId, progress.Round)] = progress;
                feed.Publish(new RoundProgressed(progress));
            }
        }

        foreach ((string, long) over in _published.Keys.Except(open.Select(progress => (progress.JobId, progress.Round))).ToArray())
        {
            _published.Remove(over);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(_period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (feed.HasReaders)
                {
                    Publish();
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, or could not start: another word would hide the reason.
        }
    }
}
