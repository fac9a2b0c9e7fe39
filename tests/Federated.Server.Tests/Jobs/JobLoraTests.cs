using Federated.Server.Jobs;
using Federated.Shared.Models;

namespace Federated.Server.Tests.Jobs;

/// <summary>What only the package tells about a job's LoRA settings.</summary>
public sealed class JobLoraTests
{
    private static readonly PackageManifest _factors = Manifest(
        new PackageParameter("A", [4, 6], new LoraFactor("t", LoraMatrix.A, 4, 1)), new PackageParameter("B", [8, 4], new LoraFactor("t", LoraMatrix.B, 4, 1)));

    private static readonly PackageManifest _plain = Manifest(new PackageParameter("w", [3]));

    private static PackageManifest Manifest(params PackageParameter[] parameters)
    {
        PackageFile graph = new(new string('0', 2 * ContentHash.LengthBytes), 5_000);
        return new PackageManifest
        {
            Format = PackageManifest.CurrentFormat,
            Name = "small",
            Task = ModelTask.Classification,
            Inputs = [new PackageInput(PackageManifest.FeaturesInput, ElementType.Float32, [2])],
            Labels = new PackageLabels(ElementType.Int64, [], 2),
            Parameters = parameters,
            FullModelParameters = 100,
            Gradient = graph,
            Evaluation = graph,
        };
    }

    private static JobSpec Spec(string rest) =>
        JobSpec.Parse($$"""{ "name": "job", "population": "p", "model": { "builder": "mlp" }, {{rest}} }""");

    [Fact]
    public void Check_RuleByDefaultWithCodecThatKeepsAResidual_NamesBothSettingsAndTheWayOut()
    {
        InvalidSettingsException refusal = Assert.Throws<InvalidSettingsException>(() => JobLora.Check(Spec(""" "update": { "codec": "stc" } """), _factors));

        string problem = Assert.Single(refusal.Problems).ToString();
        Assert.StartsWith("aggregation.lora.rule: rolora together with update.codec = stc is not allowed", problem, StringComparison.Ordinal);
        Assert.EndsWith("or set update.codec to dense or quantized", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" "update": { "codec": "quantized" } """)]
    [InlineData(""" "update": { "codec": "stc" }, "aggregation": { "lora": { "rule": "ffa" } } """)]
    public void Check_CodecThatFitsTheRule_IsTaken(string settings) => JobLora.Check(Spec(settings), _factors);

    [Fact]
    public void Check_CodecThatKeepsAResidualForAPackageWithoutFactors_IsTaken() => JobLora.Check(Spec(""" "update": { "codec": "stc" } """), _plain);

    [Fact]
    public void Check_RankAboveThePackages_IsRefused()
    {
        JobSpec spec = Spec(""" "aggregation": { "lora": { "rule": "hetlora", "ranks": { "label": "profile", "values": { "a": 4, "b": 5 } } } } """);

        Assert.Equal(
            ["aggregation.lora.ranks.values.b: 5 with package 'small' of rank 4 is not allowed; allowed is 1 to 4; or a package of a higher rank"],
            Assert.Throws<InvalidSettingsException>(() => JobLora.Check(spec, _factors)).Problems.Select(problem => problem.ToString()));
    }

    [Fact]
    public void Check_RuleForAPackageWithoutFactors_IsRefused() => Assert.Equal(
        ["aggregation.lora: a LoRA rule for package 'small', which has no LoRA factors is not allowed; allowed is null; or a package with LoRA factors"],
        Assert.Throws<InvalidSettingsException>(() => JobLora.Check(Spec(""" "aggregation": { "lora": {} } """), _plain)).Problems
            .Select(problem => problem.ToString()));
}
