using Federated.Server.Rounds;

namespace Federated.Server.Hosting;

/// <summary>How devices wait.</summary>
public sealed class SelectionOptions
{
    /// <summary>Most devices that may wait in one population's pool; further ones are told when to come back. Default 20,000.</summary>
    public int MaxWaitingDevices { get; set; } = 20_000;

    /// <summary>Longest time a check-in is held, whatever the device asks for. Default 25 s: below the grain call time-out of 30 s.</summary>
    public TimeSpan MaxHold { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>Pace steering.</summary>
    public PaceOptions Pace { get; set; } = new();
}
