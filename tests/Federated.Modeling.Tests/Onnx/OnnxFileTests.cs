using CsCheck;
using Federated.Modeling.Graphs;
using Federated.Modeling.Onnx;
using static Federated.Modeling.Onnx.TensorProto.Types;

namespace Federated.Modeling.Tests.Onnx;

public sealed class OnnxFileTests
{
    [Fact]
    public void Read_WhatWriteGave_IsTheSameModel()
    {
        ModelProto model = Model();
        model.Graph.Initializer.Add(new TensorProto
        {
            Name = "frozen",
            DataType = (int)DataType.Float,
            Dims = { 3 },
            DataLocation = DataLocation.External,
            ExternalData = { new StringStringEntryProto { Key = "location", Value = "weights.bin" }, new StringStringEntryProto { Key = "offset", Value = "4096" } },
        });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "key", Value = "value" });
        byte[] bytes = OnnxFile.Write(model);
        ModelProto again = OnnxFile.Read(bytes);
        Assert.Equal(model, again);
        Assert.Equal(bytes, OnnxFile.Write(again));
    }

    // Field 20 (training_info) and 25 (functions) of a model are not in this project's schema.
    [Fact]
    public void Read_FieldsOutsideTheSchema_AreKept()
    {
        byte[] bytes = [.. OnnxFile.Write(Model()), 0xA2, 0x01, 0x02, 0x0A, 0x00, 0xCA, 0x01, 0x00];
        Assert.Equal(bytes, OnnxFile.Write(OnnxFile.Read(bytes)));
    }

    // The bytes of: ir_version 8; graph "g" with input x and output y of one Relu over float [2]; operator set 13.
    [Fact]
    public void Read_BytesWrittenByHand_GivesTheGraph()
    {
        byte[] bytes = Convert.FromHexString(
            "0808" + "3A36"
            + "0A0F" + "0A0178" + "120179" + "1A0172" + "220452656C75"
            + "120167"
            + "5A0F" + "0A0178" + "120A" + "0A08" + "0801" + "1204" + "0A020802"
            + "620F" + "0A0179" + "120A" + "0A08" + "0801" + "1204" + "0A020802"
            + "4202" + "100D");
        ModelProto model = OnnxFile.Read(bytes);
        Assert.Equal((8, 13), (model.IrVersion, model.OpsetImport[0].Version));
        GraphBuilder graph = GraphFile.FromModel(model);
        GraphNode node = Assert.Single(graph.Nodes);
        Assert.Equal(("r", "Relu", "x", "y"), (node.Name, node.OperatorType, node.Input(0).Name, node.Outputs[0]!.Name));
        Assert.Equal(TensorShape.Of(2), graph.Outputs[0].Value.Shape);
    }

    [Fact]
    public void Read_Garbage_IsRefusedAndNothingElseHappens() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        try
        {
            _ = OnnxFile.Read(bytes);
        }
        catch (OnnxFormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    [Theory]
    [InlineData("")]
    [InlineData("0A0178")]
    public void Read_BytesOfAnotherKind_AreSaidToBeNoModel(string hex) => Assert.Contains(
        "are not an ONNX model", Assert.Throws<OnnxFormatException>(() => OnnxFile.Read(Convert.FromHexString(hex))).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_CutOff_IsRefused()
    {
        byte[] bytes = OnnxFile.Write(Model());
        for (int length = 0; length < bytes.Length; length++)
        {
            _ = Assert.Throws<OnnxFormatException>(() => OnnxFile.Read(bytes.AsMemory(0, length)));
        }
    }

    [Theory]
    [InlineData(0, 21, "format version is 0")]
    [InlineData(12, 21, "format version is 12")]
    [InlineData(10, 24, "operator set 24")]
    [InlineData(10, 6, "operator set 6")]
    public void Read_OtherVersion_NamesItAndTheLimits(int irVersion, int operatorSet, string message)
    {
        ModelProto model = Model();
        model.IrVersion = irVersion;
        model.OpsetImport[0].Version = operatorSet;
        OnnxFormatException error = Assert.Throws<OnnxFormatException>(() => OnnxFile.Write(model));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WithoutOperatorSet_IsRefused()
    {
        ModelProto model = Model();
        model.OpsetImport.Clear();
        _ = Assert.Throws<OnnxFormatException>(() => OnnxFile.Write(model));
    }

    private static ModelProto Model()
    {
        GraphBuilder graph = new("g");
        GraphValue x = graph.Input("x", DataType.Float, TensorShape.Of(Dimension.Batch, 3));
        graph.Output("y", graph.Node("Gemm", NodeAttributes.None.With("alpha", 0.5f).With("transB", 1), x, graph.Constant(TensorContent.Floating(DataType.Float, [1, 2, 3], [1, 3]))));
        return GraphFile.ToModel(graph);
    }
}
