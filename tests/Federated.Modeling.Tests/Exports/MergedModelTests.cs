using Federated.Modeling.Exports;
using Federated.Modeling.Lora;
using Federated.Modeling.Onnx;
using Federated.Shared.Models;

namespace Federated.Modeling.Tests.Exports;

public sealed class MergedModelTests
{
    // The same weight whether the change is carried beside a frozen one, or beside one that is part of the adapter, as under the rule flora.
    [Theory]
    [InlineData(ModelSpec.Mlp)]
    [InlineData(ModelSpec.Cnn)]
    public void Build_BaseWeightsInTheAdapter_HaveTheChangesAdded(string builder)
    {
        ModelPackage package = ModelPackage.Build(
            builder == ModelSpec.Mlp
                ? new ModelSpec { Builder = builder, Inputs = 7, Hidden = [6], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) }
                : new ModelSpec { Builder = builder, ImageShape = [1, 8, 8], Channels = [3], Hidden = [5], Classes = 3, Lora = new PackageLora(2, 4, ".*", 1) },
            1);
        ModelPackage moved = MergeablePackage.Of(package);
        float[] adapter = [.. package.InitialAdapter.Select((value, i) => value + (0.1f * MathF.Sin(i)))];

        ModelProto plain = OnnxFile.Read(MergedModel.Build(package, adapter));
        ModelProto merged = OnnxFile.Read(MergedModel.Build(moved, (float[])[.. adapter, .. moved.InitialAdapter[adapter.Length..]]));

        Assert.Equal(plain.Graph.Node.Select(n => n.OpType), merged.Graph.Node.Select(n => n.OpType));
        Assert.Equal([PackageManifest.FeaturesInput], merged.Graph.Input.Select(i => i.Name));
        Dictionary<string, TensorProto> weights = merged.Graph.Initializer.ToDictionary(t => t.Name);
        foreach (TensorProto weight in plain.Graph.Initializer.Where(t => t.DataType == (int)TensorProto.Types.DataType.Float))
        {
            Assert.Equal(TensorContent.ReadFloat(weight), TensorContent.ReadFloat(weights[weight.Name]), (a, b) => Math.Abs(a - b) < 1e-6);
        }
    }

    [Fact]
    public void Export_Metadata_AreInTheFile()
    {
        ModelPackage package = ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Inputs = 7, Hidden = [6], Classes = 3 }, 1);

        ModelProto model = OnnxFile.Read(MergedModel.Export(package, package.InitialAdapter, new Dictionary<string, string> { ["federated.version"] = "12" }));

        Assert.Equal(["federated.version=12"], model.MetadataProps.Select(text => $"{text.Key}={text.Value}"));
        Assert.Equal([PackageManifest.ScoresOutput], model.Graph.Output.Select(o => o.Name));
    }
}
