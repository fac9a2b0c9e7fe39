using Federated.Training.Engine;

namespace Federated.Client.Engines;

/// <summary>The engines by name. Which of them a program has is decided when it is built.</summary>
public static class TrainingEngines
{
    /// <summary>ONNX Runtime, the default.</summary>
    public const string Onnx = "onnx";

    /// <summary>torch; needs a build with <c>-p:TorchEngine=true</c>.</summary>
    public const string Torch = "torch";

    /// <summary>The names, whether built in or not.</summary>
    public static IReadOnlyList<string> Names { get; } = [Onnx, Torch];

    /// <summary>Opens an engine.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="threads">Threads inside one operator, at least 1.</param>
    /// <exception cref="FormatException">There is no such engine.</exception>
    /// <exception cref="NotSupportedException">This program was built without it.</exception>
    public static ITrainingEngine Open(string name, int threads) => name switch
    {
        Onnx => new OnnxTrainingEngine(new OnnxEngineOptions { IntraOpThreads = threads }),
#if TORCH_ENGINE
        Torch => new TorchTrainingEngine(new Federated.Training.Torch.TorchEngineOptions { Threads = threads }),
#else
        Torch => throw new NotSupportedException(
            $"This program was built without the engine '{Torch}'. Build it with -p:TorchEngine=true, which adds torch's libraries, or use --engine {Onnx}."),
#endif
        _ => throw new FormatException($"The engine is '{name}'; known are {string.Join(" and ", Names)}."),
    };
}
