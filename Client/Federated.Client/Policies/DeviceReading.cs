namespace Federated.Client.Policies;

/// <summary>What the device's sensors say at one moment; null where none can tell. Immutable.</summary>
internal sealed record DeviceReading
{
    /// <summary>Whether external power is there.</summary>
    public bool? OnMains { get; init; }

    /// <summary>Charge of the emptiest battery, 0 to 100.</summary>
    public double? BatteryPercent { get; init; }

    /// <summary>The hottest sensor, in °C.</summary>
    public double? Celsius { get; init; }

    /// <summary>Why the system slows its processor down now; empty when it does not.</summary>
    public string? Throttling { get; init; }

    /// <summary>What the whole device draws, in watts.</summary>
    public double? Watts { get; init; }

    /// <summary>Memory that can be had without taking it from others, in bytes.</summary>
    public long? FreeMemoryBytes { get; init; }

    /// <summary>Room on the disk of the state folder, in bytes.</summary>
    public long? FreeDiskBytes { get; init; }

    /// <summary>Interface of the default route; empty when there is no such route.</summary>
    public string? Interface { get; init; }

    /// <summary>Speed of that interface's link, in Mbit/s.</summary>
    public int? LinkMegabits { get; init; }
}
