using Federated.Testing;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.EndToEnd.Tests.Scene;

/// <summary>The MNIST files that ship with the simulator.</summary>
internal static class Mnist
{
    private static readonly Lazy<IdxExamples> _test = new(() => IdxExamples.Load(TestImages, TestLabels));

    public static string TrainImages => PathOf("train-images-idx3-ubyte.gz");

    public static string TrainLabels => PathOf("train-labels-idx1-ubyte.gz");

    public static string TestImages => PathOf("t10k-images-idx3-ubyte.gz");

    public static string TestLabels => PathOf("t10k-labels-idx1-ubyte.gz");

    /// <summary>Some examples of the smaller file, which is quicker to read.</summary>
    public static IExampleSource Slice(int start, int count) => new ExampleSubset(_test.Value, [.. Enumerable.Range(start, count)]);

    private static string PathOf(string file) =>
        Path.Combine(RepositoryRoot.Find(), "Simulator", "Federated.Simulator", "Data", "mnist", file);
}
