using System.Collections.Immutable;
using Google.Protobuf;
using static Federated.Modeling.Onnx.AttributeProto.Types;

namespace Federated.Modeling.Onnx;

/// <summary>The attributes of a node: made by name and value, read by name with the operator's default. Immutable.</summary>
public sealed class NodeAttributes
{
    /// <summary>No attributes.</summary>
    public static readonly NodeAttributes None = new([]);

    private readonly ImmutableDictionary<string, AttributeProto> _byName;

    private NodeAttributes(IEnumerable<AttributeProto> attributes)
    {
        try
        {
            _byName = attributes.ToImmutableDictionary(a => a.Name, StringComparer.Ordinal);
        }
        catch (ArgumentException e)
        {
            throw new OnnxFormatException($"A node has the same attribute twice: {e.Message}", e);
        }
    }

    /// <summary>Names, in ordinal order.</summary>
    public IEnumerable<string> Names => _byName.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads the attributes of a node.</summary>
    /// <exception cref="OnnxFormatException">An attribute occurs twice.</exception>
    public static NodeAttributes Of(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Attribute.Count == 0 ? None : new NodeAttributes(node.Attribute);
    }

    /// <summary>Adds an integer.</summary>
    public NodeAttributes With(string name, long value) => With(new AttributeProto { Name = name, Type = AttributeType.Int, I = value });

    /// <summary>Adds a number.</summary>
    public NodeAttributes With(string name, float value) => With(new AttributeProto { Name = name, Type = AttributeType.Float, F = value });

    /// <summary>Adds a list of integers.</summary>
    public NodeAttributes With(string name, IEnumerable<long> values) =>
        With(new AttributeProto { Name = name, Type = AttributeType.Ints, Ints = { values } });

    /// <summary>Adds a text.</summary>
    public NodeAttributes With(string name, string value) =>
        With(new AttributeProto { Name = name, Type = AttributeType.String, S = ByteString.CopyFromUtf8(value) });

    /// <summary>Adds a list of texts.</summary>
    public NodeAttributes With(string name, IEnumerable<string> values) =>
        With(new AttributeProto { Name = name, Type = AttributeType.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } });

    /// <summary>Adds a tensor.</summary>
    public NodeAttributes With(string name, TensorProto value) => With(new AttributeProto { Name = name, Type = AttributeType.Tensor, T = value });

    /// <summary>The attributes but one.</summary>
    public NodeAttributes Without(string name) => Has(name) ? new(_byName.Values.Where(a => a.Name != name)) : this;

    /// <summary>An integer, or the default when the attribute is not there.</summary>
    public long IntegerOr(string name, long defaultValue) => Find(name, AttributeType.Int)?.I ?? defaultValue;

    /// <summary>A number, or the default when the attribute is not there.</summary>
    public float NumberOr(string name, float defaultValue) => Find(name, AttributeType.Float)?.F ?? defaultValue;

    /// <summary>A list of integers, or null when the attribute is not there.</summary>
    public IReadOnlyList<long>? Integers(string name) => Find(name, AttributeType.Ints)?.Ints;

    /// <summary>A list of numbers, or null when the attribute is not there.</summary>
    public IReadOnlyList<float>? Numbers(string name) => Find(name, AttributeType.Floats)?.Floats;

    /// <summary>A text, or the default when the attribute is not there.</summary>
    public string TextOr(string name, string defaultValue) => Find(name, AttributeType.String)?.S.ToStringUtf8() ?? defaultValue;

    /// <summary>A list of texts, or null when the attribute is not there.</summary>
    public IReadOnlyList<string>? Texts(string name) => Find(name, AttributeType.Strings)?.Strings.Select(s => s.ToStringUtf8()).ToList();

    /// <summary>A tensor, or null when the attribute is not there.</summary>
    public TensorProto? Tensor(string name) => Find(name, AttributeType.Tensor)?.T;

    /// <summary>A graph, as control flow has them, or null when the attribute is not there.</summary>
    public GraphProto? Graph(string name) => Find(name, AttributeType.Graph)?.G;

    /// <summary>True if the attribute is there.</summary>
    public bool Has(string name) => _byName.ContainsKey(name);

    /// <summary>The attributes as the file holds them, in ordinal order of their names.</summary>
    public IEnumerable<AttributeProto> ToProtos() => Names.Select(n => _byName[n].Clone());

    private NodeAttributes With(AttributeProto attribute) =>
        new(_byName.Values.Where(a => a.Name != attribute.Name).Append(attribute));

    private AttributeProto? Find(string name, AttributeType type)
    {
        if (!_byName.TryGetValue(name, out AttributeProto? attribute))
        {
            return null;
        }

        return attribute.Type == type
            ? attribute
            : throw new OnnxFormatException($"Attribute '{name}' is of type {attribute.Type} where {type} is needed.");
    }
}
