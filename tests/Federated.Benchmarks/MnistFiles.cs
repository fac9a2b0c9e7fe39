using Federated.Testing;
using Federated.Training.Data;

namespace Federated.Benchmarks;

/// <summary>Finds the MNIST files that ship with the simulator.</summary>
internal static class MnistFiles
{
    public static IdxExamples LoadTest()
    {
        string folder = Path.Combine(RepositoryRoot.Find(), "Simulator", "Federated.Simulator", "Data", "mnist");
        return IdxExamples.Load(Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz"));
    }
}
