namespace Federated.Server.Aggregation;

/// <summary>A checked update that waits to be folded into a <see cref="RunningSum"/>.</summary>
/// <param name="Values">P little-endian float32, 4·P bytes, at any alignment. Borrowed until the fold returns.</param>
/// <param name="Weight">Examples the update speaks for, 1 to <see cref="RunningSum.MaxWeight"/>.</param>
/// <param name="MaxMagnitude">Largest absolute value, as <see cref="RunningSum.Check"/> found it.</param>
internal readonly record struct PendingUpdate(ReadOnlyMemory<byte> Values, int Weight, float MaxMagnitude);

/// <summary>What one look at an update's values showed.</summary>
/// <param name="Finite">No value is NaN or infinite. When false, both magnitudes are +∞.</param>
/// <param name="InRange">Finite, and weight times the largest magnitude is below <see cref="RunningSum.MaxProduct"/>.</param>
/// <param name="L2Norm">Euclidean norm, accumulated in float64; the same bits on every processor.</param>
/// <param name="MaxMagnitude">Largest absolute value.</param>
internal readonly record struct UpdateCheck(bool Finite, bool InRange, double L2Norm, float MaxMagnitude);
