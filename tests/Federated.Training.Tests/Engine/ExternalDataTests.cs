using Federated.Modeling.Onnx;
using Federated.Training.Engine;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Training.Tests.Engine;

/// <summary>A package comes from the server: its graphs must not read what else lies on the device.</summary>
public sealed class ExternalDataTests : IDisposable
{
    private const byte Secret = 83;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PrepareTraining_GraphInMemoryThatNamesAFile_IsRefused(bool inAttribute)
    {
        // The runtime would look in the folder that the program runs in.
        string secret = Path.Combine(Environment.CurrentDirectory, $"secret-{Guid.NewGuid():N}");
        File.WriteAllBytes(secret, [Secret]);
        try
        {
            AssertRefused(GraphSource.FromBytes(GraphThatReads(Path.GetFileName(secret), inAttribute)));
            AssertRefused(GraphSource.FromBytes(GraphThatReads(secret, inAttribute)));
            AssertRefused(GraphSource.FromBytes(GraphThatReads(Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "folder"), secret), inAttribute)));
        }
        finally
        {
            File.Delete(secret);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PrepareTraining_GraphInAFileThatNamesAFileElsewhere_IsRefused(bool inAttribute)
    {
        string secret = Path.Combine(_folder.FullName, "secret");
        File.WriteAllBytes(secret, [Secret]);
        AssertRefused(FileThatReads("../secret", inAttribute));
        AssertRefused(FileThatReads(secret, inAttribute));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PrepareTraining_GraphInAFileThatNamesAFileBesideIt_ReadsIt(bool inAttribute)
    {
        GraphSource graph = FileThatReads("weights", inAttribute);
        File.WriteAllBytes(Path.Combine(_folder.FullName, "package", "weights"), [Secret]);
        using OnnxModel model = OnnxModel.Load(Packages.Mlp.Manifest, graph, GraphSource.None, new OnnxEngineOptions());
        using IModelWorkspace workspace = model.CreateWorkspace();
        Assert.True(workspace.LossAndGradient(Mnist.Test, [0]) >= Secret);
    }

    private static void AssertRefused(GraphSource graph)
    {
        using OnnxModel model = OnnxModel.Load(Packages.Mlp.Manifest, graph, GraphSource.None, new OnnxEngineOptions());
        InvalidDataException refusal = Assert.Throws<InvalidDataException>(model.PrepareTraining);
        Assert.Contains("cannot open gradient.onnx", refusal.Message, StringComparison.Ordinal);
    }

    private GraphSource FileThatReads(string location, bool inAttribute)
    {
        string path = Path.Combine(_folder.CreateSubdirectory("package").FullName, "graph");
        File.WriteAllBytes(path, GraphThatReads(location, inAttribute));
        return GraphSource.FromFile(path);
    }

    /// <summary>The perceptron's gradients, with the first byte of a file added to the loss.</summary>
    private static byte[] GraphThatReads(string location, bool inAttribute)
    {
        ModelProto model = OnnxFile.Read(Packages.Mlp.Gradient);
        GraphProto graph = model.Graph;
        NodeProto lossNode = graph.Node.Single(node => node.Output.Contains("loss"));
        lossNode.Output[lossNode.Output.IndexOf("loss")] = "honest loss";
        TensorProto secret = new()
        {
            Name = "secret",
            DataType = (int)DataType.Uint8,
            Dims = { 1 },
            DataLocation = DataLocation.External,
            ExternalData =
            {
                new StringStringEntryProto { Key = "location", Value = location },
                new StringStringEntryProto { Key = "offset", Value = "0" },
                new StringStringEntryProto { Key = "length", Value = "1" },
            },
        };
        if (inAttribute)
        {
            graph.Node.Insert(0, new NodeProto
            {
                OpType = "Constant",
                Output = { "secret" },
                Attribute = { new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = secret } },
            });
        }
        else
        {
            graph.Initializer.Add(secret);
        }

        graph.Node.Add(new NodeProto
        {
            OpType = "Cast",
            Input = { "secret" },
            Output = { "secret number" },
            Attribute = { new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (int)DataType.Float } },
        });
        graph.Node.Add(new NodeProto
        {
            OpType = "ReduceMax",
            Input = { "secret number" },
            Output = { "secret scalar" },
            Attribute = { new AttributeProto { Name = "keepdims", Type = AttributeProto.Types.AttributeType.Int, I = 0 } },
        });
        graph.Node.Add(new NodeProto { OpType = "Add", Input = { "honest loss", "secret scalar" }, Output = { "loss" } });
        return OnnxFile.Write(model);
    }
}
