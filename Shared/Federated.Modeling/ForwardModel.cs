using System.Collections.Immutable;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling;

/// <summary>A classifier's forward graph up to the mean loss, before gradients or measures are added.</summary>
public sealed record ForwardModel
{
    /// <summary>A name for people.</summary>
    public required string Name { get; init; }

    /// <summary>The graph. Its inputs are the features, the labels and the parameters, under the names of <see cref="PackageManifest"/>.</summary>
    public required GraphBuilder Graph { get; init; }

    /// <summary>Shape of one example.</summary>
    public required ImmutableArray<int> FeatureShape { get; init; }

    /// <summary>Labels: int64 [N].</summary>
    public required GraphValue Labels { get; init; }

    /// <summary>Unnormalized log-probabilities: [N, classes].</summary>
    public required GraphValue Scores { get; init; }

    /// <summary>Mean cross-entropy: a scalar.</summary>
    public required GraphValue Loss { get; init; }

    /// <summary>Trainable tensors in layout order.</summary>
    public required ImmutableArray<TrainableTensor> Parameters { get; init; }

    /// <summary>Number of classes.</summary>
    public int Classes => (int)Scores.Shape[1].Size;

    /// <summary>Where each tensor lies in the flat adapter.</summary>
    public ParameterLayout Layout => ParameterLayout.Of(Parameters.Select(p => (p.Value.Name, (IReadOnlyList<int>)[.. p.Value.Shape.Dimensions.Select(d => (int)d.Size)])));

    /// <summary>The adapter before the first round: [P]. Each tensor draws from its own stream of the seed.</summary>
    public float[] InitialAdapter(ulong seed)
    {
        ParameterLayout layout = Layout;
        float[] adapter = new float[layout.Length];
        for (int i = 0; i < Parameters.Length; i++)
        {
            Parameters[i].Initialize(adapter.AsSpan(layout.Parameters[i].Offset, layout.Parameters[i].Length), seed);
        }

        return adapter;
    }

    /// <summary>Turns the graph into <c>gradient.onnx</c>: outputs <c>loss</c> and <c>gradient/NAME</c> for each parameter.</summary>
    public ModelProto ToGradientModel()
    {
        IReadOnlyList<GraphValue> gradients = Gradients.GradientBuilder.Append(Graph, Loss, [.. Parameters.Select(p => p.Value)]);
        Graph.Output(PackageManifest.LossOutput, Loss);
        for (int i = 0; i < gradients.Count; i++)
        {
            Graph.Output(PackageManifest.GradientPrefix + Parameters[i].Value.Name, gradients[i]);
        }

        return Finish();
    }

    /// <summary>Turns the graph into <c>evaluation.onnx</c>: outputs <c>loss</c> and <c>correct</c>.</summary>
    public ModelProto ToEvaluationModel()
    {
        GraphValue guess = Graph.Node("ArgMax", NodeAttributes.None.With("axis", 1).With("keepdims", 0), Scores);
        GraphValue right = Graph.Node("Cast", NodeAttributes.None.With("to", (long)DataType.Float), Graph.Node("Equal", guess, Labels));
        Graph.Output(PackageManifest.LossOutput, Loss);
        Graph.Output(PackageManifest.CorrectOutput, Graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), right));
        return Finish();
    }

    private ModelProto Finish()
    {
        LossLowering.Apply(Graph);
        Graph.DropDeadNodes();
        return GraphFile.ToModel(Graph);
    }
}
