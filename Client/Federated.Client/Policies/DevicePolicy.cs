using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Federated.Client.Policies;

/// <summary>When a device may train, and with how much of itself. Null and empty mean that nothing is demanded. Immutable.</summary>
public sealed record DevicePolicy
{
    private const int MaxFileBytes = 64 << 10;

    /// <summary>Train only with external power. A device without a battery or a supply that says otherwise has it.</summary>
    public bool OnlyOnMains { get; init; }

    /// <summary>Least charge without external power, in percent; training goes on 5 above it.</summary>
    public double? MinBatteryPercent { get; init; }

    /// <summary>Hottest that any sensor may be, in °C.</summary>
    public double? MaxCelsius { get; init; }

    /// <summary>As cool as it has to be before training goes on; 5 below <see cref="MaxCelsius"/> when null.</summary>
    public double? ResumeCelsius { get; init; }

    /// <summary>Pause while the system slows its processor down, for heat or for want of voltage.</summary>
    public bool PauseWhenThrottled { get; init; }

    /// <summary>Times of the day without training, <c>HH:MM-HH:MM</c> in the device's time zone; may pass midnight.</summary>
    public ImmutableArray<string> QuietHours { get; init; } = [];

    /// <summary>Least memory that has to be left for others, in MiB, limits of the control group included.</summary>
    public long? MinFreeMemoryMebibytes { get; init; }

    /// <summary>Least room on the disk of the state folder, in MiB.</summary>
    public long? MinFreeDiskMebibytes { get; init; }

    /// <summary>Whether the default route may go over one of <see cref="MeteredInterfaces"/>. True by default.</summary>
    public bool AllowMetered { get; init; } = true;

    /// <summary>Network interfaces that cost money; a <c>*</c> at the end stands for any rest.</summary>
    public ImmutableArray<string> MeteredInterfaces { get; init; } = ["wwan*", "ppp*"];

    /// <summary>Least speed of the default route's link, in Mbit/s, where the driver tells one.</summary>
    public int? MinLinkMegabits { get; init; }

    /// <summary>Share of one engine's time that training may take, above 0, at most 1. 1 by default.</summary>
    public double ProcessorShare { get; init; } = 1;

    /// <summary>Added to the process's niceness, 0 to 19. 10 by default.</summary>
    public int Nice { get; init; } = 10;

    /// <summary>Most seconds of training a day, in the device's time zone.</summary>
    public double? MaxSecondsADay { get; init; }

    /// <summary>Most energy of training a day, in joules: measured where a sensor tells the device's power, else estimated.</summary>
    public double? MaxJoulesADay { get; init; }

    /// <summary>What the estimate of energy takes for the power while training, in watts. 5 by default.</summary>
    public double WattsWhileTraining { get; init; } = 5;

    /// <summary>Whether a demand that no sensor can answer forbids training. False by default.</summary>
    public bool RequireSensors { get; init; }

    /// <summary>How long everything has to be well before training begins or goes on, so that a flapping sensor does not start and stop it. 10 s by default.</summary>
    public double SettleSeconds { get; init; } = 10;

    /// <summary>Longest pause within a round before it is given up. 120 s by default.</summary>
    public double MaxPauseSeconds { get; init; } = 120;

    /// <summary>Reads a policy file, JSON with these keys in camelCase.</summary>
    /// <exception cref="FormatException">It is not one; the message names key, value and what is allowed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static DevicePolicy Read(string path)
    {
        if (new FileInfo(path).Length > MaxFileBytes)
        {
            throw new FormatException($"'{path}' has more than {MaxFileBytes} bytes; it is no policy.");
        }

        try
        {
            DevicePolicy policy = Parse(File.ReadAllBytes(path));
            policy.Check();
            return policy;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new FormatException($"The policy '{path}' cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="FormatException">One is out of its range.</exception>
    public void Check()
    {
        Demand(nameof(MinBatteryPercent), MinBatteryPercent, 0, 100);
        Demand(nameof(MaxCelsius), MaxCelsius, 0, 150);
        Demand(nameof(ResumeCelsius), ResumeCelsius, 0, MaxCelsius ?? 0);
        Demand(nameof(MinFreeMemoryMebibytes), MinFreeMemoryMebibytes, 0, 1 << 30);
        Demand(nameof(MinFreeDiskMebibytes), MinFreeDiskMebibytes, 0, 1 << 30);
        Demand(nameof(MinLinkMegabits), MinLinkMegabits, 0, 1_000_000);
        Demand(nameof(ProcessorShare), ProcessorShare, 0.01, 1);
        Demand(nameof(Nice), Nice, 0, 19);
        Demand(nameof(MaxSecondsADay), MaxSecondsADay, 0, 86_400);
        Demand(nameof(MaxJoulesADay), MaxJoulesADay, 0, 1e9);
        Demand(nameof(WattsWhileTraining), WattsWhileTraining, 0, 10_000);
        Demand(nameof(SettleSeconds), SettleSeconds, 0, 3_600);
        Demand(nameof(MaxPauseSeconds), MaxPauseSeconds, 0, 86_400);
        foreach (string hours in QuietHours)
        {
            _ = DayInterval.Parse(hours);
        }
    }

    private static DevicePolicy Parse(byte[] json)
    {
        // Generated deserializers give every key that is missing the default of its type, not of its property; so the file is laid over the defaults.
        JsonDocumentOptions options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };
        JsonObject given = JsonNode.Parse(json, null, options) as JsonObject ?? throw new FormatException("It is no JSON object.");
        JsonObject all = JsonSerializer.SerializeToNode(new DevicePolicy(), DevicePolicyContext.Default.DevicePolicy)!.AsObject();
        foreach ((string key, JsonNode? value) in given)
        {
            all[key] = value?.DeepClone();
        }

        return all.Deserialize(DevicePolicyContext.Default.DevicePolicy)!;
    }

    private static void Demand(string key, double? value, double least, double most)
    {
        if (value is { } given && !(given >= least && given <= most))
        {
            throw new FormatException(string.Create(
                CultureInfo.InvariantCulture, $"{char.ToLowerInvariant(key[0])}{key[1..]} is {given}; allowed is {least} to {most}."));
        }
    }
}

[JsonSerializable(typeof(DevicePolicy))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
internal sealed partial class DevicePolicyContext : JsonSerializerContext;
