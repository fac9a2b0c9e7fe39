using Federated.Modeling.Graphs.Folding;
using Federated.Modeling.Onnx;

namespace Federated.Modeling.Graphs;

/// <summary>A tensor that flows through a graph: an input, a constant or the output of a node. Compares by reference.</summary>
public sealed class GraphValue
{
    private KnownContent? _content;

    internal GraphValue(string name, TensorProto.Types.DataType elementType, TensorShape shape, TensorProto? constant = null, KnownContent? content = null)
    {
        Name = name;
        ElementType = elementType;
        Shape = shape;
        Constant = constant;
        _content = content;
    }

    /// <summary>Unique in its graph; the name a written file uses unless the value is a renamed output.</summary>
    public string Name { get; }

    /// <summary>Type of the elements.</summary>
    public TensorProto.Types.DataType ElementType { get; }

    /// <summary>The shape, as far as it is known before a run.</summary>
    public TensorShape Shape { get; }

    /// <summary>The content of a constant; null for everything else.</summary>
    public TensorProto? Constant { get; }

    /// <summary>What is known of the content before a run; null if nothing is, or the value is too large or of a type that is not followed.</summary>
    internal KnownContent? Content => _content ??= Constant is null ? null : KnownContent.Of(Constant);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {ElementType} {Shape}";
}
