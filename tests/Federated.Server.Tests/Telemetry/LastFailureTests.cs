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
        Assert.True(_failure.IsNews(Denied("/data/~4")));
        Assert.False(_failure.IsNews(Denied("/data/~5")));
    }

    [Fact]
    public void IsNews_SameFailureAfterThingsWentWell_IsSaidAgain()
    {
        Assert.True(_failure.IsNews(new IOException("the store is away")));
        Assert.Equal("the store is away", _failure.Exception?.Message);
        _failure.Over();
        Assert.Null(_failure.Exception);
        Assert.True(_failure.IsNews(new IOException("the store is away")));
    }

    private static IOException Denied(string path) => new(
        $"Blob 'a' cannot be written: Access to the path '{path}' is denied.",
        new UnauthorizedAccessException($"Access to the path '{path}' is denied.", new IOException("Permission denied", 13)));
}
