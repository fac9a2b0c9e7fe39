using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Losses;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;

namespace Federated.Modeling;

/// <summary>
/// A model from its features to its scores, before loss, gradients or measures are added. Each of the methods that turn it into a file uses the
/// graph up: build it anew for the next.
/// </summary>
public sealed record ForwardModel
{
    /// <summary>A name for people.</summary>
    public required string Name { get; init; }

    /// <summary>The graph. Its inputs are the features and the parameters.</summary>
    public required GraphBuilder Graph { get; init; }

    /// <summary>What the model is asked to do.</summary>
    public ModelTask Task { get; init; } = ModelTask.Classification;

    /// <summary>The input of features: [N, …] with every dimension but the batch known.</summary>
    public required GraphValue Features { get; init; }

    /// <summary>What the task's loss is taken of: unnormalized log-probabilities [N, …, classes], numbers or vectors.</summary>
    public required GraphValue Scores { get; init; }

    /// <summary>Trainable tensors in layout order.</summary>
    public required ImmutableArray<TrainableTensor> Parameters { get; init; }

    /// <summary>What the low-rank changes were made with; null when there are none.</summary>
    public PackageLora? Lora { get; init; }

    /// <summary>Parameters of the full model, without low-rank factors.</summary>
    public required long FullModelParameters { get; init; }

    /// <summary>Where an imported model came from.</summary>
    public PackageProvenance? Provenance { get; init; }

    /// <summary>Where each tensor lies in the flat adapter.</summary>
    public ParameterLayout Layout => ParameterLayout.Of(Parameters.Select(p => (p.Value.Name, (IReadOnlyList<int>)[.. p.Value.Shape.Dimensions.Select(d => (int)d.Size)])));

    /// <summary>The adapter before the first round: [P]. Each tensor draws from its own stream of the seed; low-rank factors from that of <see cref="Lora"/>.</summary>
    public float[] InitialAdapter(ulong seed)
    {
        ParameterLayout layout = Layout;
        float[] adapter = new float[layout.Length];
        for (int i = 0; i < Parameters.Length; i++)
        {
            Span<float> values = adapter.AsSpan(layout.Parameters[i].Offset, layout.Parameters[i].Length);
            Parameters[i].Initialize(values, Parameters[i].Lora is null || Lora is null ? seed : Lora.Seed);
        }

        return adapter;
    }

    /// <summary>Turns the graph into <c>gradient.onnx</c>: outputs <c>loss</c> and <c>gradient/NAME</c> for each parameter.</summary>
    /// <exception cref="OnnxFormatException">A node on the way from the parameters to the loss cannot be differentiated; the message names all such nodes.</exception>
    public ModelProto ToGradientModel()
    {
        TaskLoss loss = TaskLoss.Attach(Graph, Task, Scores);
        IReadOnlyList<GraphValue> gradients = Gradients.GradientBuilder.Append(Graph, loss.Loss, [.. Parameters.Select(p => p.Value)]);
        Graph.Output(PackageManifest.LossOutput, loss.Loss);
        for (int i = 0; i < gradients.Count; i++)
        {
            Graph.Output(PackageManifest.GradientPrefix + Parameters[i].Value.Name, gradients[i]);
        }

        return Finish();
    }

    /// <summary>Turns the graph into <c>evaluation.onnx</c>: outputs <c>loss</c>, <c>score</c> and <c>scores</c>.</summary>
    /// <param name="labels">The labels the task takes.</param>
    public ModelProto ToEvaluationModel(out PackageLabels labels)
    {
        TaskLoss loss = TaskLoss.Attach(Graph, Task, Scores);
        labels = loss.Labels;
        Graph.Output(PackageManifest.LossOutput, loss.Loss);
        Graph.Output(PackageManifest.ScoreOutput, loss.Score());
        Graph.Output(PackageManifest.ScoresOutput, Scores);
        return Finish();
    }

    /// <summary>Turns the graph into <c>model.onnx</c>: from the features and the parameters to the output <c>scores</c>.</summary>
    public ModelProto ToScoringModel()
    {
        Graph.Output(PackageManifest.ScoresOutput, Scores);
        return Finish();
    }

    private ModelProto Finish()
    {
        LossLowering.Apply(Graph);
        Graph.DropDeadNodes();
        return GraphFile.ToModel(Graph);
    }
}
