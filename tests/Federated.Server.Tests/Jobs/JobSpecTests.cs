using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Server.Aggregation.ServerOptimizers;
using Federated.Server.Jobs;
using Federated.Shared.Protocol;
using Federated.Shared.Updates.Plain;
using Federated.Shared.Updates.Values;

namespace Federated.Server.Tests.Jobs;

public sealed class JobSpecTests
{
    private const string Least = """{ "name": "job", "population": "p", "model": { "builder": "mlp" } }""";

    private const string Full = """
        {
          "name": "mnist", "population": "phones", "seed": 7, "rounds": 87, "targetAccuracy": 0.97,
          "model": { "builder": "mlp", "inputs": 784, "hidden": [200, 200], "classes": 10 },
          "cohort": { "goal": 10, "overSelection": 1.3, "quorum": 0.8, "minimumPool": 50 },
          "deadlines": { "selectSeconds": 30, "reportSeconds": 60 },
          "training": { "epochs": 5, "batchSize": 10, "maxSteps": 0, "optimizer": "adamW", "learningRate": 0.01, "momentum": 0.8,
            "beta2": 0.99, "epsilon": 1e-7, "weightDecay": 0.1, "proximalMu": 0.5 },
          "server": { "optimizer": "fedYogi", "learningRate": 0.1, "momentum": 0.5, "beta1": 0.8, "beta2": 0.95, "tau": 0.01 },
          "evaluation": { "every": 2, "data": { "kind": "idx", "images": "i.gz", "labels": "l.gz" } },
          "update": { "codec": "top-k", "density": 0.05, "valueBits": 4, "momentum": 0.5, "staleDecay": 0.9 },
          "aggregation": { "rule": "mean" }
        }
        """;

    [Theory]
    [InlineData("job.update.indexSet", "voted", "with codec = dense")]
    [InlineData("momentum and averaging", "momentum", "this optimizer keeps no momentum")]
    [InlineData("voted and rolora", "voted", "rolora together with update.codec = linear and indexSet = voted")]
    public void Read_IndexSetThatCannotBeFound_IsRefused(string what, string indexSet, string expected)
    {
        string[] codec = what.StartsWith("job", StringComparison.Ordinal) ? [] : ["update.codec=linear"];
        string[] lora = what.EndsWith("rolora", StringComparison.Ordinal) ? ["""aggregation.lora={"rule":"rolora"}"""] : [];
        Assert.Contains(expected, string.Join('\n', Problems([.. codec, .. lora, $"update.indexSet={indexSet}"])), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CompactDownlinkOfNewFactors_IsRefused() => Assert.Contains(
        "compact together with aggregation.lora.rule = flora",
        string.Join('\n', Problems("downlink=compact", """aggregation.lora={"rule":"flora"}""")),
        StringComparison.Ordinal);

    private static string[] Problems(params string[] overrides) =>
        [.. Assert.Throws<InvalidSettingsException>(() => Read(overrides)).Problems.Select(problem => problem.ToString())];

    private static JobSpec Read(params string[] overrides)
    {
        JsonNode root = StrictJson.Parse(Least);
        foreach (string assignment in overrides)
        {
            StrictJson.ApplyOverride(root, assignment);
        }

        return StrictJson.Read<JobSpec>(root);
    }

    [Fact]
    public void Parse_FullSpec_ReadsEveryKey()
    {
        JobSpec spec = JobSpec.Parse(Full);
        Assert.Equal(("mnist", "phones", 7UL, 87, 0.97), (spec.Name, spec.Population, spec.Seed, spec.Rounds, spec.TargetAccuracy));
        Assert.Equal((JobModelBuilder.Mlp, 784, 10), (spec.Model.Builder, spec.Model.Inputs, spec.Model.Classes));
        Assert.Equal([200, 200], spec.Model.Hidden!);
        Assert.Equal((10, 13, 8, 50), (spec.Cohort.Goal, spec.Cohort.CohortSize, spec.Cohort.QuorumCount, spec.Cohort.MinimumPool));
        Assert.Equal((30, 60), (spec.Deadlines.Select.TotalSeconds, spec.Deadlines.Report.TotalSeconds));
        Assert.Equal(
            new LocalTrainingPlan
            {
                Epochs = 5,
                BatchSize = 10,
                MaxSteps = 0,
                Optimizer = LocalOptimizer.AdamW,
                LearningRate = 0.01,
                Momentum = 0.8,
                Beta2 = 0.99,
                Epsilon = 1e-7,
                WeightDecay = 0.1,
                ProximalMu = 0.5,
            },
            spec.Training.ToPlan());
        Assert.Equal(
            new ServerOptimizerSettings { Optimizer = ServerOptimizerKind.FedYogi, LearningRate = 0.1, Momentum = 0.5, Beta1 = 0.8, Beta2 = 0.95, Tau = 0.01 },
            spec.Server);
        Assert.Equal(new PlainCodec { Density = 0.05, Values = ValueEncoding.Block4, Momentum = 0.5f, StaleDecay = 0.9f }, spec.Update.ToPlan());
        Assert.Equal((2, EvaluationSourceKind.Idx, "i.gz", "l.gz"), (spec.Evaluation!.Every, spec.Evaluation.Data.Kind, spec.Evaluation.Data.Images, spec.Evaluation.Data.Labels));
    }

    [Fact]
    public void Parse_LeastSpec_TakesDefaultsThatAreThemselvesAllowed()
    {
        JobSpec spec = JobSpec.Parse(Least);
        Assert.Equal((1UL, 100, null), (spec.Seed, spec.Rounds, spec.TargetAccuracy));
        Assert.Equal(new LocalTrainingPlan(), spec.Training.ToPlan());
        string written = JsonSerializer.Serialize(spec, StrictJson.Options);
        Assert.Equal(written, JsonSerializer.Serialize(JobSpec.Parse(written), StrictJson.Options));
    }

    [Theory]
    [InlineData("cohort.goal=0", "cohort.goal: 0 is not allowed; allowed is 1 to 10000")]
    [InlineData("cohort.overSelection=0.9", "cohort.overSelection: 0.9 is not allowed; allowed is 1 to 10")]
    [InlineData("cohort.quorum=1.1", "cohort.quorum: 1.1 is not allowed; allowed is above 0 to 1")]
    [InlineData("cohort.minimumPool=3", "cohort.minimumPool: 3 with a quorum of 8 devices is not allowed; allowed is 0, or 8 and above: a smaller pool can never commit; or lower quorum or goal")]
    [InlineData("name=a b", "name: \"a b\" is not allowed; allowed is 1 to 128 characters of A-Z a-z 0-9 . _ - that do not begin with a dot")]
    [InlineData("targetAccuracy=0.9", "targetAccuracy: 0.9 without evaluation is not allowed; allowed is null; or add evaluation with held-out data")]
    [InlineData("model.parameters=5", "model.parameters: this key with builder = mlp is not allowed; allowed is inputs, hidden, classes, base, lora")]
    [InlineData("model.baseBits=8", "model.baseBits: this key with builder = mlp is not allowed; allowed is inputs, hidden, classes, base, lora")]
    [InlineData("model={\"builder\":\"mlp\",\"lora\":{\"rank\":2},\"baseBits\":6}", "model.baseBits: 6 is not allowed; allowed is 8 or 4")]
    [InlineData("model.hidden=[200,0]", "model.hidden[1]: 0 is not allowed; allowed is 1 to 1000000")]
    [InlineData("model.builder=vector", "model.parameters: a missing key is not allowed; allowed is 1 to 268435448")]
    [InlineData("training.momentum=1", "training.momentum: 1 is not allowed; allowed is 0 to below 1")]
    [InlineData("server.optimizer=fedProx", "server.optimizer: \"fedProx\" is not allowed; allowed is fedAvg, fedAvgM, fedAdagrad, fedAdam, fedYogi")]
    [InlineData("update.codec=topK", "update.codec: \"topK\" is not allowed; allowed is dense, top-k, quantized, stc, linear")]
    [InlineData("update.density=0.1", "update.density: 0.1 with codec = dense is not allowed; allowed is leave it out: codec = dense sends all parameters and keeps nothing; or codec = top-k or stc")]
    [InlineData("update.momentum=0.5", "update.momentum: 0.5 with codec = dense is not allowed; allowed is leave it out: codec = dense sends all parameters and keeps nothing; or codec = top-k or stc")]
    [InlineData("update.valueBits=8", "update.valueBits: 8 with codec = dense is not allowed; allowed is leave it out, or codec = top-k or quantized")]
    [InlineData("update={\"codec\":\"quantized\",\"valueBits\":32}", "update.valueBits: 32 with codec = quantized is not allowed; allowed is 2, 4, 8")]
    [InlineData("update={\"codec\":\"top-k\",\"density\":0.3}", "update.density: 0.3 with codec = top-k is not allowed; allowed is above 0 and at most 0.25: beyond it sending every parameter takes less; or codec = quantized")]
    [InlineData("update={\"codec\":\"linear\",\"valueBits\":3}", "update.valueBits: 3 with codec = linear is not allowed; allowed is 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22")]
    [InlineData("aggregation.rule=trimmedMean", "aggregation.rule: trimmedMean is not allowed; allowed is mean: this version adds updates up as they arrive and keeps none, and this rule compares single updates")]
    [InlineData("evaluation.data={\"kind\":\"idx\",\"images\":\"i\"}", "evaluation.data.labels: a missing key is not allowed; allowed is a path, with kind = idx")]
    [InlineData("evaluation.data={\"kind\":\"csv\",\"path\":\"\"}", "evaluation.data.path: \"\" is not allowed; allowed is a path")]
    [InlineData("evaluation.data={\"kind\":\"csv\",\"path\":\"x\",\"images\":\"i\"}", "evaluation.data.images: this key with kind = csv is not allowed; allowed is path, labelColumn, targetColumn")]
    public void Parse_OneBadSetting_NamesPathValueAndWhatIsAllowed(string assignment, string expected) => Assert.Equal([expected], Problems(assignment));

    [Theory]
    [InlineData("top-k")]
    [InlineData("dense")]
    public void Parse_SecureAggregationWithPlainCodec_NamesBothSettingsAndTheWayOut(string codec) => Assert.Contains(
        $"update.codec: {codec} together with aggregation.secure is not allowed; allowed is linear: masked updates add up only when all devices write the same coordinates in whole numbers of one ring; or aggregation.secure = null",
        Problems($"update.codec={codec}", "aggregation.secure={}"));

    [Fact]
    public void Parse_SecureAggregationWithKrum_NamesBothSettingsAndTheWayOut() => Assert.Contains(
        "aggregation.rule: krum together with aggregation.secure is not allowed; allowed is mean: under secure aggregation the server never sees the single updates that this rule compares; or aggregation.secure = null",
        Problems("update.codec=linear", "aggregation.secure={}", "aggregation.rule=krum"));

    [Fact]
    public void Parse_SecureAggregationWithQuorumBelowItsFloor_IsRefusedWithTheNumbers() => Assert.Contains(
        "aggregation.secure.minMembers: 5 with a quorum of 3 devices is not allowed; allowed is at most 3: a round with its quorum alone could not be summed; or raise cohort.goal or cohort.quorum",
        Problems("update.codec=linear", "aggregation.secure={}", "cohort={\"goal\":4,\"quorum\":0.6}"));

    [Theory]
    [InlineData(20, 4, "sums of values from -0 to 0")]
    [InlineData(31, 6, "sums of values from -1 to 1")]
    [InlineData(63, 7, "sums of values from -1 to 1")]
    public void Parse_WidthThatCouldWrap_IsRefusedWithTheNumbers(int devices, int width, string expected)
    {
        string problem = Assert.Single(Problems(
            $"update={{\"codec\":\"linear\",\"valueBits\":{width}}}", $"cohort={{\"goal\":{devices},\"overSelection\":1}}"));
        Assert.StartsWith($"update.valueBits: {width} with groups of up to {devices} devices: {expected} are all that cannot wrap", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training.optimizer=adamW", "null; or optimizer = sgd, weightDecay = 0 and proximalMu = 0")]
    [InlineData("training.proximalMu=0.1", "null; or optimizer = sgd, weightDecay = 0 and proximalMu = 0")]
    [InlineData("update.codec=top-k", "null; or update.codec = dense, quantized or linear")]
    [InlineData("aggregation.lora={\"rule\":\"flexlora\"}", "null; or rule = fedit, ffa or rolora")]
    public void Parse_DirectionsWithWhatTheServerCouldNotRepeat_NamesBothAndTheWayOut(string assignment, string wayOut)
    {
        string problem = Assert.Single(Problems("training.directions={\"count\":128}", assignment));
        Assert.StartsWith("training.directions: directions together with ", problem, StringComparison.Ordinal);
        Assert.Contains(wayOut, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_DirectionsOnTheLinearCodecUnderSecureAggregation_AreTaken()
    {
        JobSpec spec = Read("training.directions={\"count\":128}", "update.codec=linear", "aggregation.secure={}");
        Assert.Equal(new DirectionSettings { Count = 128, Distance = 1e-3 }, spec.Training.Directions);
    }

    [Fact]
    public void Parse_SecureAggregationOnTheLinearCodec_IsTaken()
    {
        JobSpec spec = Read("update.codec=linear", "aggregation.secure={\"groupSize\":16}");
        Assert.Equal((16, 5), (spec.Aggregation.Secure!.GroupSize, spec.Aggregation.Secure.MinMembers));
        Assert.Null(spec.Update.ToPlan());
    }

    [Theory]
    [InlineData(
        "{\"ranks\":{\"label\":\"profile\",\"values\":{\"pi5\":4}}}",
        "aggregation.lora.ranks: ranks together with rule = rolora is not allowed; allowed is null: this rule averages factors of one rank; or set rule to flora, flexlora or hetlora")]
    [InlineData(
        "{\"rule\":\"ffa\",\"averagingBias\":true}",
        "aggregation.lora.averagingBias: true together with rule = ffa is not allowed; allowed is false: only fedit and hetlora average both factors, the other rules have no such bias")]
    [InlineData(
        "{\"rule\":\"flexlora\",\"ranks\":{\"label\":\"profile\",\"values\":{\"pi5\":0}}}",
        "aggregation.lora.ranks.values.pi5: 0 is not allowed; allowed is 1 to 65536")]
    [InlineData(
        "{\"rule\":\"flora\",\"layers\":{\"everyRounds\":5}}",
        "aggregation.lora.layers: layers together with rule = flora is not allowed; allowed is null: products of all layers are summed; or fedit, ffa, rolora or fedsa without averagingBias")]
    [InlineData(
        "{\"rule\":\"ffa\",\"layers\":{\"everyRounds\":0}}",
        "aggregation.lora.layers.everyRounds: 0 is not allowed; allowed is 1 to 1000000")]
    [InlineData(
        "{\"rule\":\"hetlora\",\"ranks\":{\"label\":\"profile\",\"values\":{}}}",
        "aggregation.lora.ranks.values: no entry is not allowed; allowed is at least one value of the label with its rank")]
    [InlineData(
        "{\"rule\":\"fedavg\"}",
        "aggregation.lora.rule: \"fedavg\" is not allowed; allowed is fedit, ffa, rolora, flora, flexlora, hetlora, fedsa")]
    public void Parse_LoraSettingsThatDoNotCompose_NameBothAndTheWayOut(string lora, string expected) =>
        Assert.Equal([expected], Problems("aggregation.lora=" + lora));

    [Fact]
    public void Parse_FlexloraWithServerOptimizer_NamesBothSettingsAndTheWayOut()
    {
        string problem = Assert.Single(Problems("aggregation.lora={\"rule\":\"flexlora\"}", "server.optimizer=fedAdam"));
        Assert.StartsWith("aggregation.lora.rule: flexlora together with server.optimizer = fedAdam and server.learningRate = 1 is not allowed", problem, StringComparison.Ordinal);
        Assert.EndsWith("or set server.optimizer to fedAvg and server.learningRate to 1", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"rule\":\"flexlora\"}", "aggregation.lora.rule: flexlora together with aggregation.secure and update.codec = linear")]
    [InlineData("{\"rule\":\"hetlora\"}", "aggregation.lora.rule: hetlora together with aggregation.secure and update.codec = linear")]
    [InlineData("{\"rule\":\"fedit\",\"averagingBias\":true}", "aggregation.lora.averagingBias: true together with aggregation.secure and update.codec = linear")]
    public void Parse_LoraRuleThatSeesSingleUpdatesWithSecureAggregation_IsRefused(string lora, string expected) => Assert.StartsWith(
        expected, Assert.Single(Problems("aggregation.lora=" + lora, "update.codec=linear", "aggregation.secure={}")), StringComparison.Ordinal);

    [Theory]
    [InlineData("fedit")]
    [InlineData("ffa")]
    [InlineData("rolora")]
    [InlineData("fedsa")]
    public void Parse_LoraRuleOfMeansWithSecureAggregation_IsTaken(string rule) => Assert.NotNull(
        Read($"aggregation.lora={{\"rule\":\"{rule}\"}}", "update.codec=linear", "aggregation.secure={}").Aggregation.Secure);

    [Fact]
    public void Parse_LoraRuleWithKrum_IsRefused() => Assert.Contains(
        "aggregation.lora: a LoRA rule together with aggregation.rule = krum is not allowed; allowed is null; or set aggregation.rule to mean: the LoRA rules are means of factors or of their products",
        Problems("aggregation.lora={}", "aggregation.rule=krum"));

    [Theory]
    [InlineData("{\"rule\":\"rolora\"}", "rule: rolora", "fedit, ffa, hetlora or fedsa: what this codec leaves out is added to the next update, which is of other factors under this rule")]
    [InlineData("{\"rule\":\"flora\"}", "rule: flora", "fedit, ffa, hetlora or fedsa: what this codec leaves out is added to the next update, which is of other factors under this rule")]
    [InlineData(
        "{\"rule\":\"hetlora\",\"ranks\":{\"label\":\"profile\",\"values\":{\"pi5\":2}}}",
        "ranks: ranks",
        "null: what this codec leaves out is added to the next update, which has another length when the device's rank changes")]
    public void Parse_CodecThatKeepsWhatTheNextRoundDoesNotSend_NamesBothSettingsAndTheWayOut(string lora, string setting, string way) => Assert.Equal(
        [$"aggregation.lora.{setting} together with update.codec = top-k is not allowed; allowed is {way}; or set update.codec to dense or quantized"],
        Problems("aggregation.lora=" + lora, "update.codec=top-k"));

    [Theory]
    [InlineData("{\"rule\":\"fedit\"}", "top-k")]
    [InlineData("{\"rule\":\"fedsa\"}", "stc")]
    [InlineData("{\"rule\":\"rolora\"}", "quantized")]
    [InlineData("{\"rule\":\"flexlora\",\"ranks\":{\"label\":\"profile\",\"values\":{\"pi5\":2}}}", "quantized")]
    public void Parse_CodecThatFitsTheLoraRule_IsTaken(string lora, string codec) =>
        Assert.NotNull(Read("aggregation.lora=" + lora, "update.codec=" + codec).Update.ToPlan());

    [Fact]
    public void Parse_EvaluatedVector_IsRefused() => Assert.Equal(
        ["evaluation: an evaluation of model.builder = vector is not allowed; allowed is null: a bare vector has no graph; or model.builder = mlp or cnn"],
        Problems("model.builder=vector", "model.parameters=10", "evaluation.data={\"kind\":\"csv\",\"path\":\"x\"}"));

    [Theory]
    [InlineData(10, 1.3, 0.8, 13, 8)]
    [InlineData(10, 1.1, 0.7, 11, 7)]
    [InlineData(3, 1.3, 0.5, 4, 2)]
    [InlineData(1, 1, 0.01, 1, 1)]
    [InlineData(10000, 10, 1, 100000, 10000)]
    public void CohortSettings_Shares_BecomeCounts(int goal, double overSelection, double quorum, int cohort, int least)
    {
        CohortSettings settings = new() { Goal = goal, OverSelection = overSelection, Quorum = quorum };
        Assert.Equal((cohort, least), (settings.CohortSize, settings.QuorumCount));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("a.b-c_D9", true)]
    [InlineData(".a", false)]
    [InlineData("a/b", false)]
    [InlineData("", false)]
    public void IdentifierPattern_AgreesWithTheProtocol(string text, bool allowed)
    {
        Assert.Equal(allowed, new IdentifierAttribute().IsValid(text));
        Assert.Equal(allowed, System.Text.RegularExpressions.Regex.IsMatch(text, IdentifierAttribute.Pattern));
    }
}
