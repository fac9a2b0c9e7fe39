using Federated.Modeling.Onnx;
using Federated.Shared.Models;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Imports;

/// <summary>
/// What an import calls otherwise than the file that it reads, and the way back: the features and the scores of an exported model have the names and types
/// that they had in the imported one. Inputs that the import filled are constants, sizes that it fixed stay fixed, and further outputs are gone.
/// </summary>
internal static class SourceNames
{
    /// <summary>Suffix of an input of 64-bit tokens in the place of one of 32 bits.</summary>
    private const string Widened = "/int64";

    /// <summary>Suffix of a value that has to give its name to an output.</summary>
    private const string Inner = "/inner";

    /// <summary>Tokens are 64-bit in a package; a model of 32-bit ones gets them cast.</summary>
    /// <returns>The name of the input, which is another one where it was widened.</returns>
    public static string Widen(GraphProto graph, ValueInfoProto input)
    {
        if (input.Type.TensorType.ElemType != (int)DataType.Int32)
        {
            return input.Name;
        }

        NodeProto cast = new() { Name = $"{input.Name}/cast", OpType = "Cast", Input = { input.Name + Widened }, Output = { input.Name } };
        cast.Attribute.AddRange(NodeAttributes.None.With("to", (long)DataType.Int32).ToProtos());
        graph.Node.Insert(0, cast);
        input.Name += Widened;
        input.Type.TensorType.ElemType = (int)DataType.Int64;
        return input.Name;
    }

    /// <summary>Gives input and output of a package's graph of scores the names and types of the file that was imported; the graph of another model stays as it is.</summary>
    public static void Restore(ModelProto model, PackageManifest manifest)
    {
        if (manifest.Provenance is not { } source)
        {
            return;
        }

        Narrow(model.Graph, manifest.Input.Name);
        if (source.Output is not { } output)
        {
            return;
        }

        ValueInfoProto scores = model.Graph.Output.Single();
        if (source.Softmax == true)
        {
            Rename(model.Graph, output, output + Inner);
            NodeProto softmax = new() { Name = $"{output}/softmax", OpType = "Softmax", Input = { scores.Name }, Output = { output } };
            softmax.Attribute.AddRange(NodeAttributes.None.With("axis", -1L).ToProtos());
            model.Graph.Node.Add(softmax);
            scores.Name = output;
        }
        else if (scores.Name != output)
        {
            Rename(model.Graph, output, output + Inner);
            Rename(model.Graph, scores.Name, output);
        }
    }

    /// <summary>Takes back what <see cref="Widen"/> did.</summary>
    private static void Narrow(GraphProto graph, string input)
    {
        NodeProto[] takers = [.. graph.Node.Where(n => n.Input.Contains(input))];
        bool widened = input.EndsWith(Widened, StringComparison.Ordinal) && takers is [{ OpType: "Cast" } only]
            && NodeAttributes.Of(only).IntegerOr("to", 0) == (long)DataType.Int32;
        if (!widened)
        {
            return;
        }

        ValueInfoProto value = graph.Input.Single(i => i.Name == input);
        string name = input[..^Widened.Length];
        string cast = takers[0].Output[0];
        _ = graph.Node.Remove(takers[0]);
        if (cast != name)
        {
            Rename(graph, name, name + Inner);
        }

        Rename(graph, cast, name);
        value.Name = name;
        value.Type.TensorType.ElemType = (int)DataType.Int32;
    }

    private static void Rename(GraphProto graph, string from, string to)
    {
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
            {
                node.Input[i] = node.Input[i] == from ? to : node.Input[i];
            }

            for (int i = 0; i < node.Output.Count; i++)
            {
                node.Output[i] = node.Output[i] == from ? to : node.Output[i];
            }
        }

        foreach (TensorProto constant in graph.Initializer.Where(t => t.Name == from))
        {
            constant.Name = to;
        }

        foreach (ValueInfoProto value in graph.Input.Concat(graph.Output).Where(v => v.Name == from))
        {
            value.Name = to;
        }
    }
}
