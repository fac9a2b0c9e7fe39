using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Client.Session;

namespace Federated.Client.Operations;

/// <summary>How the agent is doing, for whoever watches the device. Thread-safe.</summary>
/// <param name="time">The clock.</param>
internal sealed class DeviceHealth(TimeProvider time)
{
    /// <summary>Failures in a row to reach the server, at a check-in or what comes before it, beyond which the device is not well.</summary>
    public const int MostUnanswered = 5;

    private readonly Lock _lock = new();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private DateTimeOffset? _lastAnswerAt;
    private int _unanswered;
    private long _contributed;
    private long _refused;
    private long _givenUp;
    private string _last = "";

    /// <summary>The server could not be reached.</summary>
    public void Missed()
    {
        lock (_lock)
        {
            _unanswered++;
        }
    }

    /// <summary>A session has ended.</summary>
    public void Note(SessionReport report)
    {
        lock (_lock)
        {
            _unanswered = 0;
            _lastAnswerAt = time.GetUtcNow();
            _last = report.Result.ToString();
            _contributed += report.Result == SessionResult.Accepted ? 1 : 0;
            _refused += report.Result == SessionResult.Refused ? 1 : 0;
            _givenUp += report.Result == SessionResult.Aborted ? 1 : 0;
        }
    }

    /// <summary>Whether the device is well, and the same as one line of JSON with no word of its data.</summary>
    public (bool IsWell, byte[] Json) Describe()
    {
        lock (_lock)
        {
            bool well = _unanswered <= MostUnanswered;
            return (well, JsonSerializer.SerializeToUtf8Bytes(
                new HealthLine(well ? "well" : "server-away", _startedAt, _lastAnswerAt, _last, _contributed, _refused, _givenUp), HealthLineContext.Default.HealthLine));
        }
    }
}

/// <summary>What the health endpoint answers.</summary>
internal sealed record HealthLine(
    string State, DateTimeOffset StartedAt, DateTimeOffset? LastAnswerAt, string LastResult, long Contributed, long Refused, long GivenUp);

[JsonSerializable(typeof(HealthLine))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class HealthLineContext : JsonSerializerContext;
