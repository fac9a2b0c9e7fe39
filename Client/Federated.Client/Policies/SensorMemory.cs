namespace Federated.Client.Policies;

/// <summary>Fills what a reading lacks with what was read shortly before: buses and drivers fail now and then. Not thread-safe.</summary>
/// <param name="longest">How long a value counts after it was read.</param>
internal sealed class SensorMemory(TimeSpan longest)
{
    private readonly Dictionary<string, (object Value, TimeSpan At)> _values = [];

    /// <summary>The reading with its gaps filled.</summary>
    public DeviceReading Complete(DeviceReading reading, TimeSpan at) => reading with
    {
        OnMains = Keep(nameof(reading.OnMains), reading.OnMains, at),
        BatteryPercent = Keep(nameof(reading.BatteryPercent), reading.BatteryPercent, at),
        Celsius = Keep(nameof(reading.Celsius), reading.Celsius, at),
        Throttling = reading.Throttling is { } throttling ? Note(nameof(reading.Throttling), throttling, at) : Recall(nameof(reading.Throttling), at) as string,
        Watts = Keep(nameof(reading.Watts), reading.Watts, at),
        FreeMemoryBytes = Keep(nameof(reading.FreeMemoryBytes), reading.FreeMemoryBytes, at),
        FreeDiskBytes = Keep(nameof(reading.FreeDiskBytes), reading.FreeDiskBytes, at),
    };

    private T? Keep<T>(string name, T? value, TimeSpan at)
        where T : struct => value is { } known ? Note(name, known, at) : Recall(name, at) is T earlier ? earlier : null;

    private T Note<T>(string name, T value, TimeSpan at)
        where T : notnull
    {
        _values[name] = (value, at);
        return value;
    }

    private object? Recall(string name, TimeSpan at) => _values.TryGetValue(name, out (object Value, TimeSpan At) known) && at - known.At <= longest ? known.Value : null;
}
