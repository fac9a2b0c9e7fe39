namespace Federated.EndToEnd.Tests.Access;

/// <summary>The system's clock, ahead by what the test says. Its timers keep real time.</summary>
internal sealed class MovableClock : TimeProvider
{
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
}
