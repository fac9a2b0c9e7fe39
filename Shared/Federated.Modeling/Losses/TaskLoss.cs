using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Losses;

/// <summary>What a task puts after a model's scores: labels, the mean loss, and the sum that quality is the mean of.</summary>
/// <param name="Labels">The labels as the manifest states them.</param>
/// <param name="Loss">A scalar.</param>
/// <param name="Score">Appends the sum to the graph: a scalar.</param>
internal sealed record TaskLoss(PackageLabels Labels, GraphValue Loss, Func<GraphValue> Score)
{
    /// <summary>What next-token labels may hold for a position that is not counted, as data sets write it.</summary>
    public const long Ignored = -100;

    /// <summary>Appends labels and loss to a graph.</summary>
    /// <param name="graph">Grows.</param>
    /// <param name="task">The task.</param>
    /// <param name="scores">float32 [N, …] with known dimensions after the batch.</param>
    /// <exception cref="OnnxFormatException">The scores do not suit the task.</exception>
    public static TaskLoss Attach(GraphBuilder graph, ModelTask task, GraphValue scores)
    {
        if (scores.ElementType != DataType.Float || scores.Shape.Rank == 0 || !scores.Shape[0].IsSymbolic || scores.Shape.Dimensions.Skip(1).Any(d => d.IsSymbolic))
        {
            throw new OnnxFormatException(
                $"The output '{scores.Name}' is {scores.ElementType} {scores.Shape}; a loss needs Float [N, …] with every dimension but the batch known. "
                + "Pick another output, or state the shape of an input's example.");
        }

        return task switch
        {
            ModelTask.Classification => CrossEntropy(graph, scores, ignored: null),
            ModelTask.CausalLm => CrossEntropy(graph, scores, Ignored),
            ModelTask.Regression => SquaredError(graph, scores),
            ModelTask.Embedding => Cosine(graph, scores),
            _ => throw new ArgumentOutOfRangeException(nameof(task), task, "There is no such task."),
        };
    }

    /// <summary>Scores [N, C] with one label an example, or [N, P…, C] with one a position. The last dimension is the classes.</summary>
    private static TaskLoss CrossEntropy(GraphBuilder graph, GraphValue scores, long? ignored)
    {
        int rank = scores.Shape.Rank;
        if (rank < 2 || (ignored is not null && rank != 3))
        {
            throw new OnnxFormatException(
                $"The output '{scores.Name}' has shape {scores.Shape}; {(ignored is null ? "classification needs [N, classes] or [N, positions…, classes]" : "causal-lm needs [N, positions, vocabulary]")}. "
                + "Pick another output or task.");
        }

        int classes = (int)scores.Shape[-1].Size;
        if (classes < 2)
        {
            throw new OnnxFormatException(
                $"The output '{scores.Name}' has shape {scores.Shape}, which is {classes} of at least 2 classes: such a loss is always 0. Use --task regression for one number, or pick another output with --output.");
        }

        int[] positions = [.. scores.Shape.Dimensions.Skip(1).SkipLast(1).Select(d => (int)d.Size)];
        GraphValue labels = graph.Input(PackageManifest.LabelsInput, DataType.Int64, TensorShape.Of(scores.Shape.Dimensions.SkipLast(1)));
        GraphValue rows = rank == 2 ? scores : graph.Node("Reshape", scores, graph.Int64Vector(-1, classes));
        GraphValue flat = rank == 2 ? labels : graph.Node("Reshape", labels, graph.Int64Vector(-1));
        NodeAttributes attributes = NodeAttributes.None;
        if (ignored is { } label)
        {
            // Every negative label means the same.
            GraphValue mask = graph.Node("Greater", graph.Constant(TensorContent.Integers([0], [])), flat);
            flat = graph.Node("Where", mask, graph.Constant(TensorContent.Integers([label], [])), flat);
            attributes = attributes.With("ignore_index", label);
        }

        GraphValue loss = graph.Node("SoftmaxCrossEntropyLoss", attributes, rows, flat);
        return new TaskLoss(new PackageLabels(ElementType.Int64, positions, classes), loss, () =>
        {
            GraphValue guess = graph.Node("ArgMax", NodeAttributes.None.With("axis", 1).With("keepdims", 0), rows);
            return Total(graph, graph.Node("Cast", NodeAttributes.None.With("to", (long)DataType.Float), graph.Node("Equal", guess, flat)));
        });
    }

    private static TaskLoss SquaredError(GraphBuilder graph, GraphValue scores)
    {
        GraphValue labels = graph.Input(PackageManifest.LabelsInput, DataType.Float, scores.Shape);
        GraphValue error = graph.Node("Sub", scores, labels);
        GraphValue loss = graph.Node("ReduceMean", NodeAttributes.None.With("keepdims", 0), graph.Node("Mul", error, error));
        PackageLabels described = new(ElementType.Float32, [.. scores.Shape.Dimensions.Skip(1).Select(d => (int)d.Size)]);
        return new TaskLoss(described, loss, () =>
            Total(graph, graph.Node("Add", graph.Node("Relu", error), graph.Node("Relu", graph.Node("Neg", error)))));
    }

    /// <summary>1 − cos(scores, labels), each example's output taken as one vector.</summary>
    private static TaskLoss Cosine(GraphBuilder graph, GraphValue scores)
    {
        long length = scores.Shape.Dimensions.Skip(1).Aggregate(1L, (product, d) => checked(product * d.Size));
        GraphValue vectors = scores.Shape.Rank == 2 ? scores : graph.Node("Reshape", scores, graph.Int64Vector(-1, length));
        GraphValue labels = graph.Input(PackageManifest.LabelsInput, DataType.Float, vectors.Shape);
        GraphValue Along(GraphValue a, GraphValue b) =>
            graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), graph.Node("Mul", a, b), graph.Int64Vector(1));

        // The smallest normal number keeps a vector of zeros from dividing by zero; its similarity is 0 then.
        GraphValue lengths = graph.Node("Sqrt", graph.Node("Add", graph.Node("Mul", Along(vectors, vectors), Along(labels, labels)), graph.Scalar(DataType.Float, 1e-30)));
        GraphValue similarity = graph.Node("Div", Along(vectors, labels), lengths);
        GraphValue mean = graph.Node("ReduceMean", NodeAttributes.None.With("keepdims", 0), similarity);
        GraphValue loss = graph.Node("Sub", graph.Scalar(DataType.Float, 1), mean);
        return new TaskLoss(new PackageLabels(ElementType.Float32, [(int)length]), loss, () => Total(graph, similarity));
    }

    private static GraphValue Total(GraphBuilder graph, GraphValue value) => graph.Node("ReduceSum", NodeAttributes.None.With("keepdims", 0), value);
}
