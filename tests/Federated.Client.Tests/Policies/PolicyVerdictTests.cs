using System.Collections.Immutable;
using CsCheck;
using Federated.Client.Policies;
using Federated.Shared.Protos;

namespace Federated.Client.Tests.Policies;

public sealed class PolicyVerdictTests
{
    private static readonly DayUse _unused = new(new DateOnly(2026, 3, 1), 0, 0);

    [Fact]
    public void Next_NoDemands_AllowsWhateverIsRead()
    {
        using SystemTree tree = SystemTree.OnBattery(1);

        Assert.Empty(Judge(new DevicePolicy(), tree.Read()));
        Assert.Empty(Judge(new DevicePolicy(), new DeviceReading()));
    }

    [Fact]
    public void Next_OnBattery_IsRefusedWhereMainsAreDemanded()
    {
        using SystemTree tree = SystemTree.OnBattery(90);

        Refused(new DevicePolicy { OnlyOnMains = true }, tree.Read(), PolicyReason.Power, "on its battery");
        Assert.Empty(Judge(new DevicePolicy { OnlyOnMains = true }, tree.With("sys/class/power_supply/BAT0/status", "Charging").With("sys/class/power_supply/AC/online", "1").Read()));
    }

    [Fact]
    public void Next_BatteryLow_IsRefusedUntilItHasAMarginOrPower()
    {
        using SystemTree tree = SystemTree.OnBattery(29);
        PolicyVerdict verdict = new(new DevicePolicy { MinBatteryPercent = 30, SettleSeconds = 0 });

        Assert.Contains("29 %", Assert.Single(Next(verdict, tree.Read(), 0)).Detail);
        Assert.Equal(PolicyReason.Battery, Assert.Single(Next(verdict, tree.With("sys/class/power_supply/BAT0/capacity", "34").Read(), 1)).Reason);
        Assert.Empty(Next(verdict, tree.With("sys/class/power_supply/BAT0/capacity", "35").Read(), 2));
        Assert.Empty(Next(verdict, tree.With("sys/class/power_supply/BAT0/capacity", "30").Read(), 3));
        tree.With("sys/class/power_supply/BAT0/capacity", "2").With("sys/class/power_supply/BAT0/status", "Charging").With("sys/class/power_supply/AC/online", "1");
        Assert.Empty(Next(verdict, tree.Read(), 4));
    }

    [Fact]
    public void Next_TooHot_IsRefusedUntilItHasCooledDown()
    {
        PolicyVerdict verdict = new(new DevicePolicy { MaxCelsius = 80, ResumeCelsius = 70, SettleSeconds = 10 });

        Assert.Empty(Next(verdict, Hot(80), 0));
        Assert.Contains("80.5 °C", Assert.Single(Next(verdict, Hot(80.5), 1)).Detail);
        Assert.Equal(PolicyReason.Temperature, Assert.Single(Next(verdict, Hot(71), 2)).Reason);
        Assert.Single(Next(verdict, Hot(70), 3));
        Assert.Single(Next(verdict, Hot(70), 12.9));
        Assert.Empty(Next(verdict, Hot(70), 13));
        Assert.Empty(Next(verdict, Hot(79), 14));
    }

    [Fact]
    public void Next_Throttled_IsRefused()
    {
        using SystemTree tree = SystemTree.RaspberryPi();
        DevicePolicy policy = new() { PauseWhenThrottled = true };

        Assert.Empty(Judge(policy, tree.Read()));
        Refused(policy, tree.With("sys/devices/platform/axi/axi:firmware/get_throttled", "1").Read(), PolicyReason.Throttled, "too low a voltage");
    }

    [Theory]
    [InlineData("22:00", true)]
    [InlineData("23:59", true)]
    [InlineData("06:29", true)]
    [InlineData("06:30", false)]
    [InlineData("21:59", false)]
    [InlineData("12:15", true)]
    public void Next_QuietHours_AreRefusedPastMidnightToo(string now, bool quiet)
    {
        DevicePolicy policy = new() { QuietHours = ["22:00-06:30", "12:00-12:30"] };

        ImmutableArray<PolicyRefusal> refusals = new PolicyVerdict(policy).Next(
            new DeviceReading(), _unused, TimeOnly.ParseExact(now, "HH:mm", System.Globalization.CultureInfo.InvariantCulture), TimeSpan.Zero);

        Assert.Equal(quiet, !refusals.IsEmpty);
        Assert.All(refusals, refusal => Assert.Equal(PolicyReason.QuietHours, refusal.Reason));
    }

    [Fact]
    public void Next_LittleMemoryOrDisk_IsRefused()
    {
        using SystemTree tree = SystemTree.RaspberryPi().With("proc/meminfo", "MemAvailable:  102399 kB");
        tree.FreeDiskBytes = (500L << 20) - 1;

        Refused(new DevicePolicy { MinFreeMemoryMebibytes = 100 }, tree.Read(), PolicyReason.Memory, "99 MiB of memory");
        Refused(new DevicePolicy { MinFreeDiskMebibytes = 500 }, tree.Read(), PolicyReason.Disk, "499 MiB of room");
        Assert.Empty(Judge(new DevicePolicy { MinFreeMemoryMebibytes = 99, MinFreeDiskMebibytes = 499 }, tree.Read()));
    }

    [Fact]
    public void Next_MeteredOrSlowNetwork_IsRefused()
    {
        using SystemTree tree = SystemTree.RaspberryPi();
        DevicePolicy policy = new() { AllowMetered = false, MinLinkMegabits = 100 };
        Assert.Empty(Judge(policy, tree.Read()));

        Refused(policy, tree.With("sys/class/net/eth0/speed", "10").Read(), PolicyReason.SlowNetwork, "10 Mbit/s");
        Refused(
            policy,
            tree.With("proc/net/route", "Iface\nwwan0\t00000000\t0101A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0").Read(),
            PolicyReason.MeteredNetwork,
            "'wwan0', which is metered ('wwan*')");
    }

    [Fact]
    public void Next_DayUsedUp_IsRefusedUntilTheNextDay()
    {
        DevicePolicy policy = new() { MaxSecondsADay = 100, MaxJoulesADay = 500, SettleSeconds = 0 };
        DayUse use = _unused.Plus(_unused.Day, 100, 499);

        Assert.Equal(PolicyReason.DailySeconds, Assert.Single(new PolicyVerdict(policy).Next(new DeviceReading(), use, default, default)).Reason);
        Assert.Equal(
            PolicyReason.DailyEnergy,
            Assert.Single(new PolicyVerdict(policy).Next(new DeviceReading(), _unused.Plus(_unused.Day, 99, 500), default, default)).Reason);
        Assert.Empty(new PolicyVerdict(policy).Next(new DeviceReading(), use.On(_unused.Day.AddDays(1)), default, default));
    }

    [Fact]
    public void Next_SensorsMissing_AreRefusedOnlyWhereRequired()
    {
        DevicePolicy policy = new()
        {
            OnlyOnMains = true, MinBatteryPercent = 30, MaxCelsius = 80, PauseWhenThrottled = true, MinFreeMemoryMebibytes = 1, MinFreeDiskMebibytes = 1, AllowMetered = false,
        };

        Assert.Empty(Judge(policy, new DeviceReading()));
        ImmutableArray<PolicyRefusal> refusals = Judge(policy with { RequireSensors = true }, new DeviceReading());
        Assert.Equal(7, refusals.Length);
        Assert.All(refusals, refusal => Assert.Equal(PolicyReason.Sensor, refusal.Reason));
    }

    [Fact]
    public void Next_SensorGoneForAMoment_CountsWithWhatItSaidLast()
    {
        PolicyVerdict verdict = new(new DevicePolicy { MaxCelsius = 80, RequireSensors = true, SettleSeconds = 0 });

        Assert.Single(Next(verdict, Hot(90), 0));
        Assert.Equal(PolicyReason.Temperature, Assert.Single(Next(verdict, new DeviceReading(), 29)).Reason);
        Assert.Equal(PolicyReason.Sensor, Assert.Single(Next(verdict, new DeviceReading(), 31)).Reason);
        Assert.Empty(Next(verdict, Hot(60), 32));
        Assert.Empty(Next(verdict, new DeviceReading(), 61));
    }

    [Fact]
    public void Next_FlappingSensor_TurnsAtMostOnceASettlingTime()
    {
        Gen.Double[60, 90].Array[120].Sample(
            celsius =>
            {
                PolicyVerdict verdict = new(new DevicePolicy { MaxCelsius = 80, ResumeCelsius = 75, SettleSeconds = 10 });
                double? refusedAt = null;
                for (int second = 0; second < celsius.Length; second++)
                {
                    bool allowed = Next(verdict, Hot(celsius[second]), second).IsEmpty;
                    if (celsius[second] > 80 && allowed)
                    {
                        return false;
                    }

                    // What has been refused stays so until every reading of ten seconds was cool enough.
                    if (refusedAt is not null && allowed && celsius[(second - 10)..second].Any(value => value > 80))
                    {
                        return false;
                    }

                    refusedAt = allowed ? refusedAt : second;
                }

                return true;
            },
            iter: 200);
    }

    private static DeviceReading Hot(double celsius) => new() { Celsius = celsius };

    private static ImmutableArray<PolicyRefusal> Next(PolicyVerdict verdict, DeviceReading reading, double atSeconds) =>
        verdict.Next(reading, _unused, new TimeOnly(12, 0), TimeSpan.FromSeconds(atSeconds));

    private static ImmutableArray<PolicyRefusal> Judge(DevicePolicy policy, DeviceReading reading) => Next(new PolicyVerdict(policy), reading, 0);

    private static void Refused(DevicePolicy policy, DeviceReading reading, PolicyReason reason, string detail)
    {
        PolicyRefusal refusal = Assert.Single(Judge(policy, reading));
        Assert.Equal(reason, refusal.Reason);
        Assert.Contains(detail, refusal.Detail, StringComparison.Ordinal);
    }
}
