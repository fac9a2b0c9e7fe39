using Federated.Modeling;
using Federated.Server.Generation;

namespace Federated.Server.Tests.Generation;

public sealed class TextModelTests
{
    private static readonly ByteTokens _bytes = new();

    // Longer than the context of four, so that the window moves.
    [Fact]
    public void Continue_WithoutTheChange_WritesTheAlphabet()
    {
        ModelPackage package = SuccessorModel.Build();
        using TextModel model = TextModel.Open(package with { InitialAdapter = new float[package.InitialAdapter.Length] });

        Assert.Equal("cdefghij", Write(model, "ab", 8));
    }

    [Fact]
    public void Continue_WithTheChange_LeavesEverySecondLetterOut()
    {
        using TextModel model = TextModel.Open(SuccessorModel.Build());

        // From 'g' on the change knows no letter.
        Assert.Equal("ceghi", Write(model, "a", 5));
    }

    // The weights do not depend on the context, so the same text without padding must score alike.
    [Fact]
    public void Scores_OfAShortText_DoNotDependOnThePadding()
    {
        using TextModel padded = TextModel.Open(Small(context: 8));
        using TextModel full = TextModel.Open(Small(context: 3));

        float[] scores = padded.Scores([65, 66, 67]);

        Assert.Equal(256, scores.Length);
        Assert.All(full.Scores([65, 66, 67]).Zip(scores), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.True(scores.Zip(padded.Scores([65, 67, 66])).Max(pair => Math.Abs(pair.First - pair.Second)) > 1e-4f);
    }

    [Fact]
    public void Continue_TokenThatTheModelDoesNotKnow_IsRefused()
    {
        using TextModel model = TextModel.Open(SuccessorModel.Build());

        Assert.Contains("has token 256", Assert.Throws<ArgumentException>(() => model.Continue([256], 1, new SamplingOptions(), CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.Contains("is empty", Assert.Throws<ArgumentException>(() => model.Continue([], 1, new SamplingOptions(), CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Classifier_IsRefused() => Assert.Contains(
        "only a causal-lm over tokens writes text",
        Assert.Throws<ArgumentException>(() => TextModel.Open(ModelPackage.Build(new ModelSpec { Builder = ModelSpec.Mlp, Hidden = [4] }, 1))).Message,
        StringComparison.Ordinal);

    private static ModelPackage Small(int context) => ModelPackage.Build(
        new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = new() { Context = context, Width = 16, Heads = 2, Layers = 1, FeedForward = 8 } }, 3);

    private static string Write(TextModel model, string prompt, int count) =>
        _bytes.Decode(model.Continue(_bytes.Encode(prompt), count, new SamplingOptions(0), CancellationToken.None));
}
