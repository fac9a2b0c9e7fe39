using Federated.Client.Policies;
using Federated.Testing;

namespace Federated.Client.Tests.Policies;

public sealed class DevicePolicyTests
{
    [Fact]
    public void Read_NoKeys_HasTheDefaults()
    {
        DevicePolicy policy = Read("{}");

        Assert.True(policy.AllowMetered);
        Assert.Equal(1, policy.ProcessorShare);
        Assert.Equal(10, policy.Nice);
        Assert.Equal(10, policy.SettleSeconds);
        Assert.Equal(120, policy.MaxPauseSeconds);
        Assert.Equal(5, policy.WattsWhileTraining);
        Assert.Equal(["wwan*", "ppp*"], policy.MeteredInterfaces);
        Assert.Empty(policy.QuietHours);
        Assert.Null(policy.MaxCelsius);
    }

    [Fact]
    public void Read_AllKeys_AreTaken()
    {
        DevicePolicy policy = Read(
            """
            {
              // A Raspberry Pi in a living room.
              "onlyOnMains": true, "minBatteryPercent": 40, "maxCelsius": 75, "resumeCelsius": 65, "pauseWhenThrottled": true,
              "quietHours": ["22:00-06:30"], "minFreeMemoryMebibytes": 200, "minFreeDiskMebibytes": 500, "allowMetered": false,
              "meteredInterfaces": ["wwan0"], "minLinkMegabits": 10, "processorShare": 0.5, "nice": 19, "maxSecondsADay": 3600,
              "maxJoulesADay": 20000, "wattsWhileTraining": 6.5, "requireSensors": true, "settleSeconds": 30, "maxPauseSeconds": 60,
            }
            """);

        Assert.Equal(65, policy.ResumeCelsius);
        Assert.Equal(0.5, policy.ProcessorShare);
        Assert.Equal(["22:00-06:30"], policy.QuietHours);
        Assert.Equal(6.5, policy.WattsWhileTraining);
        Assert.False(policy.AllowMetered);
    }

    [Theory]
    [InlineData("""{ "maxCelcius": 80 }""", "maxCelcius")]
    [InlineData("""{ "minBatteryPercent": 101 }""", "minBatteryPercent is 101; allowed is 0 to 100.")]
    [InlineData("""{ "maxCelsius": 70, "resumeCelsius": 71 }""", "resumeCelsius is 71; allowed is 0 to 70.")]
    [InlineData("""{ "processorShare": 0 }""", "processorShare is 0")]
    [InlineData("""{ "nice": -1 }""", "nice is -1; allowed is 0 to 19.")]
    [InlineData("""{ "quietHours": ["22-6"] }""", "'22-6'")]
    [InlineData("""{ "quietHours": ["22:00-22:00"] }""", "HH:MM-HH:MM")]
    [InlineData("""{ "quietHours": [null] }""", "HH:MM-HH:MM")]
    [InlineData("""{ "quietHours": null }""", "quietHours")]
    [InlineData("null", "no JSON object")]
    [InlineData("""{ "nice": 1, "nice": 2 }""", "nice")]
    [InlineData("{", "cannot be used")]
    public void Read_WhatCannotBe_IsNamed(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void DayUse_IsKeptOverRestartsAndForgottenWhenDamaged()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "state", "day.json");
        DayUse use = new(new DateOnly(2026, 3, 1), 12.5, 60);

        new DayUseFile(path).Write(use);

        Assert.Equal(use, new DayUseFile(path).Read());
        File.WriteAllText(path, """{"day":"2026-03-""");
        Assert.Null(new DayUseFile(path).Read());
        Assert.Equal(new DayUse(new DateOnly(2026, 3, 2), 1, 2), use.Plus(new DateOnly(2026, 3, 2), 1, 2));
    }

    private static DevicePolicy Read(string text)
    {
        using TemporaryFolder folder = new();
        return DevicePolicy.Read(folder.Write("policy.json", System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
