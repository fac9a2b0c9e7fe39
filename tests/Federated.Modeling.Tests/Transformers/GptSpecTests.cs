using Federated.Modeling.Transformers;

namespace Federated.Modeling.Tests.Transformers;

public sealed class GptSpecTests
{
    private static readonly GptSpec s_small = new() { Vocabulary = 16, Width = 8, Heads = 2, KeyValueHeads = 1, FeedForward = 8 };

    [Theory]
    [InlineData(0)]
    [InlineData(GptSpec.MaxContext + 1)]
    [InlineData(46_341)]
    public void Build_ContextBeyondTheLimit_IsRefusedByTheKey(int context) => Assert.StartsWith(
        $"model.gpt.context is {context}; allowed is 1 to 4096.",
        Assert.Throws<ArgumentException>(() => Build(s_small with { Context = context })).Message,
        StringComparison.Ordinal);

    // The mask has 4 MB as float32 and is made from twice that.
    [Fact]
    public void Build_FurtherBlocks_MakeNoMaskOfTheirOwn()
    {
        GptSpec spec = s_small with { Context = 1024 };
        _ = Build(spec);

        long one = Allocated(spec with { Layers = 1 });
        long eight = Allocated(spec with { Layers = 8 });

        Assert.InRange(eight - one, 0, 4 << 20);
    }

    private static long Allocated(GptSpec spec)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        _ = Build(spec);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static ForwardModel Build(GptSpec spec) => ModelBuilders.Build(new ModelSpec { Builder = ModelSpec.Gpt, GptSizes = spec });
}
