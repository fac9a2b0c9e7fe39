namespace Federated.Server.Aggregation.ServerOptimizers;

/// <summary>
/// Turns a round's aggregate into the next adapter. Stateless: what it remembers between rounds lies in slots of P floats that
/// the caller keeps, checkpoints and hands in. Thread-safe. The same bits on every processor: only additions,
/// multiplications, divisions and square roots of float32, none of them fused.
/// </summary>
internal interface IServerOptimizer
{
    /// <summary>Its name in settings and checkpoints.</summary>
    string Name { get; }

    /// <summary>Slots it keeps.</summary>
    int SlotCount { get; }

    /// <summary>What a slot holds before the first round.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such slot.</exception>
    float InitialSlotValue(int slot);

    /// <summary>Steps the adapter along the weighted mean update and updates the slots, all in place.</summary>
    /// <param name="adapter">x: [P].</param>
    /// <param name="meanUpdate">Δ: [P].</param>
    /// <param name="slots"><see cref="SlotCount"/> arrays of [P].</param>
    /// <exception cref="ArgumentException">A length or the count of slots is wrong; nothing was changed.</exception>
    void Apply(Span<float> adapter, ReadOnlySpan<float> meanUpdate, IReadOnlyList<float[]> slots);
}
