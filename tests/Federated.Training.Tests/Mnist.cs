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
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Federated.sln")))
        {
            root = root.Parent;
        }

        string folder = Path.Combine(
            root?.FullName ?? throw new DirectoryNotFoundException($"No Federated.sln above '{AppContext.BaseDirectory}'."),
            "Simulator", "Federated.Simulator", "Data", "mnist");
        return IdxExamples.Load(Path.Combine(folder, $"{part}-images-idx3-ubyte.gz"), Path.Combine(folder, $"{part}-labels-idx1-ubyte.gz"));
    }
}
