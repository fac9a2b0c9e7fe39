using System.Reflection;
using System.Text.Json;

namespace Federated.Modeling.Costs;

/// <summary>What a device can do, as far as predictions need it. A file of it is JSON with these keys; those of known devices are built in, with their sources.</summary>
public sealed record DeviceProfile
{
    private static readonly JsonSerializerOptions _options = new(JsonSerializerDefaults.Web)
    {
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>For people.</summary>
    public required string Name { get; init; }

    /// <summary>Which model, clock, threads and power mode the numbers are for.</summary>
    public string? Description { get; init; }

    /// <summary>Billions of float32 operations a second in matrix products, a multiply-add counted as two, on the threads a client trains with.</summary>
    public required double GigaflopsPerSecond { get; init; }

    /// <summary>Billions of bytes a second that the same threads read and write.</summary>
    public required double MemoryGigabytesPerSecond { get; init; }

    /// <summary>What starting a node costs, in microseconds.</summary>
    public required double NodeMicroseconds { get; init; }

    /// <summary>Memory that training may use, in 10^6 bytes.</summary>
    public required double AvailableMemoryMegabytes { get; init; }

    /// <summary>What a client holds before it has a model, in 10^6 bytes.</summary>
    public required double RuntimeMegabytes { get; init; }

    /// <summary>Power while it trains.</summary>
    public required double TrainingWatts { get; init; }

    /// <summary>Power while it sends and receives.</summary>
    public required double TransferWatts { get; init; }

    /// <summary>10^6 bits a second that it receives.</summary>
    public required double DownlinkMegabitsPerSecond { get; init; }

    /// <summary>10^6 bits a second that it sends.</summary>
    public required double UplinkMegabitsPerSecond { get; init; }

    /// <summary>Where the numbers come from, and which are assumptions.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Names of the devices that are built in.</summary>
    public static IReadOnlyList<string> Known { get; } = ["pi4", "pi5", "jetson-orin-nano"];

    /// <summary>A device that is built in, or a file's.</summary>
    /// <exception cref="InvalidDataException">There is neither, or the file is no profile; the message says what is allowed.</exception>
    public static DeviceProfile Find(string nameOrFile)
    {
        ArgumentNullException.ThrowIfNull(nameOrFile);
        if (Known.Contains(nameOrFile))
        {
            using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{nameOrFile}.json")!;
            using StreamReader reader = new(resource);
            return Parse(reader.ReadToEnd(), nameOrFile);
        }

        return File.Exists(nameOrFile)
            ? Parse(File.ReadAllText(nameOrFile), nameOrFile)
            : throw new InvalidDataException($"'{nameOrFile}' is no device and no file; known are {string.Join(", ", Known)}, or give a JSON file with the same keys.");
    }

    private static DeviceProfile Parse(string json, string name)
    {
        DeviceProfile profile;
        try
        {
            profile = JsonSerializer.Deserialize<DeviceProfile>(json, _options) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The device profile '{name}' cannot be read: {e.Message}", e);
        }

        foreach ((string key, double value) in new[]
        {
            ("gigaflopsPerSecond", profile.GigaflopsPerSecond), ("memoryGigabytesPerSecond", profile.MemoryGigabytesPerSecond), ("nodeMicroseconds", profile.NodeMicroseconds),
            ("availableMemoryMegabytes", profile.AvailableMemoryMegabytes), ("runtimeMegabytes", profile.RuntimeMegabytes), ("trainingWatts", profile.TrainingWatts),
            ("transferWatts", profile.TransferWatts), ("downlinkMegabitsPerSecond", profile.DownlinkMegabitsPerSecond), ("uplinkMegabitsPerSecond", profile.UplinkMegabitsPerSecond),
        })
        {
            if (!double.IsFinite(value) || value <= 0)
            {
                throw new InvalidDataException($"The device profile '{name}' has {key} = {value}; allowed is above 0.");
            }
        }

        return profile;
    }
}
