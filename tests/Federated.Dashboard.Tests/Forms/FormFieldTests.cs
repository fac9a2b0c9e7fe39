using System.Text.Json.Nodes;
using Federated.Server.Dashboard.Forms;
using Federated.Server.Jobs;

namespace Federated.Dashboard.Tests.Forms;

/// <summary>The form that is made from the schema of jobs.</summary>
public sealed class FormFieldTests
{
    private const string Everything = """
        {
          "name": "all", "population": "p", "rounds": 3, "targetAccuracy": 0.5,
          "model": { "builder": "cnn", "channels": [4, 8], "lora": { "rank": 2, "targets": ".*" } },
          "training": { "optimizer": "adamW", "learningRate": 1E-05, "directions": { "count": 5 } },
          "evaluation": { "data": { "kind": "idx", "images": "i", "labels": "l", "variants": ["plain", "inverted"] } },
          "aggregation": { "lora": { "rule": "hetlora", "ranks": { "label": "memory", "values": { "small": 1, "large": 2 } }, "averagingBias": true } }
        }
        """;

    [Fact]
    public void Enter_ASpec_ComesBackAsItWas()
    {
        FormField form = FormField.Of(JobSchema.Text);

        form.Enter(JsonNode.Parse(Everything));

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Everything), form.ToJson()), form.ToJson()!.ToJsonString());
    }

    [Fact]
    public void ToJson_NothingEntered_IsEmpty() => Assert.Equal("{}", FormField.Of(JobSchema.Text).ToJson()!.ToJsonString());

    [Theory]
    [InlineData("cohort.goal", "many", "\"many\"")]
    [InlineData("cohort.goal", "-3", "-3")]
    [InlineData("cohort.goal", "1,5", "\"1,5\"")]
    [InlineData("model.hidden", "20, x", "[20,\"x\"]")]
    [InlineData("aggregation.lora.ranks.values", "{", "\"{\"")]
    public void ToJson_NoSuchValue_IsHandedOnForTheCheckToRefuse(string path, string text, string expected)
    {
        FormField form = FormField.Of(JobSchema.Text);
        FormField field = form.Find(path)!;
        field.Text = text;

        Assert.Equal(expected, field.ToJson()!.ToJsonString());
        Assert.Contains(path, Assert.Throws<InvalidSettingsException>(() => JobSpec.Parse(Sound(form))).Problems.Select(problem => problem.Path.Split('[')[0]));
    }

    [Fact]
    public void Of_TheSchema_HasAFieldForEverySettingThatProblemsName()
    {
        FormField form = FormField.Of(JobSchema.Text);

        InvalidSettingsException wrong = Assert.Throws<InvalidSettingsException>(() => JobSpec.Parse(
            """{ "name": "", "rounds": 0, "model": { "builder": "mlp", "hidden": [1.5], "lora": { "rank": 0 } }, "update": { "valueBits": 99 } }"""));

        Assert.All(wrong.Problems, problem => Assert.True(form.Children.Any(child => child.Has([problem.Path])), $"No field shows {problem}."));
    }

    private static string Sound(FormField form)
    {
        form.Find("name")!.Text = "n";
        form.Find("population")!.Text = "p";
        form.Find("model.builder")!.Text = "mlp";
        form.Find("aggregation.lora")!.IsOn = form.Find("aggregation.lora.ranks.values")!.Text.Length > 0;
        form.Find("aggregation.lora.ranks")!.IsOn = form.Find("aggregation.lora")!.IsOn;
        return form.ToJson()!.ToJsonString();
    }
}
