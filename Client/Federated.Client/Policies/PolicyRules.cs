using System.Collections.Immutable;
using Federated.Shared.Protos;

namespace Federated.Client.Policies;

/// <summary>Compares what was read with what is demanded. Pure.</summary>
/// <param name="policy">The demands, checked.</param>
internal sealed class PolicyRules(DevicePolicy policy)
{
    private const double BatteryMarginPercent = 5;
    private const double CoolingMarginCelsius = 5;
    private const long Mebibyte = 1 << 20;

    private readonly ImmutableArray<DayInterval> _quiet = [.. policy.QuietHours.Select(DayInterval.Parse)];

    /// <summary>All demands that are not met, in the order of the enumeration.</summary>
    /// <param name="reading">What the sensors say.</param>
    /// <param name="use">What was used today.</param>
    /// <param name="now">Time of the day where the device is.</param>
    /// <param name="held">Reasons that hold already: what recovers has to recover by a margin.</param>
    public ImmutableArray<PolicyRefusal> Judge(DeviceReading reading, DayUse use, TimeOnly now, IReadOnlySet<PolicyReason> held)
    {
        ImmutableArray<PolicyRefusal>.Builder refusals = ImmutableArray.CreateBuilder<PolicyRefusal>();
        Power(refusals, reading, held);
        Heat(refusals, reading, held);
        foreach (DayInterval quiet in _quiet)
        {
            if (quiet.Holds(now))
            {
                refusals.Add(new PolicyRefusal(PolicyReason.QuietHours, FormattableString.Invariant($"It is {now:HH\\:mm}, within the quiet hours {quiet}.")));
                break;
            }
        }

        Floor(refusals, PolicyReason.Memory, "memory", reading.FreeMemoryBytes, policy.MinFreeMemoryMebibytes);
        Floor(refusals, PolicyReason.Disk, "room on the disk", reading.FreeDiskBytes, policy.MinFreeDiskMebibytes);
        Network(refusals, reading);
        if (use.Seconds >= policy.MaxSecondsADay)
        {
            refusals.Add(new PolicyRefusal(
                PolicyReason.DailySeconds, FormattableString.Invariant($"It has trained for {use.Seconds:0} s today, the limit is {policy.MaxSecondsADay:0} s.")));
        }

        if (use.Joules >= policy.MaxJoulesADay)
        {
            refusals.Add(new PolicyRefusal(
                PolicyReason.DailyEnergy, FormattableString.Invariant($"Training has taken {use.Joules:0} J today, the limit is {policy.MaxJoulesADay:0} J.")));
        }

        return refusals.ToImmutable();
    }

    private void Power(ImmutableArray<PolicyRefusal>.Builder refusals, DeviceReading reading, IReadOnlySet<PolicyReason> held)
    {
        if (policy.OnlyOnMains && reading.OnMains != true)
        {
            if (reading.OnMains == false)
            {
                refusals.Add(new PolicyRefusal(PolicyReason.Power, "It runs on its battery, and the policy demands external power."));
            }
            else
            {
                Missing(refusals, "external power");
            }
        }

        if (policy.MinBatteryPercent is not { } least || reading.OnMains == true)
        {
            return;
        }

        double wanted = held.Contains(PolicyReason.Battery) ? Math.Min(100, least + BatteryMarginPercent) : least;
        if (reading.BatteryPercent is not { } percent)
        {
            Missing(refusals, "the battery's charge");
        }
        else if (percent < wanted)
        {
            refusals.Add(new PolicyRefusal(PolicyReason.Battery, FormattableString.Invariant($"The battery has {percent:0.#} %, the policy demands {wanted:0.#} %.")));
        }
    }

    private void Heat(ImmutableArray<PolicyRefusal>.Builder refusals, DeviceReading reading, IReadOnlySet<PolicyReason> held)
    {
        if (policy.MaxCelsius is { } most)
        {
            double allowed = held.Contains(PolicyReason.Temperature) ? policy.ResumeCelsius ?? (most - CoolingMarginCelsius) : most;
            if (reading.Celsius is not { } celsius)
            {
                Missing(refusals, "the temperature");
            }
            else if (celsius > allowed)
            {
                refusals.Add(new PolicyRefusal(PolicyReason.Temperature, FormattableString.Invariant($"The hottest sensor has {celsius:0.#} °C, the policy allows {allowed:0.#} °C.")));
            }
        }

        if (!policy.PauseWhenThrottled)
        {
            return;
        }

        if (reading.Throttling is not { } throttling)
        {
            Missing(refusals, "throttling");
        }
        else if (throttling.Length > 0)
        {
            refusals.Add(new PolicyRefusal(PolicyReason.Throttled, $"The system slows the processor down: {throttling}."));
        }
    }

    private void Floor(ImmutableArray<PolicyRefusal>.Builder refusals, PolicyReason reason, string what, long? bytes, long? leastMebibytes)
    {
        if (leastMebibytes is not { } least)
        {
            return;
        }

        if (bytes is not { } free)
        {
            Missing(refusals, what);
        }
        else if (free < least * Mebibyte)
        {
            refusals.Add(new PolicyRefusal(reason, FormattableString.Invariant($"There are {free / Mebibyte} MiB of {what} free, the policy leaves {least} MiB to others.")));
        }
    }

    private void Network(ImmutableArray<PolicyRefusal>.Builder refusals, DeviceReading reading)
    {
        if (!policy.AllowMetered)
        {
            if (reading.Interface is not { } name)
            {
                Missing(refusals, "the network's interface");
            }
            else if (policy.MeteredInterfaces.FirstOrDefault(pattern => Matches(pattern, name)) is { } pattern)
            {
                refusals.Add(new PolicyRefusal(PolicyReason.MeteredNetwork, $"The network goes over '{name}', which is metered ('{pattern}')."));
            }
        }

        // Many drivers, those of radios above all, tell no speed: that is no sensor missing.
        if (policy.MinLinkMegabits is { } least && reading.LinkMegabits < least)
        {
            refusals.Add(new PolicyRefusal(PolicyReason.SlowNetwork, FormattableString.Invariant($"The link has {reading.LinkMegabits} Mbit/s, the policy demands {least}.")));
        }
    }

    private void Missing(ImmutableArray<PolicyRefusal>.Builder refusals, string what)
    {
        if (policy.RequireSensors)
        {
            refusals.Add(new PolicyRefusal(PolicyReason.Sensor, $"No sensor tells {what}, and the policy requires one."));
        }
    }

    private static bool Matches(string pattern, string name) => pattern.EndsWith('*')
        ? name.StartsWith(pattern[..^1], StringComparison.Ordinal)
        : name == pattern;
}
