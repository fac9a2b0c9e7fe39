using Federated.Server.Rounds;

namespace Federated.Server.Hosting;

/// <summary>How devices wait.</summary>
public sealed class SelectionOptions
{
    /// <summary>Most devices that may wait in one population's pool; further ones are told when to come back. Default 20,000.</summary>
    public int MaxWaitingDevices { get; set; } = 20_000;

    /// <summary>
    /// Longest time a check-in is held, whatever the device asks for; that of a chosen device up to <see cref="PlanPatience"/> longer. Default 25 s: with that
    /// below the grain call time-out.
    /// </summary>
    public TimeSpan MaxHold { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// How long a chosen device is held beyond its hold: its plan is about to come, and there is no other place for it to go. One that was held in vain is told to
    /// come back soon. Default 5 s.
    /// </summary>
    public TimeSpan PlanPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a device that does not check in is remembered at least: until then it counts among those that pace steering expects, and after twice as long it does not. At least twice the
    /// longest wait, whatever is set. Default 2 days: a device that trains at night only is counted through its day.
    /// </summary>
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromDays(2);

    /// <summary>Pace steering.</summary>
    public PaceOptions Pace { get; set; } = new();

    /// <summary><see cref="ForgetAfter"/>, and never so short that a device is forgotten while it waits as it was told.</summary>
    internal TimeSpan RememberedFor => ForgetAfter > 2 * Pace.MaxRetry ? ForgetAfter : 2 * Pace.MaxRetry;
}
