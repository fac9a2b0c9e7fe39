using System.Buffers;
using Federated.Client.Personal;

namespace Federated.Client.Session;

/// <summary>How a session behaves. Immutable.</summary>
public sealed record SessionOptions
{
    /// <summary>How long a check-in lets the server wait for demand before it answers. 20 s by default, at most an hour.</summary>
    public TimeSpan CheckInHold { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What a check-in may take beyond its hold before it counts as failed. 10 s by default.</summary>
    public TimeSpan CheckInMargin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Ceiling of the first wait after a broken transfer; it doubles with each failure. 200 ms by default.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Highest ceiling of a wait after a broken transfer. 10 s by default.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the session tries to tell the server that it gives a round up. 5 s by default.</summary>
    public TimeSpan AbortTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same when a person stops the process, who waits. 500 ms by default. With zero nothing is said, and the round goes on counting on the device.</summary>
    public TimeSpan InterruptTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary><see cref="SessionReport.RetryAfter"/> of a round that was refused or given up. 5 s by default.</summary>
    public TimeSpan PauseAfterFailure { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Where a round's one large buffer comes from. The shared pool by default, which gives memory back when a device is idle; many
    /// virtual devices in one process are better served by a pool that keeps a buffer for each.
    /// </summary>
    public ArrayPool<byte> Buffers { get; init; } = ArrayPool<byte>.Shared;

    /// <summary>Version of the client software as the server's statistics show it; this assembly's by default.</summary>
    public string ClientVersion { get; init; } = typeof(SessionOptions).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Engine as the server's statistics show it. <c>onnx</c> by default.</summary>
    public string Engine { get; init; } = "onnx";

    /// <summary>Whether the device takes part in no round but those under secure aggregation. Off by default.</summary>
    public bool MaskedOnly { get; init; }

    /// <summary>Keeps what the device's own training made of the model; nobody when null.</summary>
    internal PersonalModels? Personal { get; init; }
}
