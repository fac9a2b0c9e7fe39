using Federated.Training.Data;

namespace Federated.Benchmarks;

/// <summary>Finds the MNIST files that ship with the simulator.</summary>
internal static class MnistFiles
{
    public static IdxExamples LoadTest()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Federated.sln")))
        {
            root = root.Parent;
        }

        string folder = Path.Combine(
            root?.FullName ?? throw new DirectoryNotFoundException($"No Federated.sln above '{AppContext.BaseDirectory}'."),
            "Simulator", "Federated.Simulator", "Data", "mnist");
        return IdxExamples.Load(Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), Path.Combine(folder, "t10k-labels-idx1-ubyte.gz"));
    }
}
