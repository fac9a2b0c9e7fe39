using System.ComponentModel.DataAnnotations;

namespace Federated.Server.Rounds;

/// <summary>Limits of <see cref="PaceSteering"/>.</summary>
public sealed class PaceOptions
{
    /// <summary>Shortest wait a device is given. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan MinRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait a device is given; at least three times the shortest. Default 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.030", "30.00:00:00")]
    public TimeSpan MaxRetry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Longest wait while no job wants devices: how long a job that is submitted then may wait for the devices that are there. <see cref="MaxRetry"/> limits it. Default
    /// 3 min; a fleet of many hundred thousand devices wants a longer one.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.030", "30.00:00:00")]
    public TimeSpan IdleRetry { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Check-ins wanted for each device that a round needs, h. Default 2: half may be unfit or gone.</summary>
    [Range(1.0, 100.0)]
    public double Headroom { get; init; } = 2;

    /// <summary>Share of the wait over which a small population's check-ins spread, j. Default 0.1.</summary>
    [Range(0.01, 0.5)]
    public double RendezvousSpread { get; init; } = 0.1;
}

/// <summary>What pace steering knows at a check-in.</summary>
/// <param name="PoolEstimate">N: devices that checked in for the population lately, at least 0.</param>
/// <param name="DemandPerRound">d: devices the next selection wants, over all jobs; 0 when none runs.</param>
/// <param name="TimeToNextSelection">T: expected time until it, 0 when it is under way.</param>
internal readonly record struct PaceObservation(int PoolEstimate, int DemandPerRound, TimeSpan TimeToNextSelection);
