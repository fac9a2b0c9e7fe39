using Federated.Server.Telemetry;

namespace Federated.Server.Tests.Telemetry;

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

    // The system's messages name a temporary file.
    [Fact]
    public void IsNews_SameErrorOfTheSystemWithAnotherFile_OnlyTheFirstTime()
    {
        Assert.True(_failure.IsNews(new IOException("No space left on device : '/data/~1'", 28)));
        Assert.False(_failure.IsNews(new IOException("No space left on device : '/data/~2'", 28)));
        Assert.True(_failure.IsNews(new IOException("Input/output error : '/data/~3'", 5)));
    }

    [Fact]
    public void IsNews_SameFailureAfterThingsWentWell_IsSaidAgain()
    {
        Assert.True(_failure.IsNews(new IOException("the store is away")));
        _failure.Over();
        Assert.True(_failure.IsNews(new IOException("the store is away")));
    }
}
