namespace Federated.Training.Engine;

/// <summary>How ONNX Runtime runs a package's graphs.</summary>
public sealed record OnnxEngineOptions
{
    /// <summary>
    /// Threads inside one operator, 1 to 256. With 1 a step runs entirely on its caller's thread: no hand-over, no idle pool, and
    /// sums have one order. More pays only for one large model on an idle machine.
    /// </summary>
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>
    /// Whether frozen weights are copied once into the order that matrix kernels read; by default true. The file of weights is mapped, so its
    /// pages cost nothing that the system cannot take back, while the packed copy stays, once a graph and not once a client. On four frozen
    /// matrices of 2048 × 2048 and one thread a forward and backward pass of 8 examples takes 9.6 ms with it and 21.8 ms without, of 1 example
    /// 7 ms either way. Switch it off where memory is scarcer than time.
    /// </summary>
    public bool PackFrozenWeights { get; init; } = true;
}
