using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Shared.Files;

namespace Federated.Client.Policies;

/// <summary>What training has taken on one day. Immutable.</summary>
/// <param name="Day">The day, where the device is.</param>
/// <param name="Seconds">Time of training.</param>
/// <param name="Joules">Energy of it.</param>
internal sealed record DayUse(DateOnly Day, double Seconds, double Joules)
{
    /// <summary>Adds to it, or begins with a new day.</summary>
    public DayUse Plus(DateOnly day, double seconds, double joules) => day == Day
        ? this with { Seconds = Seconds + seconds, Joules = Joules + joules }
        : new DayUse(day, seconds, joules);

    /// <summary>What counts on a day: itself, or nothing yet.</summary>
    public DayUse On(DateOnly day) => day == Day ? this : new DayUse(day, 0, 0);
}

[JsonSerializable(typeof(DayUse))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class DayUseContext : JsonSerializerContext;

/// <summary>Keeps a day's use over restarts, in one file that is replaced as a whole. Not thread-safe.</summary>
/// <param name="path">The file; null keeps nothing.</param>
internal sealed class DayUseFile(string? path)
{
    private const int MaxFileBytes = 4096;

    /// <summary>What was kept; null when nothing was or when it cannot be read.</summary>
    public DayUse? Read()
    {
        try
        {
            return path is not null && new FileInfo(path) is { Exists: true, Length: <= MaxFileBytes }
                && JsonSerializer.Deserialize(File.ReadAllBytes(path), DayUseContext.Default.DayUse) is { Seconds: >= 0, Joules: >= 0 } use
                ? use
                : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            // A limit of a day is not worth a device that does not start.
            return null;
        }
    }

    /// <summary>Keeps it. A disk that takes nothing loses the count of this process alone.</summary>
    public void Write(DayUse use)
    {
        if (path is not null)
        {
            _ = ReplacedFile.TryWrite(path, JsonSerializer.SerializeToUtf8Bytes(use, DayUseContext.Default.DayUse));
        }
    }
}
