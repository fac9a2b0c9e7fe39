using Federated.Client.Engines;
using Federated.Client.Session;
using Federated.Shared.Models;
using Federated.Shared.Protocol;
using Federated.Training;

namespace Federated.Client.Tests.Scene;

internal sealed class FakeExamples(int count, int featureLength = 2) : IExampleSource
{
    public int Count => count;

    public ExampleFormat Format => ExampleFormat.Classified(featureLength);

    public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch) => batch.Features.Clear();
}

internal sealed class FakeEngine(Action? step) : ITrainingEngine
{
    public string Name => "fake";

    public PackageFile GraphOf(PackageManifest manifest, ModelUse use) => manifest.Gradient;

    public ITrainableModel Load(PackageManifest manifest, ModelUse use, GraphSource graph) => new FakeModel(manifest, step);
}

/// <summary>A model whose gradient is one everywhere, so that plain SGD moves every parameter by −η a step.</summary>
internal sealed class FakeModel(PackageManifest manifest, Action? step = null) : ITrainableModel
{
    public PackageManifest Manifest => manifest;

    public ParameterLayout Layout => manifest.Layout;

    public IModelWorkspace CreateWorkspace() => new Workspace(manifest.Layout.Length, step);

    public void Dispose()
    {
    }

    private sealed class Workspace(int parameters, Action? step) : IModelWorkspace
    {
        private readonly float[] _adapter = new float[parameters];
        private readonly float[] _gradient = new float[parameters];

        public Span<float> Adapter => _adapter;

        public Span<float> Gradient => _gradient;

        public float LossAndGradient(IExampleSource examples, ReadOnlySpan<int> indices)
        {
            step?.Invoke();
            examples.CopyTo(indices, new float[indices.Length * examples.Format.FeatureLength], new long[indices.Length]);
            _gradient.AsSpan().Fill(1);
            return 2;
        }

        public EvaluationSum Evaluate(IExampleSource examples, ReadOnlySpan<int> indices) => throw new NotSupportedException();

        public void Score(IExampleSource examples, ReadOnlySpan<int> indices, Span<float> scores) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}

internal sealed class HookedObserver : ISessionObserver
{
    public Func<CancellationToken, Task> Assigned { get; set; } = _ => Task.CompletedTask;

    public Func<CancellationToken, Task> Trained { get; set; } = _ => Task.CompletedTask;

    public SessionReport? Ended { get; private set; }

    public ValueTask AssignedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => new(Assigned(ct));

    public ValueTask TrainedAsync(ClientIdentity who, PlanDocument plan, CancellationToken ct) => new(Trained(ct));

    public ValueTask EndedAsync(ClientIdentity who, SessionReport report, CancellationToken ct)
    {
        Ended = report;
        return ValueTask.CompletedTask;
    }
}
