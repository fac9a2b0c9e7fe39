using Federated.Shared.Models;
using Federated.Shared.Protocol;

namespace Federated.Server.Aggregation;

/// <summary>
/// One accepted update in a group's books: who sent what, and what it cost. The costs are the device's own word: values no device
/// can have (negative, NaN, beyond 30 days or 2^40 bytes) are brought to the nearest possible one rather than refused, for they decide nothing.
/// </summary>
internal sealed record Contribution
{
    /// <summary>Longest time a device may claim, in seconds: 30 days.</summary>
    public const double MaxSeconds = 30.0 * 24 * 3600;

    /// <summary>Most bytes a device may claim.</summary>
    public const long MaxBytes = 1L << 40;

    private readonly double _meanLoss;
    private readonly double _downloadSeconds;
    private readonly double _computeSeconds;
    private readonly long _bytesUp;
    private readonly long _bytesDown;
    private readonly long _peakMemoryBytes;
    private readonly int _exampleCount = 1;

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>SHA-256 of its update document.</summary>
    public required ContentHash Content { get; init; }

    /// <summary>Its weight, 1 to <see cref="ProtocolLimits.MaxExamples"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public required int ExampleCount
    {
        get => _exampleCount;
        init => _exampleCount = value is >= 1 and <= ProtocolLimits.MaxExamples
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"An update speaks for 1 to {ProtocolLimits.MaxExamples} examples.");
    }

    /// <summary>Mean training loss; finite.</summary>
    /// <exception cref="ArgumentOutOfRangeException">NaN or infinite: refuse the update as not finite before it gets here.</exception>
    public required double MeanLoss
    {
        get => _meanLoss;
        init => _meanLoss = double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, "A recorded loss is finite.");
    }

    /// <summary>Encoded bytes the device sent this round.</summary>
    public long BytesUp
    {
        get => _bytesUp;
        init => _bytesUp = Math.Clamp(value, 0, MaxBytes);
    }

    /// <summary>Encoded bytes it received this round.</summary>
    public long BytesDown
    {
        get => _bytesDown;
        init => _bytesDown = Math.Clamp(value, 0, MaxBytes);
    }

    /// <summary>Time it downloaded.</summary>
    public double DownloadSeconds
    {
        get => _downloadSeconds;
        init => _downloadSeconds = Possible(value);
    }

    /// <summary>Time it trained.</summary>
    public double ComputeSeconds
    {
        get => _computeSeconds;
        init => _computeSeconds = Possible(value);
    }

    /// <summary>Its peak memory.</summary>
    public long PeakMemoryBytes
    {
        get => _peakMemoryBytes;
        init => _peakMemoryBytes = Math.Clamp(value, 0, MaxBytes);
    }

    private static double Possible(double seconds) => double.IsNaN(seconds) ? 0 : Math.Clamp(seconds, 0, MaxSeconds);
}
