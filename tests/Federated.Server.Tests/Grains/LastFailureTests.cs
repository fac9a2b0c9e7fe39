using Federated.Server.Grains;

namespace Federated.Server.Tests.Grains;

public sealed class LastFailureTests
{
    private readonly LastFailure _failure = new();

    [Fact]
    public void IsNews_SameFailureAgain_OnlyTheFirstTime()
    {
        Assert.True(_failure.IsNews(new IOException("the store is away")));
        Assert.False(_failure.IsNews(new IOException("the store is away")));
        Assert.True(_failure.IsNews(new IOException("the disk is full")));
        Assert.True(_failure.IsNews(new InvalidDataException("the disk is full")));
        Assert.False(_failure.IsNews(new InvalidDataException("the disk is full")));
    }

    [Fact]
    public void IsNews_SameFailureAfterThingsWentWell_IsSaidAgain()
    {
        Assert.True(_failure.IsNews(new IOException("the store is away")));
        _failure.Over();
        Assert.True(_failure.IsNews(new IOException("the store is away")));
    }
}
