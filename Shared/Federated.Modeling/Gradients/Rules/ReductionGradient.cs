using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using Federated.Modeling.Shapes;

namespace Federated.Modeling.Gradients.Rules;

/// <summary>A rule of a reduction as one formula. It gives the gradient of X, or one that X's shape is repeated from.</summary>
internal sealed class ReductionGradient(string operatorType, Func<ReductionPoint, Term> gradient) : IGradientRule
{
    public string OperatorType => operatorType;

    public void Backward(GradientContext context)
    {
        GraphValue input = context.Node.Input(0);
        long[] axes = [.. ReductionShapes.AxesOf(context.Node).Order().Select(a => (long)a)];

        // Without axes the node leaves its input as it is, unless there is one element only.
        GraphValue result = axes.Length == 0 && input.Shape.Rank > 0
            ? context.OutputGradient
            : gradient(new ReductionPoint(context, axes)).Value;
        context.Accumulate(0, context.Graph.ExpandTo(result, input));
    }
}

/// <summary>Where a reduction's formula is evaluated.</summary>
internal sealed class ReductionPoint(GradientContext context, long[] axes)
{
    private GraphBuilder Graph => context.Graph;

    public Term X => new(Graph, context.Node.Input(0));

    public Term Y => new(Graph, Kept(context.RequireOutput(0)));

    public Term Gradient => new(Graph, Kept(context.OutputGradient));

    /// <summary>The reduced dimensions as an input.</summary>
    public GraphValue Axes => Graph.Int64Vector(axes);

    /// <summary>n, as a number of X's type.</summary>
    public Term Count
    {
        get
        {
            TensorShape shape = X.Value.Shape;
            TensorShape reduced = TensorShape.Of(axes.Select(a => shape[(int)a]));
            return reduced.IsKnown
                ? new Term(Graph, Graph.Scalar(X.Value.ElementType, reduced.KnownProduct))
                : Number(X.Apply("Size")) / Number(new Term(Graph, context.OutputGradient).Apply("Size"));
        }
    }

    /// <summary>Sum over the reduced dimensions, kept as 1.</summary>
    public Term Sum(Term term) => term.Apply("ReduceSum", Axes);

    /// <summary>Truth values or whole numbers as numbers of X's type.</summary>
    public Term Number(Term term) => term.Apply("Cast", NodeAttributes.None.With("to", (long)X.Value.ElementType));

    private GraphValue Kept(GraphValue value) => context.Node.Attributes.IntegerOr("keepdims", 1) != 0 || axes.Length == 0
        ? value
        : Graph.Node("Unsqueeze", value, Axes);
}
