using Federated.Modeling;
using Federated.Shared.Models;
using Federated.Training.Engine;

namespace Federated.Training.Tests;

/// <summary>A model package and its engine, built once.</summary>
internal sealed class Packages
{
    private static readonly Lazy<Packages> LazyMlp = new(() => new Packages(ModelSpec.Mlp));
    private static readonly Lazy<Packages> LazyCnn = new(() => new Packages(ModelSpec.Cnn));

    private readonly ModelPackage _package;

    private Packages(string builder) => _package = ModelPackage.Build(new ModelSpec { Builder = builder }, seed: 1);

    public static Packages Mlp => LazyMlp.Value;

    public static Packages Cnn => LazyCnn.Value;

    public PackageManifest Manifest => _package.Manifest;

    public byte[] Gradient => _package.GradientGraph;

    public byte[] Evaluation => _package.EvaluationGraph;

    public float[] Initial => _package.InitialAdapter;

    public OnnxModel Open() => OnnxModel.Load(Manifest, Gradient, Evaluation, new OnnxEngineOptions());
}
