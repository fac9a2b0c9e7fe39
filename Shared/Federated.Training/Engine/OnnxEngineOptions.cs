namespace Federated.Training.Engine;

/// <summary>How ONNX Runtime runs a package's graphs.</summary>
public sealed record OnnxEngineOptions
{
    /// <summary>
    /// Threads inside one operator, 1 to 256. With 1 a step runs entirely on its caller's thread: no hand-over, no idle pool, and
    /// sums have one order. More pays only for one large model on an idle machine.
    /// </summary>
    public int IntraOpThreads { get; init; } = 1;
}
