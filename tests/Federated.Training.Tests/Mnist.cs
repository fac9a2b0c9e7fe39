using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Training.Tests;

/// <summary>The MNIST files that ship with the simulator, read once.</summary>
internal static class Mnist
{
    private static readonly Lazy<IdxExamples> LazyTrain = new(() => Load("train"));
    private static readonly Lazy<IdxExamples> LazyTest = new(() => Load("t10k"));

    public static IdxExamples Train => LazyTrain.Value;

    public static IdxExamples Test => LazyTest.Value;

    private static IdxExamples Load(string part)
    {
        string folder = Path.Combine(RepositoryRoot.Find(), "Simulator", "Federated.Simulator", "Data", "mnist");
        return IdxExamples.Load(Path.Combine(folder, $"{part}-images-idx3-ubyte.gz"), Path.Combine(folder, $"{part}-labels-idx1-ubyte.gz"));
    }
}
