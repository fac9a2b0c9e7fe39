using Federated.Modeling.Graphs;

namespace Federated.Modeling.Gradients;

/// <summary>Gradients found so far, by forward value. What several nodes contribute is summed.</summary>
internal sealed class GradientAccumulator(GraphBuilder graph, IReadOnlySet<GraphValue> needed)
{
    private readonly Dictionary<GraphValue, GraphValue> _gradients = [];

    /// <summary>True if a trainable value lies behind this one.</summary>
    public bool Needs(GraphValue value) => needed.Contains(value);

    /// <summary>The gradient, or null when nothing contributed.</summary>
    public GraphValue? Find(GraphValue value) => _gradients.GetValueOrDefault(value);

    /// <summary>Adds a contribution.</summary>
    public void Add(GraphValue value, GraphValue gradient) =>
        _gradients[value] = _gradients.TryGetValue(value, out GraphValue? sum) ? graph.Node("Add", sum, gradient) : gradient;
}
