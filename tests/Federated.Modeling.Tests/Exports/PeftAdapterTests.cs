using System.Text;
using System.Text.Json.Nodes;
using Federated.Modeling.Exports;
using Federated.Shared.Models;
using Federated.Shared.Randomness;

namespace Federated.Modeling.Tests.Exports;

public sealed class PeftAdapterTests
{
    private static readonly ModelSpec s_mlp = new() { Builder = ModelSpec.Mlp, Inputs = 4, Hidden = [3], Classes = 2 };
    private static readonly ModelSpec s_cnn = new() { Builder = ModelSpec.Cnn, ImageShape = [2, 8, 8], Channels = [3], Hidden = [4], Classes = 3 };

    [Fact]
    public void Write_Convolutions_HavePeftsNamesAndShapes()
    {
        ModelPackage package = Package(s_cnn, "conv1|dense1");

        IReadOnlyList<NamedTensor> tensors = SafetensorsFile.Read(PeftAdapter.Write(package.Manifest, package.InitialAdapter).Weights);

        Assert.Equal(
            [
                "base_model.model.conv1.lora_A.weight [2, 2, 5, 5]",
                "base_model.model.conv1.lora_B.weight [3, 2, 1, 1]",
                "base_model.model.dense1.lora_A.weight [2, 48]",
                "base_model.model.dense1.lora_B.weight [4, 2]",
            ],
            tensors.Select(t => $"{t.Name} [{string.Join(", ", t.Shape)}]"));
    }

    // The keys of LoraConfig in PEFT 0.15, in the order in which it writes them.
    [Fact]
    public void Write_Config_HasPeftsKeysInTheirOrder()
    {
        ModelPackage package = Package(s_mlp, "dense1");

        JsonObject config = JsonNode.Parse(PeftAdapter.Write(package.Manifest, package.InitialAdapter).Config)!.AsObject();

        Assert.Equal(
            "alpha_pattern auto_mapping base_model_name_or_path bias corda_config eva_config exclude_modules fan_in_fan_out inference_mode init_lora_weights "
            + "layer_replication layers_pattern layers_to_transform loftq_config lora_alpha lora_bias lora_dropout megatron_config megatron_core modules_to_save peft_type "
            + "r rank_pattern revision target_modules task_type trainable_token_indices use_dora use_rslora",
            string.Join(' ', config.Select(key => key.Key)));
        Assert.Equal(("LORA", 2, 4), ((string?)config["peft_type"], (int)config["r"]!, (int)config["lora_alpha"]!));
        Assert.Equal("""["dense1"]""", config["target_modules"]!.ToJsonString());
    }

    [Fact]
    public void Write_WeightsBesideTheFactors_AreModulesToSaveOrBiases()
    {
        ModelPackage package = ModelPackage.Build(s_mlp with { Lora = new PackageLora(2, 4, "dense1", 1), Trainable = "dense2|bias" }, 1);

        (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, package.InitialAdapter);

        JsonObject keys = JsonNode.Parse(config)!.AsObject();
        Assert.Equal(("lora_only", """["dense2"]"""), ((string?)keys["bias"], keys["modules_to_save"]!.ToJsonString()));
        Assert.Contains("base_model.model.dense1.base_layer.bias", SafetensorsFile.Read(weights).Select(t => t.Name));
        Assert.Equal(package.InitialAdapter, PeftAdapter.Read(weights, config).Into(package).InitialAdapter);
    }

    [Theory]
    [InlineData(ModelSpec.Mlp)]
    [InlineData(ModelSpec.Cnn)]
    public void Read_WhatWasWritten_GivesEveryBitBack(string builder)
    {
        ModelPackage package = Package(builder == ModelSpec.Mlp ? s_mlp : s_cnn, ".*");
        SeededGenerator random = SeededGenerator.For(3, "adapter");
        float[] adapter = [.. package.InitialAdapter.Select(_ => (float)random.NextGaussian())];

        (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, adapter);
        PeftAdapter read = PeftAdapter.Read(weights, config);
        ModelPackage again = read.Into(package);

        Assert.Equal(adapter, again.InitialAdapter);
        Assert.Equal((2, 4.0), (read.Settings.Rank, read.Settings.Alpha));
        (byte[] secondWeights, byte[] secondConfig) = PeftAdapter.Write(again.Manifest, again.InitialAdapter);
        Assert.Equal(weights, secondWeights);
        Assert.Equal(config, secondConfig);
    }

    [Theory]
    [InlineData("\"dense1\"", "dense1", true)]
    [InlineData("\"dense1\"", "model.dense1", false)]
    [InlineData("\".*dense1\"", "model.dense1", true)]
    [InlineData("[\"dense1\"]", "model.dense1", true)]
    [InlineData("[\"q\", \"dense1\"]", "dense1", true)]
    [InlineData("[\"dense1\"]", "xdense1", false)]
    [InlineData("[\"dense1\"]", "dense10", false)]
    public void Read_Targets_MatchAsInPeft(string targets, string layer, bool matches)
    {
        PeftAdapter adapter = Read(config => config["target_modules"] = JsonNode.Parse(targets));

        Assert.Equal(matches, System.Text.RegularExpressions.Regex.IsMatch(layer, adapter.Settings.Targets));
    }

    [Fact]
    public void Read_RankStabilized_ScalesByTheRootOfTheRank() =>
        Assert.Equal(4 * Math.Sqrt(2), Read(config => config["use_rslora"] = true).Settings.Alpha, 1e-12);

    [Theory]
    [InlineData("peft_type", "\"IA3\"", "peft_type is \"IA3\"; LORA is supported")]
    [InlineData("use_dora", "true", "use_dora is true; false is supported")]
    [InlineData("bias", "\"all\"", "bias is \"all\"; none or lora_only is supported")]
    [InlineData("rank_pattern", "{\"dense1\": 4}", "rank_pattern is")]
    [InlineData("alpha_pattern", "{\"dense1\": 4}", "alpha_pattern is")]
    [InlineData("layers_to_transform", "[0, 1]", "layers_to_transform is [0,1]; null is supported")]
    [InlineData("layers_to_transform", "3", "layers_to_transform is 3; null is supported")]
    [InlineData("layers_pattern", "\"blocks\"", "layers_pattern is \"blocks\"; null is supported")]
    [InlineData("exclude_modules", "[\"dense1\"]", "exclude_modules is [\"dense1\"]; null is supported")]
    [InlineData("r", "0", "r is 0; 1 to 1024")]
    [InlineData("r", "null", "r is missing or null")]
    [InlineData("r", "\"two\"", "r is \"two\" where a whole number is needed")]
    [InlineData("lora_alpha", "null", "lora_alpha is missing or null")]
    [InlineData("target_modules", "[null]", "target_modules[0] is missing or null")]
    [InlineData("target_modules", "null", "target_modules is missing or empty")]
    public void Read_OtherKind_IsRefusedByItsKey(string key, string value, string message)
    {
        InvalidDataException e = Assert.Throws<InvalidDataException>(() => Read(config => config[key] = JsonNode.Parse(value)));

        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layers_to_transform", "[]")]
    [InlineData("layers_pattern", "\"\"")]
    [InlineData("exclude_modules", "[]")]
    public void Read_EmptyChoiceOfLayers_IsNone(string key, string value) => Assert.Equal(2, Read(config => config[key] = JsonNode.Parse(value)).Settings.Rank);

    [Fact]
    public void Into_AnotherModel_IsRefused()
    {
        PeftAdapter adapter = Read(_ => { });

        Assert.Contains("There is no tensor", Assert.Throws<InvalidDataException>(() => adapter.Into(Package(s_mlp, "dense2"))).Message, StringComparison.Ordinal);
        Assert.Contains("has shape", Assert.Throws<InvalidDataException>(() => adapter.Into(Package(s_mlp with { Inputs = 5 }, "dense1"))).Message, StringComparison.Ordinal);
        Assert.Contains("rank 2", Assert.Throws<InvalidDataException>(() => adapter.Into(Package(s_mlp, "dense1", rank: 3))).Message, StringComparison.Ordinal);
        PeftAdapter both = PeftAdapter.Read(Write(Package(s_mlp, ".*")).Weights, Write(Package(s_mlp, ".*")).Config);
        Assert.Contains("have no place", Assert.Throws<InvalidDataException>(() => both.Into(Package(s_mlp, "dense1"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Into_ValueThatIsNotFinite_IsRefused()
    {
        ModelPackage package = Package(s_mlp, "dense1");
        float[] values = [.. package.InitialAdapter];
        values[1] = float.NaN;
        (byte[] weights, byte[] config) = PeftAdapter.Write(package.Manifest, values);

        Assert.Contains(
            "'dense1.lora_A.weight' holds values that are not finite",
            Assert.Throws<InvalidDataException>(() => PeftAdapter.Read(weights, config).Into(package)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WholeWeights_IsRefused()
    {
        ModelPackage package = ModelPackage.Build(s_mlp, 1);

        Assert.Contains("trains whole weights", Assert.Throws<ArgumentException>(() => Write(package)).Message, StringComparison.Ordinal);
    }

    private static PeftAdapter Read(Action<JsonObject> change)
    {
        (byte[] weights, byte[] config) = Write(Package(s_mlp, "dense1"));
        JsonObject changed = JsonNode.Parse(config)!.AsObject();
        change(changed);
        return PeftAdapter.Read(weights, Encoding.UTF8.GetBytes(changed.ToJsonString()));
    }

    private static (byte[] Weights, byte[] Config) Write(ModelPackage package) => PeftAdapter.Write(package.Manifest, package.InitialAdapter);

    private static ModelPackage Package(ModelSpec spec, string targets, int rank = 2) =>
        ModelPackage.Build(spec with { Lora = new PackageLora(rank, 2.0 * rank, targets, 1) }, 1);
}
