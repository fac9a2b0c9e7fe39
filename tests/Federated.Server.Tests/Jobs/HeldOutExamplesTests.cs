using Federated.Server.Jobs;
using Federated.Shared.Models;
using Federated.Training;
using Federated.Training.Data;

namespace Federated.Server.Tests.Jobs;

/// <summary>Held-out examples against the model that they are to measure.</summary>
public sealed class HeldOutExamplesTests
{
    [Fact]
    public void DemandFit_ExamplesOfTheModelsFormatAndClasses_AreTaken() =>
        HeldOutExamples.DemandFit(new Labelled(2, 0, 1, 2), Classifier(evaluationBytes: 1));

    [Fact]
    public void DemandFit_LabelBeyondTheClasses_IsRefusedWithTheExample()
    {
        SettingProblem problem = Refused(new Labelled(2, 0, 1, 7), Classifier(evaluationBytes: 1));

        Assert.Equal("evaluation.data", problem.Path);
        Assert.Contains("Example 2 has label 7, model 'small' knows 3 classes", problem.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void DemandFit_FeaturesOfAnotherLength_AreRefusedWithBothLengths()
    {
        SettingProblem problem = Refused(new Labelled(4, 0), Classifier(evaluationBytes: 1));

        Assert.Equal(
            "evaluation.data: examples with 4 float32 features and 1 int64 label is not allowed; allowed is 2 float32 features and 1 int64 label, which model 'small' takes",
            problem.ToString());
    }

    [Fact]
    public void DemandFit_ModelThatIsNotEvaluated_TakesAnything()
    {
        HeldOutExamples.DemandFit(new Labelled(4, 9), Classifier(evaluationBytes: 0));
        HeldOutExamples.DemandFit(null, Classifier(evaluationBytes: 1));
    }

    // The last example is short, so one of its labels is not counted.
    [Fact]
    public void DemandFit_Tokens_MustBeOfTheVocabulary()
    {
        PackageManifest model = Manifest(ModelTask.CausalLm, new PackageInput(PackageManifest.FeaturesInput, ElementType.Int64, [2]), [2], evaluationBytes: 1);

        HeldOutExamples.DemandFit(TokenExamples.Of([[0, 1, 2, 1]], 2), model);

        Assert.Contains("label 3", Refused(TokenExamples.Of([[0, 1, 2, 3]], 2), model).Value, StringComparison.Ordinal);
    }

    private static SettingProblem Refused(IExampleSource examples, PackageManifest manifest) =>
        Assert.Single(Assert.Throws<InvalidSettingsException>(() => HeldOutExamples.DemandFit(examples, manifest)).Problems);

    private static PackageManifest Classifier(long evaluationBytes) =>
        Manifest(ModelTask.Classification, new PackageInput(PackageManifest.FeaturesInput, ElementType.Float32, [2]), [], evaluationBytes);

    /// <summary>A model of three classes or tokens.</summary>
    private static PackageManifest Manifest(ModelTask task, PackageInput input, int[] labels, long evaluationBytes)
    {
        string hash = new('0', 2 * ContentHash.LengthBytes);
        return new PackageManifest
        {
            Format = PackageManifest.CurrentFormat,
            Name = "small",
            Task = task,
            Inputs = [input],
            Labels = new PackageLabels(ElementType.Int64, labels, 3),
            Parameters = [new PackageParameter("w", [3])],
            FullModelParameters = 100,
            Gradient = new PackageFile(hash, 1),
            Evaluation = new PackageFile(hash, evaluationBytes),
        };
    }

    /// <summary>Examples of which only the labels are told.</summary>
    private sealed class Labelled(int features, params long[] labels) : IExampleSource
    {
        public int Count => labels.Length;

        public ExampleFormat Format => ExampleFormat.Classified(features);

        public void CopyTo(ReadOnlySpan<int> indices, ExampleBatch batch)
        {
            for (int i = 0; i < indices.Length; i++)
            {
                batch.Labels[i] = labels[indices[i]];
            }
        }
    }
}
